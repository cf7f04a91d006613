"""The best number of steps beside the mean KL of simulated training sets, number by number.

For one training set the law is exact, so that training sets are all that is drawn, and the
difference between two numbers of steps has a small error.
"""

import numpy as np
import pytest
from scipy.stats import wishart

from ornstein.diffusion.affine_propagation import generated_modes, limit_response, sampler_response
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.theory import best_steps

SETS, DIM = 1000, 20
VALUES = np.arange(1, DIM + 1) ** -0.5 / np.mean(np.arange(1, DIM + 1) ** -0.5)


def simulated(n: int, name: str, schedule: str, counts: list[float]) -> np.ndarray:
    """KL of each training set and number of steps, shape (SETS, len(counts))."""
    rng = np.random.default_rng(n)
    covariances = wishart.rvs(n - 1, np.diag(VALUES) / n, size=SETS, random_state=rng)
    means = np.sqrt(VALUES / n) * rng.standard_normal((SETS, DIM))
    x, Q = np.linalg.eigh(covariances)
    along = np.einsum("bij,bi->bj", Q, means)
    inverse = (Q**2 / VALUES[:, None]).sum(axis=1)
    sampler, levels, found = as_sampler(name), as_schedule(schedule), []
    for count in counts:
        if np.isinf(count):
            first = levels.noise_range()
            response = limit_response(first, x.ravel(), sampler.eta)
            start = first.signal, first.noise_std
        else:
            trajectory = sampler.trajectory(levels.levels(int(count)))
            response = sampler_response(trajectory, x.ravel())
            start = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
        modes = generated_modes(response, *start, x.ravel(), "standard")
        f, phi = modes.variance.reshape(x.shape), modes.mean_fraction.reshape(x.shape)
        moved = np.einsum("bij,bj->bi", Q, phi * along)
        twice = (f * inverse - 1 - np.log(f) + np.log(VALUES) + moved**2 / VALUES).sum(axis=1)
        found.append(twice / 2)
    return np.array(found).T


@pytest.mark.parametrize(
    ("name", "schedule", "ratio", "steps", "apart"),
    [
        ("ddpm:large", "linear", 2, 16, 1),
        ("ddpm:large", "linear", 4, 14, 1),
        ("ddpm:large", "linear", 10, 16, 1),
        ("ddpm:large", "linear", 40, 23, 2),
        # The resolution of 1000 training sets; KL is flatter in S, the more points there are.
        ("heun", "karras", 2, 16, 2),
        ("heun", "karras", 4, 22, 3),
        ("heun", "karras", 10, 35, 7),
        ("heun", "karras", 40, 69, 30),
    ],
)
def test_the_best_number_is_that_of_the_simulation(
    name: str, schedule: str, ratio: int, steps: int, apart: int
) -> None:
    best = best_steps(VALUES, ratio * DIM, name, schedule)
    assert best.steps == steps
    kl = simulated(ratio * DIM, name, schedule, [steps, steps - apart, steps + apart, np.inf])
    error = kl.std(axis=0, ddof=1) / np.sqrt(SETS)
    assert abs(kl[:, 0].mean() - best.kl) < 4 * error[0]
    assert abs(kl[:, 3].mean() - best.kl_limit) < 4 * error[3]
    excess = kl[:, 1:] - kl[:, :1]
    assert (excess.mean(axis=0) > 3 * excess.std(axis=0, ddof=1) / np.sqrt(SETS)).all()


@pytest.mark.parametrize("ratio", [2, 40])
def test_a_sampler_that_loses_variance_has_no_best_number(ratio: int) -> None:
    assert best_steps(VALUES, ratio * DIM, "ddim:0.5", "linear").steps == np.inf
    kl = simulated(ratio * DIM, "ddim:0.5", "linear", [np.inf, 5, 30, 100])
    excess = kl[:, 1:] - kl[:, :1]
    assert (excess.mean(axis=0) > 20 * excess.std(axis=0, ddof=1) / np.sqrt(SETS)).all()
