"""`ornstein verify`: which checks there are, who runs them, and how they are judged."""

import json
import math
import sys
import types
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ornstein import theory
from ornstein.json_values import as_json
from ornstein.verification import checks, wishart
from ornstein.verification.checks import Allowance, Check, Experiment, Setting, judge
from ornstein.verification.registry import CHECKS, SECTIONS, select
from ornstein.verification.running import replicate_seed, verify

BY_NAME = {check.name: check for check in CHECKS}
EXPERIMENTS = {check.experiment.name: check.experiment for check in CHECKS}
SIMULATIONS = [getattr(e.simulate, "func", e.simulate) for e in EXPERIMENTS.values()]
FAMILIES = {sys.modules[simulate.__module__] for simulate in SIMULATIONS}


# ---- the registry


def test_covers_every_section_once_each() -> None:
    assert {check.section.partition(".")[0] for check in CHECKS} == {str(s) for s in range(1, 20)}
    assert {check.section for check in CHECKS} == set(SECTIONS)
    assert len(CHECKS) == len(BY_NAME) >= 120
    for check in CHECKS:
        assert EXPERIMENTS[check.experiment.name] is check.experiment


def test_default_settings_are_larger_and_allowances_shrink() -> None:
    for check in CHECKS:
        fast, full = check.experiment.fast, check.experiment.full
        assert full.replicates >= 100
        assert fast.parameters.keys() == full.parameters.keys()
        if check.allowance is not None:
            sizes = [check.allowance.size(0.5, **setting.parameters) for setting in (fast, full)]
            assert 0 < sizes[1] < sizes[0], check.name


def test_simulations_use_no_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden:
        def __call__(self, *_: object, **__: object) -> None:
            raise AssertionError("a simulation asked the theory")

        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"a simulation asked the theory for {name}")

    for family in FAMILIES:
        for name, value in list(vars(family).items()):
            home = getattr(value, "__module__", None) or getattr(value, "__name__", "")
            if str(home).startswith("ornstein.theory"):
                monkeypatch.setattr(family, name, Forbidden())
    for experiment in EXPERIMENTS.values():
        rng = np.random.default_rng(replicate_seed(0, experiment.name, 0))
        experiment.simulate(rng, **experiment.fast.parameters)
    with pytest.raises(AssertionError, match="asked the theory"):
        wishart.predict_generated_population(dim=2, n_train=5)


@pytest.fixture(scope="module")
def predicted() -> tuple[dict[str, float], set[str]]:
    """Every prediction at its fast setting, and the functions of theory that they called."""
    called: set[str] = set()

    def note(frame: types.FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("ornstein.theory."):
            called.add(frame.f_code.co_name)

    # Hears of calls only: with a profile of returns and of NumPy too it takes some times as long.
    before = sys.gettrace()
    sys.settrace(note)
    try:
        values = {check.name: check.predict(**check.experiment.fast.parameters) for check in CHECKS}
    finally:
        sys.settrace(before)
    return values, called


def test_every_theory_function_is_behind_some_check(
    predicted: tuple[dict[str, float], set[str]],
) -> None:
    called = predicted[1]
    public = {
        name for name in theory.__all__ if isinstance(getattr(theory, name), types.FunctionType)
    }
    # A fit to numbers, and two short forms of what stands behind the checks.
    known = {"convergence_order", "activation_constants", "marchenko_pastur_mean"}
    # Public forms of what `one_step` computes with its own parameters.
    known |= {"one_step_log_det", "one_step_log_affinity", "one_step_nuclear_norm"}
    known |= {"wishart_log_det"}
    assert public - called == known


@pytest.mark.parametrize(
    ("only", "sections"),
    [
        ("1", {"1.1", "1.2", "1.3", "1.4"}),
        ("1.3", {"1.3"}),
        ("10", {"10"}),
        ("11,17", {"11", "17"}),
        ("cloning, 5", {"5", "9"}),
    ],
)
def test_selects_sections_and_names(only: str, sections: set[str]) -> None:
    assert {check.section for check in select(only)} == sections
    assert select(None) == CHECKS


def test_a_name_with_a_comma_is_one_entry() -> None:
    assert [check.name for check in select("KL, 1/k")] == ["KL, 1/k"]
    assert [check.name for check in select("kl, levels,cloning, KL at best S")] == [
        "cloning probability",
        "KL, levels",
        "KL at best S",
    ]
    for check in CHECKS:
        assert check in select(check.name)


@pytest.mark.parametrize("only", ["", " , ", "99", "no such check"])
def test_a_selection_that_fits_nothing_is_refused(only: str) -> None:
    with pytest.raises(ValueError, match=r"^--only: given .*, expected sections"):
        select(only)


# ---- seeds and workers


def test_same_numbers_for_any_workers_and_any_company() -> None:
    def few(only: str) -> list[Check]:
        experiments = {
            name: replace(each, fast=replace(each.fast, replicates=50))
            for name, each in EXPERIMENTS.items()
        }
        return [replace(c, experiment=experiments[c.experiment.name]) for c in select(only)]

    alone = verify(few("KL(gen"), fast=True, jobs=1)
    together = verify(few("5,7"), fast=True, jobs=2)
    assert alone.rows == together.rows[:1]
    assert verify(few("5,7"), fast=True, jobs=1) == together
    assert together.simulations == 150


def test_seeds_depend_on_seed_name_and_replicate() -> None:
    draws = {
        np.random.default_rng(replicate_seed(seed, name, replicate)).integers(2**60)
        for seed in (0, 1)
        for name in ("one", "two")
        for replicate in (0, 1)
    }
    assert len(draws) == 8


# ---- the verdict


def toy(
    predicted: float,
    allowance: Allowance | None = None,
    simulate: Callable[..., dict[str, float]] | None = None,
) -> Check:
    """A standard normal observable in 10 replicates."""

    def normal(rng: np.random.Generator) -> dict[str, float]:
        return {"value": rng.standard_normal()}

    setting = Setting({}, replicates=10)
    experiment = Experiment("toy", simulate or normal, setting, setting)
    return Check("1.1", "toy", "", experiment, "value", lambda **_: predicted, allowance)


def test_false_alarms_are_as_rare_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SIGNIFICANCE", 0.01)
    rng = np.random.default_rng(0)
    for size in (3, 30):
        check, setting = toy(0.0), Setting({}, size)
        alarms = sum(
            not judge(check, setting, rng.standard_normal(size)).passed for _ in range(10_000)
        )
        # 100 expected, standard error 10.
        assert 60 < alarms < 140


def test_z_and_threshold() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0])
    row = judge(toy(1.0), Setting({}, 4), values)
    assert row.simulated == 1.5
    assert row.z == pytest.approx(0.5 / row.standard_error)
    assert judge(toy(2.0), Setting({}, 4), values).z == -row.z
    assert judge(toy(0.0), Setting({}, 100_000), np.ones(100_000)).threshold == pytest.approx(
        4.2649, abs=1e-3
    )


