"""Tables and figure of a recursion study."""

from __future__ import annotations

__all__ = ["tables", "document", "figures"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.reports.axes import value_axis
from ornstein.reports.documents import Document, Section, Table, document_text
from ornstein.reports.figures import (
    caption,
    legend_below,
    legend_key,
    new_figure,
    size_entries,
    size_looks,
    style,
)
from ornstein.reports.networks import trained_steps
from ornstein.reports.series import Panel, column, means, sizes_of, where
from ornstein.reports.tables import (
    Column,
    counted,
    number,
    paragraph,
    texts,
    with_error,
)
from ornstein.studies.neural.recursion_options import NeuralRecursionOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ornstein.studies.neural.recursion import NeuralRecursionSummary
    from ornstein.studies.recursion.summary import RecursionSummary

    Row = Mapping[str, Any]
    Found = RecursionSummary | NeuralRecursionSummary

_MEANINGS = {
    "k": "generation; the population is generation 0",
    "KL": "KL(generation || population), in nats, mean over runs",
    "tr S/d": "trace of its covariance S; 1 for the population",
    "tr S^2/d": "second moment of its eigenvalues; 1 for the population",
    "(tr S)^2/d^2": "square of the trace; 1 for the population",
    "theory": "what is expected of it",
    "Gaussian": "theory of Gaussian models of as many points: a reference only",
}
_COLUMNS = {
    "kl": "KL, nats",
    "trace": "tr S/d",
    "square": "tr S^2/d",
    "trace_square": "(tr S)^2/d^2",
}
_SHOWN = 12


def tables(summary: Found) -> str:
    """Return heading, a table for each training size, what columns mean, an answer, and notes."""
    return document_text(document(summary))


def document(summary: Found) -> Document:
    """Return what `tables` prints, before it is text."""
    found = [_of_size(summary, size) for size in sizes_of(summary.rows)]
    notes = list(summary.notes)
    if summary.options.generations > _SHOWN:
        notes.append(
            f"{_SHOWN} of {summary.options.generations} generations are shown; summary.csv and "
            "--json have all."
        )
    return Document(
        subject=_subject(summary),
        sections=[Section(found, _MEANINGS)],
        answer=answer(summary) if summary.rows else "",
        notes=notes,
    )


def heading(summary: Found) -> str:
    """Say what was studied, in three lines."""
    return "\n".join(paragraph(line, "") for line in _subject(summary))


def _subject(summary: Found) -> list[str]:
    lines = [", ".join(filter(None, said)) for said in (_what(summary), _how(summary))]
    return [*lines, f"seed {summary.options.seed}"]


def _what(summary: Found) -> list[str]:
    options = summary.options
    std = options.std[0] if isinstance(options.std, tuple) else options.std
    return [
        f"{_models(summary)} trained on samples of the last one",
        f"from N(0, {std:g}^2) in d = {options.dim}",
    ]


def _models(summary: Found) -> str:
    options = summary.options
    if isinstance(options, NeuralRecursionOptions):
        return "MLPs" if options.width is None else f"MLPs of width {options.width:g}"
    return "Gaussian models" if options.model == "gaussian" else "One-step denoisers"


def _how(summary: Found) -> list[str]:
    options = summary.options
    share = f"{options.fresh_fraction:g} of the points are fresh"
    shared = [
        counted(options.generations, "generation"),
        share if options.fresh_fraction else "no fresh points",
    ]
    if isinstance(options, NeuralRecursionOptions):
        return [*shared, *_how_trained(summary, options)]
    return [
        *shared,
        "known mean" if options.known_mean else "mean fitted",
        f"T = {options.time:g}" if options.time is not None else "",
        f"noise scale {options.noise_scale:g}" if options.noise_scale is not None else "",
    ]


def _how_trained(summary: Any, options: NeuralRecursionOptions) -> list[str]:
    grid = f" on the {options.grid} grid" if options.grid else ""
    return [
        trained_steps(summary),
        f"T = {options.diffusion_steps}",
        f"{options.sampler} in {options.chosen_steps} steps{grid}",
        f"{options.start} start",
        f"{options.generated} points measured",
    ]


def answer(summary: Found) -> str:
    """Return one sentence: how far the last generation is, at the largest training size."""
    sizes = sizes_of(summary.rows)
    parts = []
    for size in dict.fromkeys((sizes[0], sizes[-1])):
        here = where(summary.rows, train_size=size)
        first, last = here[0], here[-1]
        if math.isinf(last["kl_mean"]):
            parts.append(f"at n = {size} it is infinite")
            continue
        text = f"at n = {size} it is {number(last['kl_mean'], 3)} nats"
        if first is not last:
            text += f", after {number(first['kl_mean'], 3)} in the first generation"
        parts.append(text)
    k = summary.options.generations
    where_ = "the first generation" if k == 1 else f"generation {k}"
    return f"Answer: KL to the population of {where_}: {'; '.join(parts)}."


def _of_size(summary: Found, size: int) -> Table:
    """Title and table of one training size."""
    here = where(summary.rows, train_size=size)
    rows = [here[i] for i in _chosen(len(here))]
    known = summary.theory.get("limit", {}).get(size, math.nan)
    ends = "" if math.isnan(known) else f"; tr S^2/d tends to {number(known)}"
    if math.isinf(known):
        ends = "; tr S^2/d grows without limit"
    reference, ending = _reference(summary)
    groups = [
        [
            Column(heading, [with_error(row[f"{name}_mean"], row[f"{name}_se"]) for row in rows]),
            Column(reference, [_beside(row, name, ending) for row in rows]),
        ]
        for name, heading in _COLUMNS.items()
    ]
    title = f"n = {size} ({number(size / summary.options.dim, 2)} d), "
    title += counted(here[0]["simulations"], "run") + ends
    return Table(title, [texts("k", rows, "generation")], [groups])


def _reference(summary: Found) -> tuple[str, str]:
    """Heading of what stands beside the means, and ending of its columns."""
    return ("Gaussian", "gaussian") if summary.options.model == "mlp" else ("theory", "theory")


def _beside(row: Row, name: str, ending: str) -> str:
    return with_error(row[f"{name}_mean"], row[f"{name}_se"], row[f"{name}_{ending}"])


def _chosen(count: int) -> list[int]:
    """All generations, or some of them, evenly spread, the first and last among them."""
    if count <= _SHOWN:
        return list(range(count))
    return sorted({round(place) for place in np.linspace(0, count - 1, _SHOWN)})


def figures(summary: Found) -> dict[str, Any]:
    """KL, trace and second moment against the generation, a curve for each training size."""
    chosen = size_looks(sizes_of(summary.rows))
    panels, missing = _panels(summary)
    reference, ending = _reference(summary)
    with style():
        figure = new_figure(3.0 * len(panels) + 0.6, 3.6)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, panel in zip(axes, panels, strict=True):
            for size, look in chosen.items():
                here = where(summary.rows, train_size=size)
                k = column(here, "generation")
                means(axis, k, here, panel.name, panel.unit, ls="none", **look.points)
                theory = panel.unit * column(here, f"{panel.name}_{ending}")
                theory[~np.isfinite(theory)] = math.nan
                if np.isfinite(theory).any():
                    # A line of one point would not be seen.
                    form = "-" if len(k) > 1 else "_"
                    axis.plot(k, theory, form, color=look.colour, lw=1.0, ms=14, zorder=2)
                if panel.name == "square":
                    _limit_line(axis, summary, size, look.colour)
            axis.set_title(panel.label)
            axis.set_xlabel("generation k")
            _generation_axis(axis, summary.options.generations)
            value_axis(axis)
        keys = size_entries(chosen, summary.options.dim)
        if _has_theory(summary):
            one = summary.options.generations == 1
            name = "theory" if reference == "theory" else "Gaussian model, theory"
            keys[name] = legend_key("", marker="_", ms=9) if one else legend_key("-")
        if any(map(math.isfinite, summary.theory.get("limit", {}).values())):
            keys["limit of theory"] = legend_key(":", 0.9)
        legend_below(figure, keys)
        caption(figure, [*_what(summary), *_how(summary), f"seed {summary.options.seed}"], missing)
    return {"figure": figure}


def _limit_line(axis: Axes, summary: Found, size: int, colour: str) -> None:
    """Mark what the second moment tends to, where that is finite."""
    limit = summary.theory.get("limit", {}).get(size, math.nan)
    if math.isfinite(limit):
        axis.axhline(limit, color=colour, ls=":", lw=0.9, zorder=1)


def _panels(summary: Found) -> tuple[list[Panel], str]:
    """Panels, and why that of KL is missing where it is infinite at every n."""
    panels = [
        Panel("kl", "KL(generation || population) / d  [nats]", 1 / summary.options.dim),
        Panel("trace", r"$\mathrm{tr}\,S / d$"),
        Panel("square", r"$\mathrm{tr}\,S^2 / d$"),
    ]
    if not np.isfinite(column(summary.rows, "kl_mean")).any():
        return panels[1:], "not drawn: KL (infinite)"
    return panels, ""


def _has_theory(summary: Found) -> bool:
    ending = _reference(summary)[1]
    names = [f"{name}_{ending}" for name in ("kl", "trace", "square")]
    return any(math.isfinite(row[name]) for row in summary.rows for name in names)


def _generation_axis(axis: Axes, last: int) -> None:
    step = max(1, math.ceil(last / 6))
    axis.set_xlim(0.5, last + 0.5)
    axis.set_xticks(list(range(step, last + 1, step)))
