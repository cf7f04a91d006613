"""Quality against the number of steps: an independent recursion, limits, orders, inequalities."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein import Gaussian
from ornstein.denoisers.linear import LinearDiffusion, empirical_law
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule
from ornstein.gaussians import hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.theory.linear_denoisers.sampling import convergence_order, sampler_quality

SPECTRUM = np.array([4.0, 1.0, 0.2])
NAMES = ["ddpm", "ddpm:large", "ddim", "ddim:0.5", "euler", "heun"]


def textbook(name: str, betas: list[float], variance: float, m: float) -> tuple:
    """Mean and variance of one mode by the published update formulas, in 40 digits."""
    alpha_bar, product = [], mpmath.mpf(1)
    for beta in betas:
        product *= 1 - mpmath.mpf(beta)
        alpha_bar.append(product)
    mean, var = mpmath.mpf(0), mpmath.mpf(1)
    for k in reversed(range(len(betas))):
        now, before = alpha_bar[k], alpha_bar[k - 1] if k else mpmath.mpf(1)
        beta = 1 - now / before
        total = now * variance + 1 - now
        # E[x_0 | x_k] = c0 + c1 x_k.
        c1 = mpmath.sqrt(now) * variance / total
        c0 = m * (1 - now) / total
        if name.startswith("ddpm"):  # eq. 7 of Ho et al.
            to_clean = mpmath.sqrt(before) * beta / (1 - now)
            to_point = mpmath.sqrt(1 - beta) * (1 - before) / (1 - now)
            noise = beta * (1 - before) / (1 - now) if name == "ddpm" else beta
            noise = noise if k else 0
        else:  # eq. 12 of Song et al., eta = 0
            root = mpmath.sqrt((1 - before) / (1 - now))
            to_clean, to_point = mpmath.sqrt(before) - root * mpmath.sqrt(now), root
            noise = 0
        slope = to_point + to_clean * c1
        mean, var = slope * mean + to_clean * c0, slope**2 * var + noise
    return mean, var


@pytest.mark.parametrize("name", ["ddpm", "ddpm:large", "ddim"])
@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_kl_against_the_published_recursion(name: str, kind: str) -> None:
    m = np.array([3.0, 0.0, -1.0])
    schedule = BetaSchedule(kind, 30)  # type: ignore[arg-type]
    ours = sampler_quality(SPECTRUM, 30, name, schedule, mean=m)
    kl = w2 = mpmath.mpf(0)
    with mpmath.workdps(40):
        for lam, centre in zip(SPECTRUM.tolist(), m.tolist(), strict=True):
            mean, var = textbook(name, schedule.betas().tolist(), lam, centre)
            kl += (var / lam - 1 - mpmath.log(var / lam) + (mean - centre) ** 2 / lam) / 2
            w2 += (mpmath.sqrt(var) - mpmath.sqrt(lam)) ** 2 + (mean - centre) ** 2
    assert ours.kl == pytest.approx(float(kl), rel=1e-11)
    assert ours.wasserstein_squared == pytest.approx(float(w2), rel=1e-11)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", ["standard", "marginal"])
def test_agrees_with_the_estimator_in_any_basis(name: str, start: str) -> None:
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    m = np.array([1.0, -2.0, 0.5])
    population = Gaussian(Q @ m, Q @ np.diag(SPECTRUM) @ Q.T)
    model = LinearDiffusion.from_population(
        population, sampler=name, n_steps=12, schedule="karras", start=start
    )
    ours = sampler_quality(SPECTRUM, 12, name, "karras", mean=m, start=start)  # type: ignore[arg-type]
    law = model.generated_law_
    assert ours.kl == pytest.approx(kl_divergence(law, population), rel=1e-9)
    assert ours.hellinger_squared == pytest.approx(hellinger_squared(law, population), rel=1e-9)
    assert ours.wasserstein_squared == pytest.approx(wasserstein_squared(law, population), rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_of_the_marginal_start(name: str) -> None:
    quality = sampler_quality(SPECTRUM, math.inf, name, "linear", mean=10.0, start="marginal")
    np.testing.assert_allclose(quality, 0, atol=1e-14)
    # Karras' last jump leaves s_min^2/lambda of the variance: for KL, a quarter of its square.
    left = sampler_quality(SPECTRUM, math.inf, name, KarrasSchedule(0.02), start="marginal").kl
    assert left == pytest.approx(0.25 * (0.02**4 / SPECTRUM**2).sum(), rel=0.01)


def test_what_is_left_of_a_wrong_start() -> None:
    """Unit variance, mean 10 in 100 dimensions: the ODE keeps alpha, the SDE alpha^2 of it."""
    alpha2 = BetaSchedule().noise_range().signal ** 2
    for eta in (0.0, 0.3, 1.0):
        quality = sampler_quality(np.ones(100), math.inf, f"ddim:{eta}", mean=10.0)
        assert quality.kl == pytest.approx(0.5 * 100 * 100 * alpha2 ** (1 + eta**2), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_orders_of_convergence(name: str) -> None:
    steps, sampler = [250, 500, 1000], as_sampler(name)
    quality = sampler_quality(SPECTRUM, steps, sampler, KarrasSchedule(), mean=1.0)
    fitted = convergence_order(steps, quality.discretization_squared)
    assert fitted == pytest.approx(sampler.order, abs=0.05)


def test_heun_is_of_first_order_on_a_beta_schedule() -> None:
    """Its last step is Euler's, from s^2 ~ 1/S to 0."""
    errors = []
    for total in (1000, 2000, 4000):
        schedule = BetaSchedule("linear", total, 0.1 / total, 20 / total)
        quality = sampler_quality(SPECTRUM, total, "heun", schedule)
        errors.append(quality.discretization_squared)
    assert convergence_order([1000, 2000, 4000], errors) == pytest.approx(1.0, abs=0.05)


