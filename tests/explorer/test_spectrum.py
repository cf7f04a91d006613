"""The page's density of generated singular values against `theory`."""

import numpy as np
from tests.explorer.golden import Case, agree
from tests.explorer.populations import spectrum

from ornstein import theory


def test_isotropic_density():
    rng = np.random.default_rng(7)
    cases = []
    for _ in range(300):
        g = 1.0 if rng.random() < 0.05 else float(10 ** rng.uniform(-1.7, 1.3))
        rho2 = float(1.0 / (1.0 + 10 ** rng.uniform(-4.0, 2.0)))
        low, high = support = theory.one_step_support(g, rho2)
        top = min(high, 30.0)
        s = np.linspace(0.5 * low, 1.1 * top, 25)
        # Away from the edges, where the density is a root of a difference.
        inside = (np.abs(s - low) > 1e-3 * top) & (np.abs(s - high) > 1e-3 * top)
        s = np.where(inside, s, (low + top) / 2)
        density = theory.one_step_spectrum(s, g, rho2)
        cases += [
            Case("one_step_spectrum", [s, g, rho2], density, 1e-3),
            Case("one_step_support", [g, rho2], list(support)),
        ]
    agree(cases, at_least=600)


def density_cases(rng: np.random.Generator, count: int) -> list[Case]:
    cases = []
    while len(cases) < count:
        values = spectrum(rng, 100)
        n = max(round(values.size * 10 ** rng.uniform(-1.0, 1.3)), 3)
        time, scale = float(10 ** rng.uniform(-1.0, 0.7)), float(10 ** rng.uniform(-1.5, 1.0))
        unit = "population" if rng.random() < 0.5 else "scale"
        s = np.geomspace(0.02, 12.0, 60)
        arguments = [values, n, time, scale]
        density = theory.one_step_anisotropic_spectrum(s, *arguments, relative_to=unit)
        cases.append(Case("one_step_anisotropic_spectrum", [s, *arguments, unit], density, 1e-2))
    return cases


def test_density_of_any_spectrum():
    agree(density_cases(np.random.default_rng(8), 30), at_least=30)
