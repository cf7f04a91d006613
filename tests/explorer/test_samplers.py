"""The page's samplers, schedules and steps against `theory` and `diffusion`."""

import numpy as np
import pytest
from tests.explorer.golden import Case, agree, evaluate
from tests.explorer.populations import spectrum

from ornstein import theory
from ornstein.diffusion import schedules
from ornstein.diffusion.grids import Modes, grid_loss, tangent_noises
from ornstein.diffusion.samplers import as_sampler
from ornstein.theory.linear_denoisers.best_steps import _thinned
from ornstein.theory.linear_denoisers.fitted_sampling import FittedSampler
from ornstein.theory.linear_denoisers.tangent_grids import _of_points

SAMPLERS = ("ddpm", "ddpm:large", "ddim", "ddim:0.5", "euler", "heun")
SCHEDULES = ("linear", "scaled_linear", "cosine", "karras", "tangent")


def test_schedules():
    cases = []
    for count in (1, 2, 3, 7, 50, 333, 1000):
        for name in ("linear", "scaled_linear", "cosine"):
            betas = getattr(schedules, f"{name}_betas")(count)
            cases.append(Case(f"{name}_betas", [count], betas))
        cases.append(Case("karras_noises", [count], schedules.karras_noises(count)))
        steps = schedules.sampling_steps(1000, count)
        cases.append(Case("sampling_steps", [1000, count], steps))
        for name in (*SCHEDULES, "tangent:0.3"):
            levels = schedules.as_schedule(name).levels(count)
            expected = {"signal": levels.signal, "noise": levels.noise}
            cases.append(Case("noise_levels", [name, count], expected))
    for name in SCHEDULES:
        ends = schedules.as_schedule(name).noise_range()._asdict()
        cases.append(Case("noise_range", [name], ends))
    agree(cases, at_least=100)


def draw(rng: np.random.Generator) -> tuple[str, str, str]:
    """Sampler, schedule and start."""
    names = SAMPLERS, SCHEDULES, ("standard", "marginal")
    return tuple(str(rng.choice(choice)) for choice in names)  # type: ignore[return-value]


def test_quality_of_the_population_s_own_denoisers():
    rng = np.random.default_rng(11)
    cases = []
    for _ in range(150):
        values = spectrum(rng, 200)
        sampler, schedule, start = draw(rng)
        steps = [int(10 ** rng.uniform(0.0, 3.0)), 1, np.inf]
        expected = theory.sampler_quality(values, steps, sampler, schedule, start=start)._asdict()
        # All are differences of laws that may be equal.
        small = {"kl": 1e-6 * values.size, "hellinger_squared": 1e-6 * values.size}
        small |= dict.fromkeys(
            ("wasserstein_squared", "discretization_squared"), 1e-6 * values.sum()
        )
        arguments = [values, steps, sampler, schedule, None, start]
        cases.append(Case("sampler_quality", arguments, expected, small))
    agree(cases, at_least=500)


def test_quality_of_the_model_of_n_points():
    rng = np.random.default_rng(12)
    cases = []
    for _ in range(50):
        values = spectrum(rng, 80, decades=3.0)
        d = values.size
        n = d + int(rng.integers(-1, 4)) if rng.random() < 0.2 else 0
        n = n or round(d * 10 ** rng.uniform(-0.5, 1.7))
        n = max(n, 2)
        names = draw(rng)
        sampler, schedule, start = as_sampler(names[0]), schedules.as_schedule(names[1]), names[2]
        steps = [int(10 ** rng.uniform(0.0, 2.5)), np.inf]
        model = FittedSampler(values, np.zeros(d), n, sampler, schedule, start)  # type: ignore[arg-type]
        expected = {
            "kl": [model.law(count).kl() for count in steps],
            "discretization_squared": [model.discretization_squared(count) for count in steps],
        }
        small = {"kl": 1e-6 * d, "discretization_squared": 1e-6 * values.sum()}
        arguments = [values, steps, *names[:2], n, start, True]
        cases.append(Case("sampler_quality", arguments, expected, small))
    agree(cases, at_least=100)


