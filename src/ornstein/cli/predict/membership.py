"""Predictions on membership inference against the best linear denoiser of n points."""

from __future__ import annotations

__all__ = ["membership"]

from typing import TYPE_CHECKING, Any

from ornstein import theory
from ornstein.cli.parsing import UsageError, integers, reals
from ornstein.cli.predict.spectra import described, population_spectrum
from ornstein.reports.charts import Mark
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.reports.charts import Array

_NOISES = "0.001,0.003,0.01,0.03,0.1,0.3,1,3,10"


def membership(
    dim: int | None = None,
    spectrum: str = "isotropic",
    n_train: str = "1000",
    noise_variance: str = _NOISES,
    false_positive_rate: float = 0.01,
    auc_bound: float = 0.55,
) -> Prediction:
    """Who can tell that a point was trained on: AUC and power of an attack on its residual.

    The attack asks the best linear denoiser of n points at a point itself, at EDM noise s, and
    calls it a member if the residual is small. Of one n all columns are shown, of several the AUC.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    n_train : str
        one to five training sizes n, in a comma list
    noise_variance : str
        noise variances s^2, in squared data units: start:stop:step or a comma list
    false_positive_rate : float
        share of others that are called members, where the power is given
    auc_bound : float
        bound on the AUC of which the number of points is given
    """
    values, sizes = population_spectrum(spectrum, dim), integers(n_train, "n-train")
    if len(sizes) > 5:
        raise UsageError(f"--n-train: given {len(sizes)} training sizes, expected at most 5")
    noises = reals(noise_variance, "noise-variance")
    worst = [theory.most_revealing_noise(values, n) for n in sizes]
    bounds = [theory.points_for_auc(values, noise, auc_bound) for noise, _ in worst]
    lines = [f"Membership inference, linear denoisers, {described(values, spectrum)}"]
    # The search ends at 1/1000 of the least eigenvalue.
    edge = 1.01e-3 * float(values[values > 0].min())
    lines += [
        f"n = {n}: largest AUC {auc:.4f} at s^2 = {noise:.4g}{' or less' * (noise < edge)}; "
        f"{auc_bound:g} there at n = {bound:.4g}"
        for n, (noise, auc), bound in zip(sizes, worst, bounds, strict=True)
    ]
    fields = {"dim": values.size, "spectrum": str(spectrum), "n_train": sizes}
    fields |= {"false_positive_rate": false_positive_rate, "auc_bound": auc_bound}
    fields |= {"most_revealing_noise": [noise for noise, _ in worst]}
    fields |= {"largest_auc": [auc for _, auc in worst], "points_for_auc": bounds}
    one = len(sizes) == 1
    found = _of_one(values, sizes[0], false_positive_rate) if one else _of_many(values, sizes)
    legend = (
        _ONE.format(rate=100 * false_positive_rate)
        if one
        else _MANY
        + "\n".join(
            f"auc_{n}  AUC n={n}  share of pairs in which the member has the smaller residual"
            for n in sizes
        )
    )
    drawn = {"auc": "AUC", "power": f"power at {100 * false_positive_rate:g} %"}
    return swept(
        "\n".join(lines),
        fields,
        noises,
        found,
        legend,
        (lambda found: {label: found[key] for key, label in drawn.items()})
        if one
        else (lambda found: {f"n = {n}": found[f"auc_{n}"] for n in sizes}),
        y_label="AUC and power" if one else "AUC",
        marks=[
            Mark("leaks most" if one else f"leaks most at n = {n}", noise)
            for n, (noise, _) in zip(sizes, worst, strict=True)
            if noise >= edge
        ][:3],
    )


_ONE = """
    noise_variance   s^2     noise variance, squared data units
    ratio            ratio   mean residual of members over that of others
    member_mean      member  mean residual |x - D(x)|^2 of a training point, squared data units
    non_member_mean  other   the same of a fresh point
    auc              AUC     share of pairs in which the member has the smaller residual
    power            power   share of members found at {rate:g} % false positives
    """
_MANY = "noise_variance  s^2  noise variance, squared data units\n"


def _of_one(values: Array, n: int, rate: float) -> Any:
    def found(noises: Array) -> Mapping[str, Any]:
        law = theory.membership(values, noises, n)
        named = law._asdict()
        keys = ("ratio", "member_mean", "non_member_mean", "auc")
        return {**{key: named[key] for key in keys}, "power": law.power(rate)}

    return found


def _of_many(values: Array, sizes: tuple[int, ...]) -> Any:
    return lambda noises: {f"auc_{n}": theory.membership(values, noises, n).auc for n in sizes}
