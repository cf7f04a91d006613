"""Tables and figures of a study of trained networks."""

from __future__ import annotations

__all__ = ["tables", "document", "figures", "samples_figure"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.reports.axes import (
    count_axis,
    landmark,
    legend_inside,
    plain_axis,
    share_axis,
    value_axis,
)
from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    caption,
    new_figure,
    points,
    style,
)
from ornstein.reports.grids import image_sheets
from ornstein.reports.networks import barely_trained, copied, said, subject
from ornstein.reports.series import column, distance_panels, means, perfect_model, shares
from ornstein.reports.tables import (
    Column,
    listed,
    measured,
    number,
    numbers,
    share,
    texts,
    with_error,
)
from ornstein.studies.neural.unet import component_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ornstein.studies.neural.unet import UNetSummary

    Row = Mapping[str, Any]

_MEANINGS = {
    "original-generated": "squared L2 distance per coordinate, in the originals' std",
    "train-generated": "the same to the images that the network is trained on",
    "Delta": "the second less the first; > 0: closer to fresh data",
    "perfect model": "what a model that generates the population would have",
    "per coordinate": "share of runs with Delta > 0, with its Wilson 95% interval",
    "full dimension": "the same of Delta in all coordinates at once",
    "ln |Delta|": "log size of Delta in full dimension, mean over runs",
    "memorized": "share much nearer to one training image than to others",
    "baseline": "the same of held-out images",
    "loss": "training objective in the last epoch",
    "valid.": "the same on validation images",
    "train, s": "seconds of training, and of sampling, a run",
    "KL": "of the Gaussian fit from the population's, in nats",
    "W2^2": "squared 2-Wasserstein distance of the two",
    "linear": "exact, of the best linear denoiser of the same images",
    "component": "of the mixture, where a point most probably comes from",
    "canaries found": "of planted records, those with a generated point near them",
    "controls found": "the same of records that no network has seen",
    "from canaries": "distance to the nearest generated point, per coordinate",
    "from controls": "the same of records that no network has seen",
    "AUC": "of the attack, planted against controls; 1/2 is chance",
    "AUC without": "the same of the network that has not seen them",
    "all": "mean over the runs of all sizes, each counted once",
}


class _Panel(NamedTuple):
    title: str
    series: Sequence[tuple[str, str, str, str]]
    """Name in the rows, label, colour, and marker with line style, of each."""
    draw_axis: Callable[[Axes], None] = plain_axis
    unit: float = 1.0


_PANELS = (
    _Panel(
        "squared L2 distance per coordinate",
        [
            ("distance_original", "original-generated", BLUE, "o-"),
            ("distance_train", "train-generated", VERMILION, "s-"),
        ],
    ),
    _Panel(
        "memorized fraction",
        [
            ("baseline", "held out (baseline)", GREY, "^--"),
            ("memorized", "generated", VERMILION, "s-"),
        ],
        share_axis,
    ),
    _Panel(
        "loss, last epoch",
        [
            ("train_loss", "training", BLUE, "o-"),
            ("validation_loss", "validation", GREEN, "D-"),
        ],
    ),
)
_DELTA = _Panel(r"$\Delta$ per coordinate", [("delta", "mean ± s.e.", BLUE, "o-")])
_FITS = {
    "kl": "KL of Gaussian fit / d  [nats]",
    "wasserstein2": r"$W_2^2 / (d\,\sigma^2)$ of Gaussian fit",
}


def tables(summary: UNetSummary) -> str:
    """Return heading, tables, what their columns mean, an answer, and notes.

    The last line of each table is over all sizes, except for components.
    """
    return document_text(document(summary))


def document(summary: UNetSummary) -> Document:
    """Return what `tables` prints, before it is text."""
    rows = summary.rows
    lines = [*rows, {"train_size": "all", **summary.overall}] if len(rows) > 1 else list(rows)
    sizes = [texts("n", lines, "train_size")]
    found = [Table(title, sizes, [groups]) for title, groups in _columns(summary, lines).items()]
    if summary.components:
        found.append(_components(summary))
    return Document(
        subject=subject(summary),
        sections=[Section(found, _MEANINGS)],
        answer=answer(summary) if rows else "",
        notes=summary.notes,
    )


