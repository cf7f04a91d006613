"""The verdicts of an audit in words: number, interval, and what would have been detected."""

from __future__ import annotations

__all__ = ["audit_sentences", "audit_answer", "compared", "percent", "gaussian_line"]

import math
from typing import TYPE_CHECKING

from ornstein.reports.tables import counted, number

if TYPE_CHECKING:
    from ornstein.memorization.audit_report import AuditReport

_CLOSENESS = "nearer to the training set"


def percent(share: float) -> str:
    """Return a share in percent, with two significant digits below 10.

    Examples
    --------
    >>> percent(0.021), percent(0.3), percent(0.00042), percent(1.0)
    ('2.1%', '30%', '0.042%', '100%')
    """
    value = 100 * share
    if value == 0 or value >= 10:
        return f"{value:.0f}%"
    return f"{value:.{1 - math.floor(math.log10(value))}f}%"


def compared(report: AuditReport) -> str:
    """Say what was compared."""
    sizes = report.sizes
    return (
        f"{sizes['generated']} generated points, {sizes['train']} training and "
        f"{sizes['held_out']} held-out points of {sizes['dim']} coordinates"
    )


def audit_sentences(report: AuditReport) -> dict[str, str]:
    """Say what each verdict is: copies, Gaussian, dependence."""
    return {
        "copies": _copies(report),
        "gaussian": _gaussian(report),
        "dependence": _dependence(report),
    }


def gaussian_line(report: AuditReport) -> str:
    """Return both shares that are expected of a fitted Gaussian, as far as they are known."""
    line = f"Gaussian reference: bootstrap {report.gaussian_share:.3f}"
    if math.isnan(report.gaussian_closed_form):
        return f"{line}; closed form: does not hold here"
    return f"{line}, closed form {report.gaussian_closed_form:.3f} (Gaussian data)"


def audit_answer(report: AuditReport) -> str:
    """Say in one sentence what the strongest verdict is."""
    share, expected = f"{report.train_share:.3f}", f"{report.gaussian_share:.3f}"
    if report.verdict == "copies":
        interval = f"[{percent(report.copied_share_low)}, {percent(report.copied_share_high)}]"
        return (
            f"copies were found: {percent(report.copied_share)} {interval} of the generated points "
            "are listed or exact copies of training points."
        )
    if report.verdict == "closer than a Gaussian":
        return (
            "no copies were listed, but the generated points are closer to the training data than "
            f"Gaussians fitted to it ({share} nearer to the training set, against {expected}; p = "
            f"{number(report.gaussian_p_value, 2)})."
        )
    if report.verdict == "depends on the training data":
        return (
            "the generated points depend on the training data, as those of every model do that has "
            f"learned from few points ({share} nearer to the training set, 0.5 by chance; p = "
            f"{number(report.dependence_p_value, 2)}); no copying was detected."
        )
    return f"nothing was detected: neither copying nor dependence; of copies, {_seen(report)}."


def _copies(report: AuditReport) -> str:
    n, unit = report.sizes["generated"], "group" if report.grouped else "training point"
    units, repeat = f"{unit}s", report.values_repeat
    interval = f"[{percent(report.copied_share_low)}, {percent(report.copied_share_high)}]"
    parts = []
    if report.exact_copies:
        verb = "equals" if len(report.exact_copies) == 1 else "equal"
        parts.append(
            f"{counted(len(report.exact_copies), 'generated point')} of {n} {verb} a training "
            "point exactly"
            + ("; the data repeat their values, so that this is no evidence." if repeat else ".")
        )
    if report.copies:
        parts.append(
            f"{len(report.copies)} of {n} generated points are listed as copies; of the {units} "
            f"that they are listed with, at most {percent(report.fdr)} are expected to be there "
            "by chance."
        )
    if report.copies or (report.exact_copies and not repeat):
        share = f"{percent(report.copied_share)} {interval} of the generated points."
        if report.copies and report.exact_copies and not repeat:
            number_copied = round(report.copied_share * report.sizes["generated"])
            parts.append(f"Together, each counted once, {counted(number_copied, 'point')}: {share}")
        else:
            parts.append(f"That is {share}")
        if not report.copies:
            parts.append(f"The list of near copies is empty: {_seen(report)}.")
    else:
        parts.append(f"No copying detected; {_seen(report)}.")
    if report.least_copies > 1:
        parts.append(
            f"Fewer than {report.least_copies} copied {units} cannot be listed at a false "
            f"discovery rate of {report.fdr:g}."
        )
    return " ".join(parts)


def _seen(report: AuditReport) -> str:
    least = report.minimum_detectable_fraction
    if math.isnan(least):
        return "no share of copies, however large, would have been (with probability 0.8)"
    return (
        f"{percent(least)} or more would have been (copies within 1% of the data's standard "
        "deviation, with probability 0.8)"
    )


def _gaussian(report: AuditReport) -> str:
    closer = report.gaussian_p_value <= report.alpha
    depends = report.dependence_p_value <= report.alpha
    found = (
        f"Gaussians fitted to the training set have a share of {report.gaussian_share:.3f} "
        f"(95% of them {report.gaussian_share_low:.3f} to {report.gaussian_share_high:.3f}) "
        f"{_CLOSENESS}, the generated points {report.train_share:.3f}: p = "
        f"{number(report.gaussian_p_value, 2)}."
    )
    if closer and depends:
        return f"{found} Closer to the training data than even the simplest model would be."
    if closer:
        return (
            f"{found} More than such a Gaussian; but no dependence on the training data is "
            "detected, without which this is no verdict."
        )
    return f"{found} Not closer than that; {_would(report.gaussian_detectable_share)}."


def _dependence(report: AuditReport) -> str:
    found = (
        f"The share {_CLOSENESS} is {report.train_share:.3f} "
        f"[{report.train_share_low:.3f}, {report.train_share_high:.3f}], where 0.5 is expected "
        f"without dependence: p = {number(report.dependence_p_value, 2)}."
    )
    if report.dependence_p_value <= report.alpha:
        return (
            f"{found} The generated points depend on the training data. Every model that has "
            "learned from few points does: by itself this is no copying."
        )
    return f"{found} No dependence detected; {_would(report.detectable_share)}."


def _would(share: float) -> str:
    if share >= 1:
        return "no share would have been (with probability 0.8)"
    return f"a share of {share:.3f} or more would have been (with probability 0.8)"
