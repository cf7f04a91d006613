"""Denoisers side by side under attack: the same points for all, theory beside the linear one."""

import numpy as np
import pytest

from ornstein import Gaussian
from ornstein.memorization.attacked_models import attack_models, fit_empirical, fit_linear
from ornstein.memorization.membership import membership_attack
from ornstein.theory import membership

POPULATION = Gaussian.power_law(30, 1.0)


def test_each_denoiser_is_attacked_with_the_same_points():
    seen = []

    def keeping(points):
        seen.append(points)
        return lambda x, s: x / (1 + s**2)

    fits = {"linear": fit_linear, "one": keeping, "two": keeping, "empirical": fit_empirical}
    noises = [0.1, 0.7]
    found = attack_models(fits, POPULATION, 90, noises, held_out=300, random_state=3)
    assert list(found) == list(fits)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert seen[0].shape == (90, 30)
    for name in fits:
        assert found[name].noise.tolist() == noises
    # A denoiser that saw nothing does not leak; one that is its points leaks all.
    assert (found["one"].auc_low < 0.5).all()
    assert (found["one"].auc_high > 0.5).all()
    assert (found["empirical"].auc > 0.99).all()
    np.testing.assert_array_equal(found["one"].auc, found["two"].auc)
    again = attack_models(fits, POPULATION, 90, noises, held_out=300, random_state=3)
    np.testing.assert_array_equal(again["linear"].auc, found["linear"].auc)
    direct = membership_attack(fit_linear(seen[0]), seen[0], seen[0][::-1], noises)
    np.testing.assert_allclose(direct.member_mean, found["linear"].member_mean)


def test_the_rate_is_passed_on():
    found = attack_models(
        {"linear": fit_linear},
        POPULATION,
        60,
        0.3,
        held_out=200,
        false_positive_rate=0.1,
        random_state=0,
    )
    assert 0.08 < found["linear"].false_positive_rate[0] <= 0.1


@pytest.mark.slow
def test_twenty_settings_of_linear_denoisers_within_three_hundredths():
    differences = []
    for exponent in (0.0, 1.0):
        population = Gaussian.power_law(60, exponent)
        spectrum = population.covariance.eigenvalues
        for n in (40, 90, 200, 600, 2000):
            noises = np.sqrt(spectrum.mean() * np.array([0.1, 1.0]))
            sets = max(2, 1200 // n)
            measured = np.mean(
                [
                    attack_models(
                        {"linear": fit_linear},
                        population,
                        n,
                        noises,
                        held_out=1000,
                        random_state=seed,
                    )["linear"].auc
                    for seed in range(sets)
                ],
                axis=0,
            )
            differences += list(measured - membership(spectrum, noises**2, n).auc)
    assert len(differences) == 20
    assert np.abs(differences).max() < 0.03


def test_bad_input():
    with pytest.raises(ValueError, match="n_train is 1, expected at least 2"):
        attack_models({"linear": fit_linear}, POPULATION, 1, 0.3)
    with pytest.raises(ValueError, match="held_out is 1, expected at least 2"):
        attack_models({"linear": fit_linear}, POPULATION, 5, 0.3, held_out=1)
