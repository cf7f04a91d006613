"""Predictions on Halder's one-step linear denoiser."""

from __future__ import annotations

__all__ = ["one_step", "spectrum"]

from typing import TYPE_CHECKING

from ornstein import theory
from ornstein.cli.parsing import integers, reals
from ornstein.cli.predict.spectra import outside
from ornstein.reports.charts import Mark, density
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array


def one_step(
    dim: int = 100,
    n_train: str = "25:1000:25",
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
) -> Prediction:
    """One-step linear denoiser: expected distances at training sizes n.

    Parameters
    ----------
    dim : int
        dimension d
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    std : float
        standard deviation of the isotropic population, in data units
    """
    sizes = integers(n_train, "n-train")
    law = theory.one_step(dim, sizes[0], time, noise_scale, std)
    names = ("signal_fraction", "threshold", "kl_infinite_data")
    rho2, threshold, limit = (getattr(law, name) for name in names)

    def distances(n: Array) -> dict[str, Array]:
        law = theory.one_step(dim, n, time, noise_scale, std)._asdict()
        return {name: values for name, values in law.items() if name not in names}

    return swept(
        f"One-step linear denoiser on N(m, {std:g}^2 I), d = {dim}, T = {time:g}, "
        f"noise scale {noise_scale:g}\n"
        f"rho2 = {rho2:.6f}, n* = {threshold:.2f}, KL at infinite n = {limit:.5f} nats",
        {"dim": dim, "time": time, "noise_scale": noise_scale, "std": std}
        | {"signal_fraction": rho2, "threshold": threshold, "kl_infinite_data": limit},
        sizes,
        distances,
        """
        n_train              n              training size
        kl                   KL, nats       expected KL(generated || population), total
            infinite for n <= d + 2: rank below d, or no expectation
        wasserstein_squared  Wasserstein^2  expected W_2^2, in squared data units
            infinite for n - 1 within 1 of d: it has no expectation
        hellinger_squared    Hellinger^2    1 - expected affinity, from 0 to 1
        trace                tr/(d s^2)     expected tr Sigma_G / (d std^2)
            infinite for n - 1 within 1 of d: it has no expectation
        log_det              ln det         expected ln det(Sigma_G / std^2), total
            infinite for n - 1 < d: rank n - 1
        """,
        lambda law: {
            "KL(gen||pop) / d, nats": law["kl"] / dim,
            r"$W_2^2 / (d\,\sigma^2)$": law["wasserstein_squared"] / (dim * std**2),
        },
        y_label="distance to the population / d",
        dim=dim,
        least=2,
        marks=[Mark("n*", threshold)],
    )


def spectrum(
    aspect_ratio: float = 0.8, signal_fraction: float = 0.504621, s: str | None = None
) -> Prediction:
    """One-step linear denoiser: density of the singular values of Sigma_G^(1/2) / sigma.

    Below n = d the density is that of the non-zero ones.

    Parameters
    ----------
    aspect_ratio : float
        d / (n - 1)
    signal_fraction : float
        rho2 = 1 / (1 + noise_scale (1 - e^(-2T)) / std^2)
    s : str
        where to evaluate it: start:stop:step or a comma list; by default over the support
    """
    import numpy as np

    low, high = theory.one_step_support(aspect_ratio, signal_fraction)
    # With as many points as dimensions the support has no end.
    endless = not np.isfinite(high)
    top = 10.0 if endless else high
    points = np.linspace(low, top, 21) if s is None else np.array(reals(s, "s"))

    def found(s: Array) -> Array:
        return theory.one_step_spectrum(s, aspect_ratio, signal_fraction)

    return Prediction(
        "One-step linear denoiser: singular values s of Sigma_G^(1/2) / sigma\n"
        f"d/(n-1) = {aspect_ratio:g}, rho2 = {signal_fraction:g}, "
        f"support from {low:.6g} to {'infinity' if endless else f'{high:.6g}'}",
        {"aspect_ratio": aspect_ratio, "signal_fraction": signal_fraction, "support": [low, high]},
        """
        s        s        singular value, in units of the population's std
        density  density  of the singular values that are not 0; its mass is 1
        """,
        {"s": points, "density": found(points)},
        lambda: density(low, top, points, found, r"singular value of $\Sigma_G^{1/2} / \sigma$"),
        ["Given up to 10: the support has no end."]
        if endless and s is None
        else outside(points, low, high),
    )
