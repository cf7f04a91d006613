"""The page's membership curve and renormalised noise against `theory`."""

import numpy as np
import pytest
from tests.explorer.golden import Case, agree, evaluate
from tests.explorer.populations import spectrum

from ornstein import theory

RATES = [0.0, 1e-6, 0.01, 0.1, 0.5, 1.0]


def test_renormalized_noise():
    rng = np.random.default_rng(5)
    cases = []
    for _ in range(600):
        values = spectrum(rng, 300)
        n = float(np.ceil(values.size * 10 ** rng.uniform(-1.3, 1.7)))
        s2 = 0.0 if rng.random() < 0.1 else float(values.mean() * 10 ** rng.uniform(-6.0, 3.0))
        arguments = [values, s2, n]
        cases.append(Case("renormalized_noise", arguments, theory.renormalized_noise(*arguments)))
    agree(cases, at_least=600)


def test_membership():
    rng = np.random.default_rng(6)
    cases = []
    for _ in range(400):
        values = spectrum(rng, 300)
        n = float(np.ceil(values.size * 10 ** rng.uniform(-1.3, 1.7)))
        s2 = float(values.mean() * 10 ** rng.uniform(-3.0, 2.0))
        found = theory.membership(values, s2, n)
        # The gap, a difference of two terms of the size of 1, crosses zero.
        fields = {"log_gap": 1e-2, "auc": 1e-3}
        cases.append(Case("membership", [values, s2, n], found._asdict(), fields))
        cases += [
            Case("membership_power", [found._asdict(), rate], found.power(rate), 1e-3)
            for rate in RATES
        ]
    agree(cases, at_least=5000)


def test_most_revealing_noise_and_points():
    rng = np.random.default_rng(9)
    cases, calls = [], []
    for _ in range(20):
        values = spectrum(rng, 60)
        n = float(np.ceil(values.size * 10 ** rng.uniform(-1.0, 1.5)))
        calls.append([values, n])
        s2, auc = (
            float(values.mean() * 10 ** rng.uniform(-2.0, 1.0)),
            float(rng.uniform(0.52, 0.95)),
        )
        # Python divides its bracket, in ln n, to 2e-12.
        points = theory.points_for_auc(values, s2, auc)
        cases.append(Case("points_for_auc", [values, s2, auc], points, 1e2 * points))
    found = evaluate([("most_revealing_noise", call) for call in calls])
    for call, result in zip(calls, found, strict=True):
        noise, auc = theory.most_revealing_noise(*call)
        # The maximum is flat: Python's place has 5 digits, its height twice as many.
        assert result["auc"] == pytest.approx(auc, abs=1e-9)
        assert result["auc"] >= auc - 1e-12
        assert result["noise_variance"] == pytest.approx(noise, rel=1e-2)
    agree(cases, at_least=20)