def test_all_distances_of_the_model_of_n_points():
    # Python and the page iterate to fixed points, until a step is 1e-10 (1e-6 where rounding ends
    # it earlier) of them: distances have 9 digits where that is easy, 6 elsewhere, and less at
    # n = d, where eigenvalues of C reach 0.
    rng = np.random.default_rng(14)
    cases = []
    for _ in range(10):
        values = spectrum(rng, 30, zeros=False, decades=2.0)
        below = values.size > 5 and rng.random() < 0.2
        n = round(values.size * (0.5 if below else 10 ** rng.uniform(0.2, 1.5))) + 1
        sampler, schedule, start = draw(rng)
        steps = int(10 ** rng.uniform(0.5, 2.3))
        arguments = [values, steps, sampler, schedule]
        found = theory.sampler_quality(*arguments, n_train=n, start=start)._asdict()
        digits = 1.0 if n > 3 * values.size and steps > 10 else 1e3
        size = {name: digits * value for name, value in found.items()}
        size |= {"kl": 1e-6 * values.size, "discretization_squared": 1e-6 * values.sum()}
        cases.append(Case("sampler_quality", [*arguments, n, start], found, size))
    agree(cases, at_least=40)


def test_best_steps():
    cases = []
    for values in ([1.0] * 50, [4.0] * 5 + [0.2] * 15):
        for n in (20, 120):
            for names in (("ddpm:large", "linear"), ("ddim", "cosine")):
                expected = theory.best_steps(values, n, *names)._asdict()
                cases.append(Case("best_steps", [values, n, *names], expected))
    agree(cases, at_least=12)


def test_numbers_of_steps_that_are_looked_at():
    cases = []
    for largest in (1, 2, 10, 37, 250, 1000):
        counts = np.unique(np.append(np.geomspace(1, largest, 200).round(), largest)).astype(int)
        cases.append(Case("step_counts", [largest], _thinned(counts.tolist())))
    agree(cases, at_least=6)


def test_tangent_grid():
    rng = np.random.default_rng(13)
    calls, cases = [], []
    for _ in range(24):
        values = spectrum(rng, 60, zeros=False)
        n = max(round(values.size * 10 ** rng.uniform(0.1, 1.5)), 2) if rng.random() < 0.4 else None
        low = 0.0 if rng.random() < 0.2 else float(10 ** rng.uniform(-3.0, -1.0))
        calls.append([values, int(10 ** rng.uniform(0.0, 1.6)), low, 80.0, n])
    for _ in range(20):
        variance, steps = float(10 ** rng.uniform(-2.0, 2.0)), int(10 ** rng.uniform(0.0, 2.0))
        expected = tangent_noises(steps, variance, 0.01, 50.0)
        cases.append(Case("tangent_noises", [steps, variance, 0.01, 50.0], expected))
        cases.append(Case("tangent_grid", [[variance] * 3, steps, 0.01, 50.0], expected))
    found = evaluate([("tangent_grid", call) for call in calls])
    for (values, steps, low, high, n), noises in zip(calls, found, strict=True):
        expected = theory.tangent_grid(values, steps, low, high, n_train=n)
        modes = Modes.of(values) if n is None else _of_points(values, n, low)
        # Both end at the least loss, which is flat: the levels have half of its digits.
        loss, least = (grid_loss(np.array(grid, float), modes) for grid in (noises, expected))
        assert loss <= least + 1e-9 * abs(least)
        assert noises == pytest.approx(expected, rel=1e-4)
        if n is None:
            cases.append(Case("grid_kl", [expected, values], least))
    agree(cases, at_least=50)


@pytest.mark.parametrize("arguments", [[[1.0], 3, "dpm"], [[1.0], 3, "ddim", "line"]])
def test_unknown_names(arguments):
    with pytest.raises(AssertionError, match=r"RangeError.*expected one of"):
        evaluate([("sampler_quality", arguments)])