def test_the_small_variance_leaves_out_a_harmonic_sum() -> None:
    """At small noise: beta_k^2 / sigma_k^2 a step, so b ln(S)/S in all, b = S beta_0."""
    lost = []
    for total in (1000, 10_000):
        schedule = BetaSchedule("linear", total, 1.0 / total, 1.0 / total)
        small, large = (
            sampler_quality(np.ones(1), total, name, schedule, start="marginal")
            for name in ("ddpm", "ddpm:large")
        )
        lost.append(total * math.sqrt(small.wasserstein_squared) * 2)  # of the variance
        assert total * math.sqrt(large.wasserstein_squared) * 2 == pytest.approx(1.0, rel=1e-3)
    # exactly with beta^2/sigma^2 times what is left of it at the end, (1 - sigma^2)
    assert lost[1] - lost[0] == pytest.approx(math.log(10), rel=0.01)


@given(
    name=st.sampled_from(["ddpm", "ddim", "ddim:0.2", "ddim:0.8", "euler"]),
    schedule=st.sampled_from(["linear", "scaled_linear", "cosine", "karras"]),
    steps=st.integers(1, 60),
    variance=st.floats(1e-3, 1e3),
)
def test_ancestral_and_first_order_samplers_lose_variance(name, schedule, steps, variance) -> None:
    model = LinearDiffusion.from_population(
        Gaussian(np.zeros(1), [variance]),
        sampler=name,
        n_steps=steps,
        schedule=schedule,
        start="marginal",
    )
    assert model.generated_law_.covariance.trace <= variance * (1 + 1e-9)


@pytest.mark.parametrize("steps", [5, 10, 20, 50, 100])
def test_heun_gains_variance_and_the_large_one_pulls_to_one(steps: int) -> None:
    def gained(variance: float, **parameters) -> float:
        population = Gaussian(np.zeros(1), [variance])
        model = LinearDiffusion.from_population(
            population, n_steps=steps, start="marginal", **parameters
        )
        return model.generated_law_.covariance.trace / variance - 1

    for variance in (0.01, 0.3, 1.0, 30.0):
        assert gained(variance, sampler="heun", schedule="karras") > 0
    assert gained(3.0, sampler="ddpm:large") < 0
    if steps >= 20:
        assert gained(0.3, sampler="ddpm:large") > 0


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 60])
def test_added_variance_helps_at_finite_n(n: int) -> None:
    """The slope of KL in the ridge, averaged over 600 training sets, within 4 standard errors."""
    population = Gaussian.power_law(10, 1.0, mean=2.0)
    eps, rng, slopes = 1e-7, np.random.default_rng(n), []
    for _ in range(600):
        X = population.sample(n, rng)
        ends = [kl_divergence(empirical_law(X, ridge), population) for ridge in (0.0, eps)]
        slopes.append((ends[1] - ends[0]) / eps)
    inverse = (1 / population.covariance.eigenvalues).sum()
    expected = -0.5 * inverse * (10 + 2) / (n - 10 - 2)
    assert abs(np.mean(slopes) - expected) < 4 * np.std(slopes) / np.sqrt(600)


