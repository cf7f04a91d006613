r"""Section 9: samples of the memorizing denoiser, on their way to single training points.

A replicate draws n points, gives them to :class:`~ornstein.denoisers.empirical.EmpiricalDenoiser`,
and runs the reverse process with it: :data:`_SAMPLES` samples start as noised draws of the
population at EDM noise ``s_0`` and go down a geometric sequence of noises by

    y <- D(y) + (s'/s)^2 (y - D(y)) + s' sqrt(1 - (s'/s)^2) z,

which is the reverse transition of the noising exactly once one training point has all the weight.

*Collapse.* Measured is the median over samples of the OU time from which on the largest posterior
weight stays above 1/2. The closed form is that of :mod:`ornstein.verification.regimes`, with the
same allowance of one nat of ``ln n``.

*What is generated.* Stopped at a noise s far below the collapse, a sample is a training point plus
``s z``: its mean square distance to the nearest one is ``d s^2``. Of what the samples were above
the collapse, at noise ``s_C``, a part ``(s/s_C)^4`` of that is left.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from itertools import pairwise

import numpy as np

from ornstein import theory
from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.verification.checks import Allowance, Check, Experiment, Setting
from ornstein.verification.regimes import ONE_NAT, SOURCE

_SAMPLES = 24


def simulate_sampling(
    rng: np.random.Generator,
    *,
    dim: int,
    n_train: int,
    steps: int,
    start: float,
    stop: float,
) -> dict[str, float]:
    """When samples fall to one training point, and how far from it they are at the end."""
    points = rng.standard_normal((n_train, dim))
    model = EmpiricalDenoiser().fit(points)
    noises = np.geomspace(start, stop, steps + 1)
    y = np.sqrt(1 + start**2) * rng.standard_normal((_SAMPLES, dim))
    odds = []
    for s, s_next in pairwise(noises):
        model.set_params(noise=s)
        largest = model.concentration(y).largest_weight
        odds.append(np.log(largest) - np.log1p(-np.minimum(largest, 1 - 1e-12)))
        clean = model.predict(y)
        kept = (s_next / s) ** 2
        y = clean + kept * (y - clean) + s_next * np.sqrt(1 - kept) * rng.standard_normal(y.shape)
    distances = nearest_neighbours(y, points, k=1).distances
    return {
        "time": float(np.median(_last_crossings(np.array(odds), np.log(noises[:-1])))),
        "square": float(np.square(distances).mean()),
    }


def _last_crossings(odds: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """OU times at which columns of log odds become positive for good; rows are noises."""
    below = odds < 0
    below[0] = True  # the first noise is far above the collapse
    last = len(odds) - 1 - np.argmax(below[::-1], axis=0)
    last = np.minimum(last, len(odds) - 2)
    column = np.arange(odds.shape[1])
    low, high = odds[last, column], odds[last + 1, column]
    crossing = logs[last] + (logs[last + 1] - logs[last]) * np.clip(low / (low - high), 0, 1)
    return 0.5 * np.log1p(np.exp(2 * crossing))


SAMPLING = Experiment(
    name="samples of the memorizing denoiser",
    simulate=simulate_sampling,
    fast=Setting({"dim": 64, "n_train": 1000, "steps": 40, "start": 16.0, "stop": 0.5}, 30),
    full=Setting({"dim": 96, "n_train": 2000, "steps": 60, "start": 16.0, "stop": 0.25}, 100),
)


def predict_collapse(dim: int, n_train: int, **_: float) -> float:
    """Time ``t_C``."""
    return float(theory.collapse_time(n_train, np.ones(dim)))


def predict_square(dim: int, stop: float, **_: float) -> float:
    """``d s^2``."""
    return dim * stop**2


LEFT = Allowance(
    "(s/s_C)^4 of the prediction",
    "what is left of the samples before the collapse",
    lambda predicted, *, dim, n_train, stop, **_: (
        predicted * stop**4 / np.expm1(2 * predict_collapse(dim, n_train)) ** 2
    ),
)

CHECKS = (
    Check("9", "collapse of samples", SOURCE, SAMPLING, "time", predict_collapse, ONE_NAT),
    Check("9", "|y-x_i|^2, stopped", SOURCE, SAMPLING, "square", predict_square, LEFT),
)
