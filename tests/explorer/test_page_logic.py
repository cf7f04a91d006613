"""What the page computes without a browser: addresses, commands, turns; its modules under node."""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from tests.explorer.charts import tick_value
from tests.explorer.golden import MODULES, node_output
from tests.explorer.test_live_simulation import simulated
from tests.explorer.test_page import eigenvalues, rounded

from ornstein import Gaussian, OneStepDenoiser, theory
from ornstein.cli.main import _parse
from ornstein.data.spectra import read_spectrum
from ornstein.explorer.bundle import joined_modules
from ornstein.intervals import wilson_interval

if TYPE_CHECKING:
    from pathlib import Path

PAGE = MODULES.parent / "page"


def run(script: str, given: Any = None) -> Any:
    """What a script gives to `answer`; it has `load(module)` and `given`."""
    head = (
        f"const load = (name) => import(`{PAGE.as_uri()}/${{name}}.js`);\n"
        f"const given = {json.dumps(given)};\n"
        "const answer = (value) => process.stdout.write(JSON.stringify(value, (_, v) =>"
        " ArrayBuffer.isView(v) ? Array.from(v) : v));\n"
    )
    return json.loads(node_output(["--input-type=module"], head + script))


CHANGED = {
    "d": 16, "ratio_n": 3.5, "T": 0.55, "noise": 2.5, "exponent": 0.35, "ratio": 4.5, "share": 0.25,
    "S": 8, "seed": 12, "spectrum": "two-level", "sampler": "heun", "grid": "karras",
    "schedule": "cosine", "detail": "full", "theme": "dark",
}  # fmt: skip


def test_every_control_comes_back_from_the_address() -> None:
    states = [{name: value} for name, value in CHANGED.items()]
    states += [CHANGED, {"spectrum": "list", "list": [5, 2, 1, 0.5]}]
    found = run(
        """const { default_state, read_address, written_address } = await load("state");
        for (const defaults of [default_state(), default_state({ T: 0.3, sampler: "ddim" })]) {
          for (const changes of given) {
            const state = default_state({ ...defaults, ...changes });
            const address = written_address(state, defaults);
            const back = read_address(address, defaults);
            for (const name in state) {
              const same = String(back[name]) === String(state[name]);
              if (!same) throw new Error(`${name}: ${address}`);
            }
          }
        }
        answer(Object.keys(default_state()).sort());""",
        states,
    )
    # Whatever else becomes a part of the state stands here, too.
    assert found == sorted([*CHANGED, "list"])


SETTINGS: list[dict[str, Any]] = [
    {"spectrum": "isotropic", "d": 9, "ratio_n": 3, "T": 0.7, "noise": 0.4, "seed": 5},
    {"d": 16, "ratio_n": 2, "T": 0.7, "noise": 0.4, "exponent": 0.5, "seed": 5, "S": 7},
    {"spectrum": "two-level", "ratio": 5, "share": 0.3, "d": 9, "ratio_n": 4, "sampler": "heun"},
    {"spectrum": "list", "list": [4, 2, 1], "ratio_n": 6, "sampler": "euler", "grid": "karras"},
    {"d": 9, "ratio_n": 3, "sampler": "ddim", "schedule": "cosine", "S": 11},
]


@pytest.fixture(scope="module")
def copies() -> list[dict[str, Any]]:
    """Commands and Python of each panel at each setting, and its state."""
    return run(
        """const { COPIES, sampler_schedule } = await load("commands");
        const { default_state, training_size } = await load("state");
        const { population_eigenvalues } = await load("spectra");
        answer(given.map((changes) => {
          const state = default_state(changes);
          const made = Object.entries(COPIES).map(([name, make]) => [name, make(state)]);
          return {
            state, n: training_size(state), schedule: sampler_schedule(state),
            values: population_eigenvalues(state),
            ...Object.fromEntries(made),
          };
        }));""",
        SETTINGS,
    )


