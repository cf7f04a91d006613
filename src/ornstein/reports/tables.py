"""Tables for a terminal of 80 columns, in plain text."""

from __future__ import annotations

__all__ = [
    "Column",
    "format_table",
    "with_error",
    "number",
    "described",
    "linear_tables",
    "paragraph",
]

import math
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.studies.linear.study import LinearStudy

WIDTH = 80


class Column(NamedTuple):
    """Heading and cells of one column."""

    heading: str
    cells: Sequence[str]


def number(value: float, digits: int = 4) -> str:
    """Return a number with `digits` significant digits, plainly where that is short.

    Examples
    --------
    >>> number(0.504621), number(13040.2), number(float("inf")), number(float("nan"))
    ('0.5046', '13040', 'inf', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 7:
        return f"{value:.{max(0, digits - 1 - size)}f}"
    return f"{value:.{digits - 1}e}"


def with_error(mean: float, error: float, value: float | None = None) -> str:
    """Return ``mean +- error`` to the second digit of the error; or `value` to the same digit.

    Six decimals are the most that a table shows; an error below them is said to be.

    Examples
    --------
    >>> with_error(18.1064, 0.0423), with_error(float("inf"), float("nan"))
    ('18.106 ± 0.042', 'inf')
    >>> with_error(18.1064, 0.0423, 18.10812)
    '18.108'
    >>> with_error(0.99999995, 3e-9)
    '1.000000 ± <1e-6'
    """
    shown = mean if value is None else value
    if math.isnan(error) or math.isinf(mean) or not math.isfinite(shown):
        return number(shown)
    if error == 0:
        return number(shown) + (" ± 0" if value is None else "")
    decimals = min(1 - math.floor(math.log10(error)), 6)
    if decimals >= 0:
        text = f"{shown:.{decimals}f}"
        shown_error = f"{error:.{decimals}f}" if error >= 1e-6 else "<1e-6"
        return f"{text} ± {shown_error}" if value is None else text
    text = number(shown, 5)
    return f"{text} ± {number(error, 2)}" if value is None else text


def format_table(columns: Sequence[Column]) -> str:
    """Right-aligned columns under their headings; columns without any value are left out."""
    kept = [column for column in columns if any(column.cells)]
    widths = [max(len(column.heading), *map(len, column.cells)) for column in kept]
    lines = ["  ".join(c.heading.rjust(w) for c, w in zip(kept, widths, strict=True))]
    lines.append("  ".join("-" * width for width in widths))
    table = zip(*(column.cells for column in kept), strict=True)
    lines += ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def paragraph(text: str, indent: str = "  ") -> str:
    """Wrap a note to the width of the terminal."""
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def linear_tables(study: LinearStudy, rows: Sequence[Mapping[str, float | int]]) -> str:
    """Return the summary of a linear study as three tables, with heading and notes."""
    theory = "theory~" if study.theory_is_approximate else "theory"

    def predicted(row: Mapping[str, float | int], name: str) -> str:
        return with_error(row[f"{name}_mean"], row[f"{name}_se"], row[f"{name}_theory"])

    def measured(heading: str, name: str) -> list[Column]:
        means = [with_error(row[f"{name}_mean"], row[f"{name}_se"]) for row in rows]
        return [
            Column(heading, means),
            Column(theory, [predicted(row, name) for row in rows]),
        ]

    sizes = Column("n", [str(row["train_size"]) for row in rows])
    positive = [
        f"{row['delta_positive']:.3f} [{row['delta_positive_low']:.3f}, "
        f"{row['delta_positive_high']:.3f}]"
        for row in rows
    ]
    first = [
        sizes,
        Column("runs", [str(row["simulations"]) for row in rows]),
        *measured("KL, nats", "kl"),
        *measured("Wasserstein^2", "wasserstein2"),
    ]
    second = [
        sizes,
        *measured("Hellinger^2", "hellinger2"),
        *measured("tr Sigma_G/(d s^2)", "trace"),
    ]
    third = [
        sizes,
        Column("ln L2^2 original", [number(row["log_l2_original_mean"], 6) for row in rows]),
        Column("ln L2^2 train", [number(row["log_l2_train_mean"], 6) for row in rows]),
        Column("ln |Delta|", [number(row["delta_log_abs_mean"], 6) for row in rows]),
        Column("P(Delta > 0) [95%]", positive),
    ]
    blocks = [
        heading(study),
        "Generated law against the population (mean ± standard error over runs)",
        format_table(first),
        format_table(second),
        "Generated law against points: squared L2 distances to originals and training set",
        format_table(third),
        *(paragraph(note) for note in study.notes),
    ]
    return "\n\n".join(blocks)


def described(population: Any) -> str:
    """Say what an isotropic Gaussian, or a mixture of them, is: N(10, 1^2).

    Examples
    --------
    >>> from ornstein import Mixture
    >>> described(Mixture.isotropic(3, [0, 1], [0.5]))
    'N(0, 0.5^2) + N(1, 0.5^2)'
    >>> described(Mixture.isotropic(3, [0, 1], [0.5], [0.3, 0.7]))
    '0.3 N(0, 0.5^2) + 0.7 N(1, 0.5^2)'
    """
    weights, laws = population.weights, population.components
    shares = ["" if min(weights) == max(weights) else f"{weight:.3g} " for weight in weights]
    pairs = zip(shares, laws, strict=True)
    return " + ".join(f"{share}N({law.mean[0]:g}, {law.std:g}^2)" for share, law in pairs)


def heading(study: LinearStudy) -> str:
    """Say what was studied, in two lines."""
    config = study.config
    if config.data is not None:
        what = f"data {study.identity['data']}, d = {study.dim}, std {number(study.std)}"
        originals = "the rest as originals"
    else:
        what = f"{described(study.source)} in d = {study.dim}"
        originals = f"{config.originals} originals ({config.original_mode})"
    return (
        f"One-step linear denoiser on {what}\n"
        f"T = {config.time:g}, noise scale {config.noise_scale:g}, {originals}, "
        f"seed {config.seed}; n* = {study.threshold:.1f}"
    )
