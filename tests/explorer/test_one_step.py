"""The page's one-step model against `theory`, over the whole domain."""

import numpy as np
from tests.explorer.golden import Case, agree
from tests.explorer.populations import spectrum

from ornstein import theory


def sizes(rng: np.random.Generator, largest: float) -> tuple[int, int]:
    """Dimension and number of points, often near n = d."""
    d = round(10 ** rng.uniform(0.0, np.log10(largest)))
    n = round(d * 10 ** rng.uniform(-1.3, 1.7))
    if rng.random() < 0.25:
        n = d + int(rng.integers(-2, 5))
    return d, max(n, 2)


def noises(rng: np.random.Generator) -> tuple[float, float]:
    """Time and noise scale, which may be 0."""
    silent = rng.random() < 0.05
    return float(10 ** rng.uniform(-2.0, 1.0)), 0.0 if silent else float(10 ** rng.uniform(-4, 3))


def one_step_cases(rng: np.random.Generator, count: int, largest: float) -> list[Case]:
    cases = []
    for _ in range(count):
        (d, n), (time, scale) = sizes(rng, largest), noises(rng)
        std = float(10 ** rng.uniform(-2.0, 2.0))
        expected = theory.one_step(d, n, time, scale, std)._asdict()
        # W2 is what is left of the two traces: 1e-11 of them is allowed.
        total = std**2 * d * (1.0 + expected["trace"])
        cases.append(
            Case(
                "one_step",
                [d, n, time, scale, std],
                expected,
                {"wasserstein_squared": 1e-2 * total},
            )
        )
    return cases


def test_isotropic():
    agree(one_step_cases(np.random.default_rng(1), 350, 2000.0), at_least=2800)


def test_isotropic_at_every_n_of_small_dimensions():
    cases = []
    for d in (1, 2, 3, 10):
        for n in range(2, 3 * d + 6):
            expected = theory.one_step(d, n)._asdict()
            cases.append(Case("one_step", [d, n], expected, {"wasserstein_squared": 1e-2 * d}))
    agree(cases, at_least=400)


def test_threshold_function():
    from ornstein.theory.one_step_model.log_determinant import threshold_function

    points = np.linspace(-14.0, 20.0, 400)
    values = np.asarray(threshold_function(points))
    # h crosses zero.
    cases = [Case("threshold_function", [x], h, 0.1) for x, h in zip(points, values, strict=True)]
    agree(cases, at_least=400)


def any_spectrum_cases(rng: np.random.Generator, count: int, largest: int) -> list[Case]:
    cases = []
    for _ in range(count):
        values = spectrum(rng, largest)
        d, rank = values.size, np.count_nonzero(values)
        n = round(d * 10 ** rng.uniform(-1.3, 1.7))
        if rng.random() < 0.3:
            n = (d if rng.random() < 0.7 else rank) + int(rng.integers(-2, 5))
        arguments = [values, max(int(n), 2), *noises(rng)]
        expected = theory.one_step_anisotropic(*arguments)._asdict()
        # What crosses zero, or is a difference: ln det is 0 at n = d + 1, and a sum over modes.
        absolute = {
            "wasserstein_squared": 1e-2 * values.sum() * (1.0 + expected["trace"]),
            "log_det": 1e-3 * (d + 1.0),
            "kl_infinite_data": 1e-6 * d,
        }
        cases.append(Case("one_step_anisotropic", arguments, expected, absolute))
    return cases


def test_any_spectrum():
    agree(any_spectrum_cases(np.random.default_rng(2), 150, 300), at_least=1200)


def test_any_spectrum_in_high_dimension():
    agree(any_spectrum_cases(np.random.default_rng(3), 20, 2000), at_least=150)


def test_one_call_for_a_curve():
    n = [2, 30, 60, 61, 62, 90, 250, 4000]
    values = np.arange(1.0, 61.0) ** -1.5
    expected = theory.one_step_anisotropic(values, n)._asdict()
    agree([Case("one_step_anisotropic", [values, n], expected, 1e-2)], at_least=8)


def test_pieces_that_have_names_of_their_own():
    from ornstein.theory.one_step_model import log_determinant

    rng = np.random.default_rng(4)
    cases = []
    for _ in range(60):
        d, n = sizes(rng, 300.0)
        rho2 = float(1.0 / (1.0 + 10 ** rng.uniform(-3.0, 2.0)))
        arguments = [d, n, rho2]
        log_det = theory.one_step_log_det(*arguments)
        cases += [
            Case("one_step_log_det", arguments, log_det, 1e-3 * d),
        ]
        if n > d + 2:
            for name in ("threshold_distance", "threshold_correction"):
                cases.append(Case(name, arguments, getattr(log_determinant, name)(*arguments), 1.0))
    agree(cases, at_least=100)
