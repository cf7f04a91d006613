"""Tables for a terminal of 80 columns, in plain text."""

from __future__ import annotations

__all__ = [
    "Column",
    "format_table",
    "format_groups",
    "with_error",
    "texts",
    "numbers",
    "measured",
    "share",
    "number",
    "count",
    "counted",
    "listed",
    "joined",
    "interval",
    "paragraph",
    "legend",
    "report",
]

import math
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    ('0.5046', '13040', 'infinite', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 7:
        return f"{value:.{max(0, digits - 1 - size)}f}"
    return f"{value:.{digits - 1}e}"


def count(value: float) -> str:
    """Return a whole number in full, and ``inf`` for infinity.

    Examples
    --------
    >>> count(10_000_000), count(1e6), count(float("inf"))
    ('10000000', '1000000', 'inf')
    """
    return "inf" if math.isinf(value) else f"{value:.0f}"


def counted(value: int, name: str) -> str:
    """Return a count with its noun, in the singular for one.

    Examples
    --------
    >>> counted(1, "run"), counted(3, "run")
    ('1 run', '3 runs')
    """
    return f"{value} {name}" if value == 1 else f"{value} {name}s"


def listed(sizes: Sequence[float]) -> str:
    """Return training sizes in words; of more than four, two and the last.

    Examples
    --------
    >>> listed([8]), listed([8, 20, 50]), listed(range(10, 61, 10))
    ('8', '8, 20 and 50', '10, 20, ..., 60')
    """
    words = [count(size) for size in sizes]
    if len(words) > 4:
        return f"{words[0]}, {words[1]}, ..., {words[-1]}"
    return joined(words)


def joined(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def with_error(mean: float, error: float, value: float | None = None) -> str:
    """Return ``mean +- error`` to the second digit of the error; or `value` to the same digit.

    Six decimals are the most that a table shows; an error below them is said to be.

    Examples
    --------
    >>> with_error(18.1064, 0.0423), with_error(float("inf"), float("nan"))
    ('18.106 ± 0.042', 'infinite')
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


def texts(heading: str, rows: Sequence[Mapping[str, Any]], name: str) -> Column:
    """Return a column of values as they are."""
    return Column(heading, [str(row[name]) for row in rows])


def numbers(heading: str, rows: Sequence[Mapping[str, Any]], name: str, digits: int = 4) -> Column:
    """Return a column of numbers; empty where rows do not have it."""
    return Column(heading, [number(row.get(name, math.nan), digits) for row in rows])


def measured(heading: str, rows: Sequence[Mapping[str, Any]], name: str) -> Column:
    """Return a column of the means of a value with their standard errors."""
    return Column(heading, [with_error(row[f"{name}_mean"], row[f"{name}_se"]) for row in rows])


def share(heading: str, rows: Sequence[Mapping[str, Any]], name: str) -> Column:
    """Return a column of shares of positive signs with their intervals."""
    parts = [f"{name}_positive{end}" for end in ("", "_low", "_high")]
    return Column(heading, [interval(*(row[part] for part in parts)) for row in rows])


def format_table(columns: Sequence[Column]) -> str:
    """Right-aligned columns under their headings; columns without any value are left out."""
    kept = _filled(columns)
    widths = [_width(column) for column in kept]
    lines = ["  ".join(c.heading.rjust(w) for c, w in zip(kept, widths, strict=True))]
    lines.append("  ".join("-" * width for width in widths))
    table = zip(*(column.cells for column in kept), strict=True)
    lines += ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def format_groups(keys: Sequence[Column], groups: Sequence[Sequence[Column]]) -> str:
    """Return tables that begin with `keys`, with as many groups of columns each as the width takes.

    Columns of a group stay together. Groups without any value are left out.

    Examples
    --------
    >>> wide = [Column(name, ["1".rjust(30)]) for name in ("a", "b", "c")]
    >>> tables = format_groups([Column("n", ["5"])], [[column] for column in wide])
    >>> [line.split() for line in tables.splitlines() if "n" in line]
    [['n', 'a', 'b'], ['n', 'c']]
    """
    parts: list[list[Column]] = [[]]
    for group in map(_filled, groups):
        together = [*_filled(keys), *parts[-1], *group]
        if parts[-1] and sum(map(_width, together)) + 2 * (len(together) - 1) > WIDTH:
            parts.append([])
        parts[-1] += group
    return "\n\n".join(format_table([*keys, *part]) for part in parts)


def _filled(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if any(column.cells)]


def _width(column: Column) -> int:
    return max(len(column.heading), *map(len, column.cells))


def paragraph(text: str, indent: str = "  ") -> str:
    """Wrap a note to the width of the terminal."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def interval(value: float, low: float, high: float) -> str:
    """Return a fraction with the ends of its interval.

    Examples
    --------
    >>> interval(0.727, 0.674, 0.7741)
    '0.727 [0.674, 0.774]'
    """
    if math.isnan(value):
        return ""
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def legend(meanings: Mapping[str, str], shown: str | None = None) -> str:
    """Say what columns mean, a line each, wrapped to the width of the terminal.

    Parameters
    ----------
    meanings : mapping of str to str
    shown : str, optional
        Tables: names that do not occur in them are left out.

    Examples
    --------
    >>> print(legend({"n": "training points", "KL": "in nats", "W2": "squared"}, "n  KL"))
      n   training points
      KL  in nats
    """
    chosen = {name: text for name, text in meanings.items() if shown is None or name in shown}
    widest = max(map(len, chosen))
    lines = [
        textwrap.fill(
            meaning,
            WIDTH,
            initial_indent=f"  {name.ljust(widest)}  ",
            subsequent_indent=" " * (widest + 4),
            break_on_hyphens=False,
        )
        for name, meaning in chosen.items()
    ]
    return "\n".join(lines)


def report(blocks: Sequence[str], answer: str, notes: Sequence[str]) -> str:
    """Return the text of a report: tables and what they mean, an answer if there is one, notes."""
    answers = [paragraph(answer, "")] if answer else []
    return "\n\n".join([*blocks, *answers, *map(paragraph, notes)])