@pytest.mark.parametrize("place", range(len(SETTINGS)))
def test_commands_have_all_of_the_state(copies: list[dict[str, Any]], place: int) -> None:
    found = copies[place]
    state, n = found["state"], found["n"]
    expected = eigenvalues(state)
    assert found["values"] == pytest.approx(expected.tolist(), rel=1e-12)

    def options(panel: str) -> dict[str, str]:
        words = found[panel]["command"].split()
        _parse(words[1:])
        first = next(k for k, word in enumerate(words) if word.startswith("--"))
        return dict(zip(words[first::2], words[first + 1 :: 2], strict=True))

    one, many = options("distances"), options("simulation")
    for given in (one, many):
        assert (float(given["--time"]), float(given["--noise-scale"])) == (
            state["T"],
            state["noise"],
        )
    assert (one["--n-train"], many["--train-sizes"], many["--mean"]) == (str(n), str(n), "0")
    steps, asked = options("steps"), options("membership")
    assert float(steps["--points-per-dimension"]) * len(expected) == pytest.approx(n)
    assert steps["--samplers"] == state["sampler"]
    which = "--ode-schedule" if state["sampler"] in {"heun", "euler"} else "--schedule"
    assert steps[which] == found["schedule"]
    assert asked["--n-train"] == str(n)
    for given in (one, many, steps, asked):
        name = given.get("--spectrum", "isotropic")
        dim = int(given["--dim"]) if "--dim" in given else None
        values = read_spectrum(name, dim)
        assert given.get("--std", "1") == "1"
        assert (values / values.mean()).tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def asked(python: str) -> dict[str, dict[str, Any]]:
    """Arguments of the functions of `theory` that Python calls, by their names."""
    found: dict[str, dict[str, Any]] = {}

    def recorder(name: str) -> Any:
        signature = inspect.signature(getattr(theory, name))

        def record(*given: Any, **named: Any) -> Any:
            found[name] = dict(signature.bind(*given, **named).arguments)
            return MagicMock()

        return record

    with pytest.MonkeyPatch.context() as patch:
        for name in re.findall(r"theory\.(\w+)", python):
            patch.setattr(theory, name, recorder(name))
        exec(python, {})
    return found


@pytest.mark.parametrize("place", range(len(SETTINGS)))
def test_python_has_all_of_the_state(
    copies: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], place: int
) -> None:
    found = copies[place]
    state, n = found["state"], found["n"]
    values = eigenvalues(state)
    d, noising = len(values), {"time": state["T"], "noise_scale": state["noise"]}
    how = {"sampler": state["sampler"], "schedule": found["schedule"]}
    of_points = {"eigenvalues": pytest.approx(values), "n_train": n}
    distances = asked(found["distances"]["python"])
    spectrum = asked(found["spectrum"]["python"])
    if state["spectrum"] == "isotropic":
        assert distances == {"one_step": {"dim": d, "n_train": n, **noising}}
        law = theory.one_step(d, n, **noising)
        shape = {
            "aspect_ratio": d / (n - 1),
            "signal_fraction": pytest.approx(float(law.signal_fraction), rel=1e-12),
        }
        assert spectrum["one_step_support"] == shape
        points = spectrum["one_step_spectrum"].pop("s")
        assert spectrum["one_step_spectrum"] == shape
        assert (points[0], points[-1]) == (0.05, 2.0)
    else:
        assert distances == {"one_step_anisotropic": of_points | noising}
        assert spectrum == {"one_step_anisotropic_support": of_points | noising}
    assert asked(found["membership"]["python"]) == {"most_revealing_noise": of_points}
    assert asked(found["steps"]["python"]) == {
        "sampler_quality": {**of_points, **how, "n_steps": state["S"]},
        "best_steps": of_points | how,
    }
    capsys.readouterr()
    exec(found["samples"]["python"], {})
    size, trace = capsys.readouterr().out.rsplit(maxsplit=1)
    assert size == f"(9, {d})"
    train = Gaussian(np.zeros(d), values).sample(n, rng=state["seed"])
    model = OneStepDenoiser(**noising, random_state=state["seed"]).fit(train)
    assert float(trace) == pytest.approx(model.generated_law_.covariance.trace / values.sum())


def test_panels_take_turns() -> None:
    """No frame begins a panel after its end, and none waits for more than one frame."""
    found = run(
        """const { Turns } = await load("turns");
        let now = 0;
        const calls = [];
        const panel = (name, cost) => ({
          update: () => {
            now += cost;
            return calls.at(-1).push(name) > 0;
          },
        });
        const panels = [panel("a", 12), panel("b", 12), panel("c", 1), panel("d", 1)];
        const turns = new Turns(() => now);
        const frame = (shown) => {
          calls.push([]);
          return turns.update(shown, {}, now + 18);
        };
        const done = [frame(panels), frame(panels), frame(panels.slice(0, 2)), frame([])];
        calls.push([]);
        const slow = turns.update([panel("e", 40), panel("f", 1)], {}, now);
        answer({ calls, done, slow, left: turns.waiting.length });"""
    )
    assert found["calls"] == [["a", "b"], ["c", "d", "a", "b"], ["a", "b"], [], ["e"]]
    assert found["done"] == [False, True, True, True]
    assert (found["slow"], found["left"]) == (False, 1)


def test_numbers_on_axes_read_back() -> None:
    values = [0, 0.002, -0.5, 99999, 1e5, 1e-4, 5e-4, 2.5e-12, 3e20]
    values += [factor * 10.0**power for power in range(-9, 15) for factor in (1, 2, 5)]
    texts, ticks = run(
        """const { round_linear, round_logarithmic, tick_text } = await load("axes");
        answer([given.map(tick_text), [
          round_linear(0.3, 0.38, 6), round_linear(-0.2, 31, 6), round_logarithmic(0.9, 110, 8),
          round_logarithmic(2, 3e9, 5), round_logarithmic(190, 310, 6),
        ]]);""",
        values,
    )
    assert texts[:9] == [
        "0", "0.002", "\u22120.5", "99999", "10\u2075", "10\u207b\u2074", "5\u00b710\u207b\u2074",
        "2.5\u00b710\u207b\u00b9\u00b2", "3\u00b710\u00b2\u2070",
    ]  # fmt: skip
    assert [tick_value(text) for text in texts] == pytest.approx(values, rel=1e-9)
    ends = [(0.3, 0.38), (-0.2, 31), (0.9, 110), (2, 3e9), (190, 310)]
    for (low, high), found in zip(ends, ticks, strict=True):
        assert 2 <= len(found) <= 8
        assert found == sorted(set(found))
        assert low <= found[0] < found[-1] <= high


