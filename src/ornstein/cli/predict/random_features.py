"""Predictions on a random-feature score."""

from __future__ import annotations

__all__ = ["random_features"]

from typing import Literal

from ornstein.cli.parsing import as_json, reals
from ornstein.cli.predict.output import draw_curves, print_table


def random_features(
    feature_ratio: str = "0.5,1,2,4,6,8,10,12,16,32,64",
    sample_ratio: float = 8.0,
    time: float = 0.1,
    ridge: float = 1e-3,
    noise_draws: float = 1.0,
    activation: Literal["tanh", "erf", "sign", "identity"] = "tanh",
    plot: str | None = None,
    json: bool = False,
) -> int:
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
    plot : str
        draw the losses against p / d into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    ratios = np.array(reals(feature_ratio, "feature-ratio"))
    options = (sample_ratio, time, ridge, noise_draws, activation)
    train, test = theory.random_feature_losses(ratios, *options)
    constants = theory.activation_constants(activation, time)
    if plot:
        grid = np.geomspace(ratios.min(), ratios.max(), 300)
        draw_curves(
            plot,
            grid,
            theory.random_feature_losses(grid, *options)._asdict(),
            x_label="features per dimension  p / d",
            y_label="score loss / d",
            logarithmic=True,
        )
    if json:
        names = ("sample_ratio", "time", "ridge", "noise_draws", "activation")
        inputs = {**dict(zip(names, options, strict=True)), **constants._asdict()}
        print(as_json({**inputs, "feature_ratio": ratios, "train": train, "test": test}))
        return 0
    print(f"n/d = {sample_ratio:g}, t = {time:g}, ridge {ridge:g}, {noise_draws:g} draw(s) a point")
    mu1, star, kappa = constants
    print(f"{activation}: mu1 = {mu1:.8f}, mu*^2 = {star:.8f}, noise correlation {kappa:.6f}")
    print_table({"p/d": ratios, "train": train, "test": test})
    return 0
