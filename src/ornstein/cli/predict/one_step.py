"""Predictions on Halder's one-step linear denoiser."""

from __future__ import annotations

__all__ = ["one_step", "spectrum"]

import inspect
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ornstein import theory
from ornstein.cli.parsing import UsageError, integers, reals
from ornstein.cli.predict.spectra import described, outside, population_spectrum, scaled_to
from ornstein.reports.charts import Mark, density
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array

_DATA = (
    "For a Gaussian of this covariance. KL and Hellinger^2 of other data depend on the directions "
    "that hardly vary, where data are least Gaussian; trace and Wasserstein^2 do not."
)
_START = (
    "Sampling starts from the population's variance here; the theory of ornstein linear counts "
    "that it starts from that of the training set, a correction of relative order 1/n or less."
)
_CUT = "Given up to 10: the support has no end."
_SINGLE = ("signal_fraction", "threshold", "kl_infinite_data")
_ISOTROPIC = """
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
    """
_ANY = """
    n_train              n              training size
    kl                   KL, nats       expected KL(generated || population), total
        infinite for n - 1 below the rank of Sigma or within 1 of d
    wasserstein_squared  Wasserstein^2  expected W_2^2, in squared data units
        infinite for n - 1 within 1 of d: it has no expectation
    hellinger_squared    Hellinger^2    1 - expected affinity, from 0 to 1
    trace                tr ratio       expected tr Sigma_G / tr Sigma
        infinite for n - 1 within 1 of d: it has no expectation
    log_det              ln det         expected ln det(Sigma^-1 Sigma_G), total
        infinite for n - 1 below the rank of Sigma
    """


def one_step(
    dim: int | None = None,
    n_train: str = "25:1000:25",
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float | None = None,
    spectrum: str = "isotropic",
) -> Prediction:
    """One-step linear denoiser: expected distances at training sizes n.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    std : float
        scales the population to the mean variance std^2; by default eigenvalues are as given
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    """
    sizes = integers(n_train, "n-train")
    given = population_spectrum(spectrum, dim)
    # Equal eigenvalues have closed forms: no expansion in what differs.
    if str(spectrum).strip() == "isotropic":
        return _isotropic(given.size, sizes, time, noise_scale, 1.0 if std is None else std)
    values = given if std is None else given / given.mean() * std**2
    law = theory.one_step_anisotropic(values, sizes[0], time, noise_scale)
    fractions, threshold, limit = (getattr(law, name) for name in _SINGLE)
    total, d = float(values.sum()), values.size

    def distances(n: Array) -> dict[str, Array]:
        law = theory.one_step_anisotropic(values, n, time, noise_scale)._asdict()
        return {name: found for name, found in law.items() if name not in _SINGLE}

    named = str(spectrum).strip().startswith("power-law") or "," in str(spectrum)
    where = "infinite: eigenvalues are 0" if math.isinf(threshold) else f"{threshold:.2f}"
    prediction = swept(
        f"One-step linear denoiser, {described(given, spectrum)}, mean variance "
        f"{total / d:.6g}, T = {time:g}, noise scale {noise_scale:g}\n"
        f"rho2 from {fractions.min():.6f} to {fractions.max():.6f}, n* = {where}, "
        f"KL at infinite n = {limit:.5f} nats",
        {"dim": d, "spectrum": str(spectrum), "std": math.sqrt(total / d)}
        | {"time": time, "noise_scale": noise_scale, "eigenvalues": values}
        | {"signal_fraction": fractions, "threshold": threshold, "kl_infinite_data": limit},
        sizes,
        distances,
        _ANY,
        lambda law: {
            "KL(gen||pop) / d, nats": law["kl"] / d,
            r"$W_2^2 / \mathrm{tr}\,\Sigma$": law["wasserstein_squared"] / total,
        },
        y_label="distance to the population",
        dim=d,
        least=2,
        marks=[] if math.isinf(threshold) else [Mark("n*", threshold)],
    )
    return replace(prediction, notes=[_START] if named else [_START, _DATA])