def _columns(summary: UNetSummary, lines: Sequence[Row]) -> dict[str, list[list[Column]]]:
    """Columns of each table, in groups that stay together, by title."""
    known = [line.get("delta_perfect", math.nan) for line in lines]
    perfect = Column("perfect model", ["" if math.isnan(p) else f"{p:.3f}" for p in known])
    found = {
        "Squared L2 distances per coordinate (mean ± standard error over runs)": [
            [texts("runs", lines, "simulations")],
            [measured("original-generated", lines, "distance_original")],
            [measured("train-generated", lines, "distance_train")],
            [measured("Delta", lines, "delta")],
            [numbers("perfect model", lines, "delta_null", 2)],
        ],
        "P(Delta > 0) with its Wilson 95% interval; size of Delta in full dimension": [
            [share("per coordinate", lines, "delta")],
            [share("full dimension", lines, "full_delta")],
            [numbers("ln |Delta|", lines, "full_delta_log_abs_mean")],
            [perfect],
        ],
        "Memorized fraction, losses of the last epoch, seconds a run": [
            [measured("memorized", lines, "memorized"), measured("baseline", lines, "baseline")],
            [measured("loss", lines, "train_loss"), measured("valid.", lines, "validation_loss")],
            [
                numbers("train, s", lines, "train_seconds", 3),
                numbers("sample, s", lines, "sample_seconds", 3),
            ],
        ],
    }
    if summary.has_fits:
        found["Gaussian fit to the generated points against the population's"] = [
            [measured(title, lines, name), measured("linear", lines, f"{name}_linear")]
            for title, name in (("KL, nats", "kl"), ("W2^2", "wasserstein2"))
        ]
    if getattr(summary, "canaries", 0):
        title = "Planted records (canaries), shares with 95% intervals, distances in std"
        found[title] = [
            [
                _interval("canaries found", lines, "canary_found"),
                _interval("controls found", lines, "control_found"),
            ],
            [
                measured("from canaries", lines, "canary_distance"),
                measured("from controls", lines, "control_distance"),
            ],
            [
                _interval("AUC", lines, "canary_auc"),
                _interval("AUC without", lines, "canary_auc_without"),
            ],
        ]
    return found


def _interval(title: str, lines: Sequence[Row], name: str) -> Column:
    """A share with its 95% interval."""
    cells = [
        f"{line[name]:.3f} [{line[f'{name}_low']:.3f}, {line[f'{name}_high']:.3f}]"
        for line in lines
    ]
    return Column(title, cells)


def answer(summary: UNetSummary) -> str:
    """Return one sentence: has it learned, has it copied."""
    parts = [barely_trained(summary), _learned(summary), _copies(summary), _planted(summary)]
    return f"Answer: {'; '.join(filter(None, parts))}."


def _learned(summary: UNetSummary) -> str:
    """What the largest training set has taught that is not barely used; by distance, or loss."""
    taught = [row for row in summary.rows if row["train_size"] not in summary.barely_trained]
    if not taught:
        return ""
    row = taught[-1]
    where = f"at n = {row['train_size']}"
    distance, linear = row["wasserstein2_mean"], row["wasserstein2_linear_mean"]
    if math.isfinite(distance):
        errors = (row["wasserstein2_se"], row["wasserstein2_linear_se"])
        slack = 2 * math.hypot(*(error for error in errors if math.isfinite(error)))
        how, within = "as much as", ", within 2 standard errors"
        if abs(distance - linear) > slack:
            how, within = "more than" if distance < linear else "less than", ""
        shown = with_error(distance, row["wasserstein2_se"])
        return (
            f"{where} the network has learned {how} the best linear denoiser of the same images"
            f"{within} (W2^2 {shown} against {number(linear, 2)})"
        )
    loss = with_error(row["train_loss_mean"], row["train_loss_se"])
    best = number(summary.theory["linear_loss"], 3)
    return f"{where} the training loss is {loss}, that of the best linear denoiser {best}"


def _copies(summary: UNetSummary) -> str:
    copying = [row for row in summary.rows if copied(summary, row)]
    if not copying:
        return (
            "it copies at no n: the memorized fraction is nowhere above that of held-out images by "
            "more than 4 standard errors"
        )
    most = max(copying, key=lambda row: row["memorized_mean"])
    shown = with_error(most["memorized_mean"], most["memorized_se"])
    return (
        f"it copies at n = {listed([row['train_size'] for row in copying])} (at n = "
        f"{most['train_size']} a fraction {shown} is memorized, of held-out images "
        f"{number(most['baseline_mean'], 2)})"
    )


def _planted(summary: UNetSummary) -> str:
    """At which sizes planted records are given away; empty without any."""
    if not getattr(summary, "canaries", 0):
        return ""
    rows = summary.rows
    found = [r["train_size"] for r in rows if r["canary_found_low"] > r["control_found_high"]]
    told = [r["train_size"] for r in rows if r["canary_auc_low"] > r["canary_auc_without_high"]]
    generated = f"generated at n = {listed(found)}" if found else "generated at no n"
    attack = f"told from controls at n = {listed(told)}" if told else "told from controls at no n"
    return f"planted records are {generated}, and {attack} (beyond the 95% intervals)"


