"""The page's samplers, schedules and steps against `theory` and `diffusion`."""

import numpy as np
import pytest
from tests.explorer.golden import Case, agree, evaluate
from tests.explorer.populations import spectrum

from ornstein import theory
from ornstein.diffusion import schedules
from ornstein.diffusion.affine_propagation import generated_modes, limit_response, sampler_response
from ornstein.diffusion.grids import Modes, grid_loss, tangent_noises
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
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
            levels = as_schedule(name).levels(count)
            expected = {"signal": levels.signal, "noise": levels.noise}
            cases.append(Case("noise_levels", [name, count], expected))
    for name in SCHEDULES:
        ends = as_schedule(name).noise_range()._asdict()
        cases.append(Case("noise_range", [name], ends))
    agree(cases, at_least=100)


def draw(rng: np.random.Generator) -> tuple[str, str, str]:
    """Sampler, schedule and start."""
    names = SAMPLERS, SCHEDULES, ("standard", "marginal")
    return tuple(str(rng.choice(choice)) for choice in names)  # type: ignore[return-value]


def test_what_a_sampler_makes_of_modes():
    rng = np.random.default_rng(11)
    cases = []
    for _ in range(250):
        sampler, schedule, start = draw(rng)
        count = np.inf if rng.random() < 0.3 else int(10 ** rng.uniform(0.0, 3.0))
        variance = 10 ** rng.uniform(-4.0, 3.0, 6) * np.exp(1j * rng.uniform(0.0, 2.0, 6))
        variance[:2] = variance[:2].real.clip(0.0)  # a real one, and at times 0
        how, levels = as_sampler(sampler), as_schedule(schedule)
        if count == np.inf:
            signal, noise_std, _ = ends = levels.noise_range()
            response = limit_response(ends, variance, how.eta)
        else:
            trajectory = how.trajectory(levels.levels(count))
            signal, noise_std = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
            response = sampler_response(trajectory, variance)
        found = generated_modes(response, signal, noise_std, variance, start)  # type: ignore[arg-type]
        size = np.abs(found.variance).max()
        arguments = [
            sampler,
            schedule,
            count,
            {"re": variance.real.tolist(), "im": variance.imag.tolist()},
            start,
        ]
        for part, values in (("fraction", found.mean_fraction), ("variance", found.variance)):
            expected = {"re": values.real, "im": values.imag}
            cases.append((part, arguments, expected, max(size, 1.0)))
    results = evaluate([("generated_modes", arguments) for _, arguments, _, _ in cases])
    for (part, arguments, expected, size), result in zip(cases, results, strict=True):
        for name, values in expected.items():
            found = np.array(result[part][name], dtype=float)
            assert found == pytest.approx(values, rel=1e-9, abs=1e-9 * size), (part, arguments)


def test_kl_of_the_model_of_n_points():
    rng = np.random.default_rng(12)
    cases = []
    for _ in range(50):
        values = spectrum(rng, 80, decades=3.0)
        d = values.size
        n = d + int(rng.integers(-1, 4)) if rng.random() < 0.2 else 0
        n = n or round(d * 10 ** rng.uniform(-0.5, 1.7))
        n = max(n, 2)
        names = draw(rng)
        sampler, schedule, start = as_sampler(names[0]), as_schedule(names[1]), names[2]
        steps = [int(10 ** rng.uniform(0.0, 2.5)), np.inf]
        model = FittedSampler(values, np.zeros(d), n, sampler, schedule, start)  # type: ignore[arg-type]
        expected = [model.law(count).kl() for count in steps]
        cases.append(Case("kl_of_points", [values, n, steps, *names], expected, 1e-6 * d))
    agree(cases, at_least=50)


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
        parts = {name: getattr(modes, name).tolist() for name in ("variances", "counts", "targets")}
        cases.append(Case("grid_loss", [expected, parts], least, 1e-6 * modes.counts.sum()))
    agree(cases, at_least=50)


@pytest.mark.parametrize("arguments", [["dpm", "linear"], ["ddim", "line"]])
def test_unknown_names(arguments):
    with pytest.raises(AssertionError, match=r"RangeError.*expected one of"):
        evaluate([("kl_of_points", [[1.0], 9, [3], *arguments])])