def test_more_steps_of_the_published_schedule_raise_the_quality() -> None:
    """The claim of the published model: T = S, betas 1e-4 to 0.02, N(0, I) start."""
    schedule = BetaSchedule(diffusion_steps=None)
    steps = [10, 30, 100, 200, 400, 1000]
    for name in ("ddpm", "ddim"):
        quality = sampler_quality(np.full(64, 0.04), steps, name, schedule, mean=0.5)
        for distances in quality[:3]:
            assert (np.diff(distances) < 0).all()


def test_shapes() -> None:
    assert isinstance(sampler_quality([1.0, 2.0], 10).kl, float)
    quality = sampler_quality([1.0, 2.0], [[10, 20], [30, math.inf]])
    assert all(field.shape == (2, 2) for field in quality)
    assert quality.kl[1, 0] == sampler_quality([1.0, 2.0], 30).kl
    assert quality.discretization_squared[1, 1] == 0


def test_convergence_order_of_given_numbers() -> None:
    steps = np.array([10, 20, 40, 80, math.inf])
    assert convergence_order(steps, steps**-3.0) == pytest.approx(1.5)
    assert math.isnan(convergence_order([10, math.inf], [1.0, 0.0]))
    # In any order, and without what is zero.
    assert convergence_order([80, 10, 20, 40], [0.0, 1e-2, 0.25e-2, 0.0625e-2]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: sampler_quality([-1.0], 5), "eigenvalues is -1"),
        (lambda: sampler_quality([1.0], 0), "n_steps is 0"),
        (lambda: sampler_quality([1.0], 2000), "2000 sampling steps of 1000"),
        (lambda: sampler_quality([1.0, 1.0], 5, mean=[1.0, 2.0, 3.0]), "mean has 3"),
        (lambda: sampler_quality([1.0], 5, "dpm"), "sampler is 'dpm'"),
        (lambda: sampler_quality([1.0], 5, "ddim", "sine"), "schedule is 'sine'"),
        (lambda: sampler_quality([1.0], 5, start="cold"), "start is 'cold'"),  # type: ignore[arg-type]
    ],
)
def test_bad_input_is_one_clear_line(call, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_half_a_step_is_refused() -> None:
    with pytest.raises(TypeError, match=r"n_steps is 2\.5"):
        sampler_quality([1.0], 2.5)


def test_what_infinitely_many_steps_of_a_beta_schedule_leave_out() -> None:
    """A schedule that grows with S keeps steps of beta_start, too long for narrow modes."""
    growing = BetaSchedule(diffusion_steps=None)
    for variance, left in ((1e-4, 0.109), (0.01, 1.2e-4), (1.0, 4.3e-7)):
        found = sampler_quality([variance], [10_000, np.inf], "ddim", growing, start="marginal").kl
        assert np.asarray(found)[0] == pytest.approx(left, rel=0.01)
        assert np.asarray(found)[1] < 1e-12
    # With as many steps as there are, a fixed schedule is no nearer.
    fixed = sampler_quality([1e-4], [1000, np.inf], "ddim", "linear", start="marginal").kl
    assert np.asarray(fixed)[0] == pytest.approx(0.1125, abs=1e-4)
    assert np.asarray(fixed)[1] < 1e-12
    karras = sampler_quality([1e-4], [10_000, np.inf], "euler", "karras", start="marginal").kl
    assert np.asarray(karras)[0] == pytest.approx(np.asarray(karras)[1], rel=0.06)
    for schedule, steps in ((growing, 80_000), (BetaSchedule(diffusion_steps=10**6), 10)):
        with pytest.raises(ValueError, match=r"steps with betas up to 0\.02 leave no signal"):
            sampler_quality([1.0], steps, "ddim", schedule)