def _isotropic(
    dim: int, sizes: tuple[int, ...], time: float, noise_scale: float, std: float
) -> Prediction:
    law = theory.one_step(dim, sizes[0], time, noise_scale, std)
    rho2, threshold, limit = (getattr(law, name) for name in _SINGLE)

    def distances(n: Array) -> dict[str, Array]:
        law = theory.one_step(dim, n, time, noise_scale, std)._asdict()
        return {name: values for name, values in law.items() if name not in _SINGLE}

    return swept(
        f"One-step linear denoiser on N(m, {std:g}^2 I), d = {dim}, T = {time:g}, "
        f"noise scale {noise_scale:g}\n"
        f"rho2 = {rho2:.6f}, n* = {threshold:.2f}, KL at infinite n = {limit:.5f} nats",
        {"dim": dim, "time": time, "noise_scale": noise_scale, "std": std}
        | {"signal_fraction": rho2, "threshold": threshold, "kl_infinite_data": limit},
        sizes,
        distances,
        _ISOTROPIC,
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
    aspect_ratio: float | None = None,
    signal_fraction: float | None = None,
    s: str | None = None,
    spectrum: str = "isotropic",
    dim: int | None = None,
    n_train: int = 200,
    time: float = 2.0,
    noise_scale: float = 1.0,
    relative_to: Literal["population", "scale"] = "population",
    std: float | None = None,
) -> Prediction:
    """One-step linear denoiser: density of the singular values of what it generates.

    Isotropic: of Sigma_G^(1/2) / sigma, for many dimensions at an aspect ratio. Of another
    spectrum: of Sigma^(-1/2) Sigma_G^(1/2), or of Sigma_G^(1/2) over the root of the mean variance.
    Below n = d the density is that of the non-zero ones.

    Parameters
    ----------
    aspect_ratio : float
        d / (n - 1), for isotropic, by default 0.8 (elsewhere give dim and n-train)
    signal_fraction : float
        rho2 = 1 / (1 + noise_scale (1 - e^(-2T)) / std^2), for isotropic, by default 0.504621
    s : str
        where to evaluate it: start:stop:step or a comma list; by default over the support
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    dim : int
        dimension d, by default 100; not for isotropic
    n_train : int
        training size n; not for isotropic
    time : float
        diffusion time T; not for isotropic
    noise_scale : float
        noise scale; not for isotropic
    relative_to : str
        population or scale: what the singular values are relative to; not for isotropic
    std : float
        scales the population to the mean variance std^2; not for isotropic
    """
    import numpy as np

    given: dict[str, Any] = {
        "dim": dim,
        "n_train": n_train,
        "time": time,
        "noise_scale": noise_scale,
        "relative_to": relative_to,
        "std": std,
    }
    equal = str(spectrum).strip() == "isotropic"
    ratios = {"aspect_ratio": aspect_ratio, "signal_fraction": signal_fraction}
    _refuse_others(given if equal else ratios, "isotropic" if equal else "another spectrum")
    if not equal:
        return _any_spectrum(spectrum, s, **given)

    aspect_ratio = 0.8 if aspect_ratio is None else aspect_ratio
    signal_fraction = 0.504621 if signal_fraction is None else signal_fraction
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
        [_CUT] if endless and s is None else outside(points, low, high),
    )


def _refuse_others(options: dict[str, Any], kind: str) -> None:
    """Options that count for the other kind of population must not have been given."""
    for name, value in options.items():
        if value != inspect.signature(spectrum).parameters[name].default:
            raise UsageError(
                f"--{name.replace('_', '-')}: given {value}, which does not count for {kind}: "
                "leave it out, or change --spectrum"
            )


def _any_spectrum(
    spectrum: str,
    s: str | None,
    *,
    dim: int | None,
    n_train: int,
    time: float,
    noise_scale: float,
    relative_to: Literal["population", "scale"],
    std: float | None,
) -> Prediction:
    import numpy as np

    values = population_spectrum(spectrum, dim, std)
    given = values, n_train, time, noise_scale
    support = theory.one_step_anisotropic_support(*given, relative_to=relative_to)
    # With as many points as dimensions the support has no end.
    endless = n_train - 1 == values.size
    low, high = float(support[0, 0]), 10.0 if endless else float(support[-1, 1])
    points = np.linspace(max(low, 1e-3 * high), high, 21) if s is None else np.array(reals(s, "s"))

    def found(s: Array) -> Array:
        return theory.one_step_anisotropic_spectrum(s, *given, relative_to=relative_to)

    whitened = relative_to == "population"
    what = "Sigma^(-1/2) Sigma_G^(1/2)" if whitened else "Sigma_G^(1/2), over std"
    unit = "the population's std" if whitened else "the root of the mean variance"
    label = r"$\Sigma^{-1/2}\, \Sigma_G^{1/2}$" if whitened else r"$\Sigma_G^{1/2}$ / std"
    ends = [f"{left:.6g} to {right:.6g}" for left, right in support.tolist()]
    if endless:
        ends[-1] = f"{support[-1, 0]:.6g} to infinity"
        support = np.array([*support[:-1], [support[-1, 0], np.inf]])
    parts = ", ".join(ends)
    return Prediction(
        f"One-step linear denoiser: singular values s of {what}\n"
        f"{described(values, spectrum, std)}, n = {n_train}, T = {time:g}, noise scale "
        f"{noise_scale:g}, support from {parts}",
        {"dim": values.size, "spectrum": str(spectrum), "n_train": n_train, "time": time}
        | {"noise_scale": noise_scale, "relative_to": relative_to, "support": support}
        | scaled_to(std),
        f"""
        s        s        singular value, in units of {unit}
        density  density  of the singular values that are not 0; its mass is 1
        """,
        {"s": points, "density": found(points)},
        lambda: density(low, high, points, found, f"singular value of {label}"),
        [_CUT] if endless and s is None else [] if endless else outside(points, low, high),
    )