def test_numbers_are_written_and_shares_have_intervals_as_in_the_package() -> None:
    values = [1e-5, 0.00123456, 0.5, 9.996, 31.4159, 999.4, 1234.6, 99999.0, 123456.7, 3.2e9]
    counts = [(0, 10), (3, 10), (10, 10), (57, 100)]
    found = run(
        """const texts = await load("number_texts");
        answer({
          numbers: given[0].map((value) => texts.number_text(value)),
          short: [2, 0.1 + 0.2, 1e-7, 120].map(texts.short_text),
          edges: [[999.7, 3], [99.7, 2], [0.99996, 4]].map((pair) => texts.number_text(...pair)),
          special: [0, NaN, Infinity, -Infinity, -2.5].map((value) => texts.number_text(value)),
          hellinger: [1, 0.5, 0.999, 1 - 1.2e-5, 1 - 1e-13].map(texts.hellinger_text),
          intervals: given[1].map(([k, n]) => texts.wilson_interval(k, n)),
          none: texts.wilson_interval(0, 0),
        });""",
        [values, counts],
    )
    assert found["numbers"] == [rounded(value) for value in values]
    assert found["edges"] == ["1000", "100", "1.000"]
    assert found["short"] == ["2", "0.3", "1e-7", "120"]
    assert found["special"] == ["0", "unknown", "infinite", "\u2212infinite", "\u22122.50"]
    assert found["hellinger"] == [
        *("1", "0.500", "0.999", "1 \u2212 1.2e-5", "1 \u2212 less than 1e-12")
    ]
    for (k, n), ends in zip(counts, found["intervals"], strict=True):
        assert ends == pytest.approx(wilson_interval(k, n))
    assert found["none"] == [0, 1]


def test_least_values_are_found() -> None:
    found = run(
        """const { least_between, least_point } = await load("../mathematics/minimization");
        const between = [0.3, -7.9, 7.5].map((goal) =>
          least_between((x) => Math.abs(x - goal) ** 1.5, -8, 8));
        const rosenbrock = ([x, y]) => [
          (1 - x) ** 2 + 100 * (y - x * x) ** 2,
          [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
        ];
        const { x, value } = least_point(rosenbrock, [-1.2, 1]);
        answer({ between, x, value });""",
    )
    assert found["between"] == pytest.approx([0.3, -7.9, 7.5], abs=3e-8)
    assert found["x"] == pytest.approx([1.0, 1.0], abs=1e-7)
    assert 0 <= found["value"] < 1e-14


def code(path: Path) -> str:
    """A module without its comments and imports."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"^import .*?;$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def test_the_page_has_no_function_that_nothing_calls() -> None:
    paths = sorted([*PAGE.glob("*.js"), *MODULES.glob("*.js")])
    joined = "".join(joined_modules(PAGE / f"{name}.js") for name in ("main", "worker_entry"))
    left_out = [p.name for p in paths if f"// {p.parent.name}/{p.name}\n" not in joined]
    assert left_out == []
    texts = {path: code(path) for path in paths}
    words = Counter(word for text in texts.values() for word in re.findall(r"\w+", text))
    declared = r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)"
    unused = [
        (path.name, name)
        for path, text in texts.items()
        for name in re.findall(declared, text, re.MULTILINE)
        if words[name] < 2
    ]
    assert unused == []


def test_points_of_the_images_have_seeds_of_their_own() -> None:
    task = {"eigenvalues": [1.0] * 8, "time": 1.0, "noise_scale": 1.0}
    first, other, few = (
        simulated({**task, "seed": seed}, [n], 0)["draw"]
        for seed, n in ((3, 400), (4, 400), (3, 40))
    )
    kinds = ("train", "generated", "fresh")
    for name in kinds:
        assert np.corrcoef(first[name], other[name])[0, 1] == pytest.approx(0.0, abs=0.29)
    # Fresh points do not depend on n; those of a kind say nothing of another.
    assert first["fresh"] == few["fresh"]
    assert first["train"] == few["train"]
    pairs = [("train", "generated"), ("train", "fresh"), ("generated", "fresh")]
    for a, b in pairs:
        assert np.corrcoef(first[a], first[b])[0, 1] == pytest.approx(0.0, abs=0.29)
    for name in kinds:
        assert np.std(first[name]) == pytest.approx(1.0, abs=0.4)