def test_only_the_distance_beyond_the_allowance_counts() -> None:
    values = np.random.default_rng(0).standard_normal(1000)
    limit = Allowance("1", "because", lambda _: 1.0)
    assert not judge(toy(1.0), Setting({}, 1000), values).passed
    within = judge(toy(0.9, limit), Setting({}, 1000), values)
    assert within.passed
    # 0.9 is 28 standard errors: the raw z says so, what counts does not.
    assert within.z < -25
    assert within.z_beyond_allowance == 0
    for predicted in (1.3, -1.3):
        row = judge(toy(predicted, limit), Setting({}, 1000), values)
        assert not row.passed
        beyond = abs(row.simulated - predicted) - 1
        assert row.z_beyond_allowance == pytest.approx(
            math.copysign(beyond / row.standard_error, -predicted)
        )
    exact = judge(toy(0.1), Setting({}, 1000), values)
    assert exact.z_beyond_allowance == exact.z != 0


def test_each_allowance_shrinks_what_counts_and_nothing_else_does(
    predicted: tuple[dict[str, float], set[str]],
) -> None:
    rng = np.random.default_rng(0)
    for check in CHECKS:
        setting = check.experiment.fast
        right = predicted[0][check.name]
        values = right + rng.standard_normal(100) * max(abs(right), 1e-3)
        row = judge(replace(check, predict=lambda right=right, **_: right), setting, values)
        gap = abs(row.simulated - row.predicted)
        assert abs(row.z) == pytest.approx(gap / row.standard_error)
        assert abs(row.z_beyond_allowance) == pytest.approx(
            max(0.0, gap - row.allowance) / row.standard_error, abs=1e-9
        )
        assert (row.allowance > 0) == (check.allowance is not None)
        assert row.passed == (abs(row.z_beyond_allowance) <= row.threshold)


@pytest.mark.parametrize("predicted", [math.nan, math.inf])
def test_what_is_not_finite_fails(predicted: float) -> None:
    assert not judge(toy(predicted), Setting({}, 10), np.arange(10.0)).passed
    assert not judge(toy(0.0), Setting({}, 10), np.full(10, predicted)).passed


def test_a_deterministic_simulation_is_compared_exactly() -> None:
    assert judge(toy(1.0), Setting({}, 10), np.ones(10)).passed
    row = judge(toy(1.5), Setting({}, 10), np.ones(10))
    assert not row.passed
    assert row.z == -math.inf


def test_an_error_takes_down_its_own_rows_only() -> None:
    def fails(rng: np.random.Generator) -> dict[str, float]:
        raise ArithmeticError("no convergence")

    broken = toy(0.0, simulate=fails)
    good = replace(toy(0.0), experiment=replace(toy(0.0).experiment, name="another toy"))

    def no_root(**_: float) -> float:
        raise RuntimeError("no root")

    result = verify([broken, good, replace(good, predict=no_root)], jobs=1)
    assert [row.passed for row in result.rows] == [False, True, False]
    assert result.rows[0].error == "ArithmeticError: no convergence"
    assert result.rows[2].error == "RuntimeError: no root"
    assert not result.passed
    assert result.simulations == 10
    assert json.loads(as_json(result.rows))[0]["z"] is None


@pytest.mark.parametrize(
    ("options", "message"), [({"jobs": 0}, "jobs is 0"), ({"seed": -1}, "seed")]
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify([toy(0.0)], **options)
