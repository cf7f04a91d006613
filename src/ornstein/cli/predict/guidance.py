"""Predictions on guidance: what it makes of Gaussian classes."""

from __future__ import annotations

__all__ = ["guidance", "guided_class"]

from typing import TYPE_CHECKING

from ornstein import theory
from ornstein.cli.parsing import UsageError, reals
from ornstein.reports.charts import Chart, Curve, Mark
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array

_FINE = 400


def guidance(
    guidance: str = "0:6:0.5",
    class_variance: float = 0.5,
    pooled_variance: float = 1.3,
    class_mean: float = 1.0,
) -> Prediction:
    """Guided Gaussian class: variance and mean of what is generated, in one mode.

    Linear denoisers of a class and of all classes pooled, from infinite to zero noise.

    Parameters
    ----------
    guidance : str
        strengths g >= -1: start:stop:step (stop included) or a comma list; 0 is the class
    class_variance : float
        variance of the class, in squared data units
    pooled_variance : float
        variance of all classes together
    class_mean : float
        mean of the class, measured from that of all, in data units
    """
    given = class_variance, pooled_variance

    def found(g: Array) -> dict[str, Array]:
        return theory.guided_moments(*given, g, class_mean)._asdict()

    return swept(
        f"Guided class N({class_mean:g}, {class_variance:g}) of all classes "
        f"N(0, {pooled_variance:g}): D = (1 + g) D_class - g D_all",
        {"class_variance": class_variance, "pooled_variance": pooled_variance}
        | {"class_mean": class_mean},
        reals(guidance, "guidance"),
        found,
        """
        guidance  g         strength of guidance, 0 for the class, -1 for all classes
        variance  variance  of the generated law, squared data units
        mean      mean      of the generated law, measured from that of all, data units
        """,
        lambda law: {"mean": law["mean"], "standard deviation": law["variance"] ** 0.5},
        y_label="data units",
        logarithmic=False,
    )


def guided_class(
    guidance: str = "0,1,2,4",
    mean_norm: float = 1.0,
    std: float = 0.5,
) -> Prediction:
    """Guided class, one of two Gaussians at +m and -m: its exact law along m.

    Parameters
    ----------
    guidance : str
        at most five strengths g >= 0 in a comma list; 0 is the class
    mean_norm : float
        length |m| of the class means, in data units
    std : float
        standard deviation of each class, in data units
    """
    import numpy as np

    strengths = np.array(reals(guidance, "guidance"))
    if strengths.size > 5:
        raise UsageError(f"--guidance: given {strengths.size} strengths, expected at most 5")
    moments = [theory.guided_class_moments(mean_norm, g, std) for g in strengths.tolist()]
    columns = {
        "guidance": strengths,
        "mean": np.array([law.mean for law in moments]),
        "variance": np.array([law.variance for law in moments]),
        "density": np.array(
            [theory.guided_class_density(mean_norm, mean_norm, g, std) for g in strengths.tolist()]
        ),
    }

    def chart() -> Chart:
        reach = 4 * np.sqrt(columns["variance"])
        low = float((columns["mean"] - reach).min())
        high = float((columns["mean"] + reach).max())
        y = np.linspace(low, high, _FINE)
        curves = [
            Curve(
                f"g = {g:g}",
                y,
                theory.guided_class_density(y, mean_norm, g, std),
                [mean_norm],
                [columns["density"][index]],
            )
            for index, g in enumerate(strengths.tolist())
        ]
        return Chart(
            "coordinate along m, data units",
            "density",
            curves,
            [Mark("class mean", mean_norm)],
            logarithmic_y=False,
        )

    return Prediction(
        f"Guided class at +m, the other at -m, |m| = {mean_norm:g}, std {std:g}: law along m",
        {"mean_norm": mean_norm, "std": std},
        """
        guidance  g          strength of guidance, 0 for the class
        mean      mean       of the generated law along m, data units
        variance  variance   of the generated law along m, squared data units
        density   density    of the generated law at the class mean, per data unit
        """,
        columns,
        chart,
        ["Across m the generated law is that of the class."],
    )