def _components(summary: UNetSummary) -> Table:
    """A line per training size and component: weight, mean and deviation, measured and true."""
    count = len(summary.components)
    lines = [(row, index) for row in summary.rows for index in range(count)]
    keys = [
        Column("n", [str(row["train_size"]) if index == 0 else "" for row, index in lines]),
        Column("component", [str(index + 1) for _, index in lines]),
    ]
    groups = []
    for place, name in enumerate(("weight", "mean", "std")):
        cells = [measured(name, [row], component_metric(i, name)).cells[0] for row, i in lines]
        truth = [number(summary.components[i][place], 3) for _, i in lines]
        groups.append([Column(name, cells), Column("truth", truth)])
    title = "Components of the mixture among the generated points, beside the truth"
    return Table(title, keys, [groups])


def figures(summary: UNetSummary) -> dict[str, Any]:
    """The main figure, and images if there are any: ``figure``, ``samples.png``."""
    found: dict[str, Any] = {"figure": _figure(summary)}
    if summary.samples:
        found["samples.png"] = samples_figure(summary)
    return found


def _figure(summary: UNetSummary) -> Figure:
    """Distances, P(Delta > 0), memorized fraction and losses, or KL and Wasserstein, against n."""
    panels, missing = _panels(summary)
    sizes = column(summary.rows, "train_size")
    with style():
        columns = math.ceil((len(panels) + 1) / 2)
        figure = new_figure(3.1 * columns + 0.6, 5.6)
        axes = figure.subplots(2, columns, sharex=True).ravel()
        count_axis(axes[0], sizes, [summary.dim], most=6)
        _shares(axes[1], summary)
        for axis, panel in zip([axes[0], *axes[2:]], panels, strict=True):
            _draw(axis, summary, panel)
        for axis in axes:
            landmark(axis, summary.dim, "n = d", (4, 2), "right")
        for axis in axes[-columns:]:
            axis.set_xlabel("training size n")
        caption(figure, said(summary), missing)
    return figure


def _panels(summary: UNetSummary) -> tuple[list[_Panel], str]:
    """All panels but that of P(Delta > 0), and what is missing because there is nothing to draw."""
    panels, missing = list(_PANELS), ""
    for name, _, unit in distance_panels(summary.dim, summary.std) if summary.has_fits else ():
        if np.isfinite(column(summary.rows, f"{name}_mean")).any():
            linear, network = (f"{name}_linear", "linear, exact"), (name, "network")
            series = [(*linear, "black", "x--"), (*network, BLUE, "o-")]
            panels.append(_Panel(_FITS[name], series, value_axis, unit))
        else:
            panels.append(_DELTA)
            missing = "not drawn: KL (constant pixels: no network generates exactly constant ones)"
    return panels, missing


def _draw(axis: Axes, summary: UNetSummary, panel: _Panel) -> None:
    sizes = column(summary.rows, "train_size")
    for name, label, colour, form in panel.series:
        look: Any = {"color": colour, "label": label, "fmt": form}
        if form == "^--":
            look["mfc"] = "white"
        means(axis, sizes, summary.rows, name, panel.unit, **look)
    lines = 1
    if panel.title.startswith("loss") and "linear_loss" in summary.theory:
        best = summary.theory["linear_loss"]
        axis.plot(axis.get_xlim(), [best, best], ":", color="black", lw=1.0, label="best linear")
        lines = 2
    axis.set_title(panel.title, pad=points(12))
    panel.draw_axis(axis)
    legend_inside(axis, lines=lines)


def _shares(axis: Axes, summary: UNetSummary) -> None:
    # A little apart, so that error bars do not hide each other.
    sizes = column(summary.rows, "train_size")
    for shift, name, label, colour, form in (
        (1 / 1.02, "delta", "per coordinate", BLUE, "o"),
        (1.02, "full_delta", "full dimension", GREEN, "D"),
    ):
        shares(axis, shift * sizes, summary.rows, name, color=colour, label=label, fmt=form)
    perfect_model(axis, summary.theory)
    share_axis(axis)
    axis.set_title(r"$P(\Delta > 0)$, Wilson 95% interval", pad=points(12))
    legend_inside(axis, lines=1 + ("perfect_delta" in summary.theory))


def samples_figure(summary: UNetSummary) -> Figure:
    """Generated images beside the nearest training images, for up to three sizes.

    A model that copies shows its first panel twice.
    """
    spread = np.linspace(0, len(summary.samples) - 1, 3).astype(int)
    chosen = [summary.samples[index] for index in np.unique(spread)]
    low = min(float(sets.train.min()) for sets in chosen)
    high = max(float(sets.train.max()) for sets in chosen)
    rows = [
        {
            "generated": sets.generated,
            "nearest training image": sets.nearest,
            "training": sets.train,
        }
        for sets in chosen
    ]
    labels = [f"n = {sets.train_size}" for sets in chosen]
    figure = image_sheets(rows, (low, high), labels=labels)
    caption(figure, said(summary), f"black: {number(low, 3)}, white: {number(high, 3)}")
    return figure
