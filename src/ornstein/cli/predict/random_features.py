"""Predictions on a random-feature score."""

from __future__ import annotations

__all__ = ["random_features"]

from typing import Literal

from ornstein import theory
from ornstein.cli.parsing import UsageError, reals
from ornstein.reports.charts import Mark
from ornstein.reports.prediction import Prediction, swept


def random_features(
    feature_ratio: str = "0.5,1,2,4,6,8,10,12,16,32,64",
    sample_ratio: float = 8.0,
    time: float = 0.1,
    ridge: float = 1e-3,
    noise_draws: str = "1",
    activation: Literal["tanh", "erf", "sign", "identity"] = "tanh",
) -> Prediction:
    """Learning curves of a random-feature score, ridge-regularised.

    Parameters
    ----------
    feature_ratio : str
        features per dimension p / d: start:stop:step or a comma list
    sample_ratio : float
        data points per dimension n / d
    time : float
        OU time t
    ridge : float
        ridge lam
    noise_draws : float
        noise draws m of each data point; inf for the average over the noise
    activation : str
        odd activation of the features
    """
    # The command line takes inf for text, not for a number.
    m, *others = reals(noise_draws, "noise-draws")
    if others:
        raise UsageError(f"--noise-draws: given {noise_draws!r}, expected one number >= 1, or inf")
    scalars = {"sample_ratio": sample_ratio, "time": time, "ridge": ridge}
    options = {**scalars, "noise_draws": m, "activation": activation}
    mu1, star, kappa = constants = theory.activation_constants(activation, time)
    average = m == float("inf")
    draws = "averaged over the noise" if average else f"noise draws m = {m:g}"
    marks = [Mark("p = n", sample_ratio)]
    if m > 1 and not average:
        marks.append(Mark("p = n m", sample_ratio * m))

    return swept(
        f"Random-feature score, n/d = {sample_ratio:g}, t = {time:g}, ridge {ridge:g}, {draws}\n"
        f"{activation}: mu1 = {mu1:.8f}, mu*^2 = {star:.8f}, noise correlation {kappa:.6f}",
        {**options, **constants._asdict()},
        reals(feature_ratio, "feature-ratio"),
        lambda ratio: theory.random_feature_losses(ratio, **options)._asdict(),
        """
        feature_ratio  p/d    features per dimension
        train          train  least training objective / d, with its ridge term
        test           test   loss / d on fresh data with fresh noise; the score 0 has 1
        """,
        y_label="score loss / d",
        marks=marks,
    )
