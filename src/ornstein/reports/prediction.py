"""A prediction as text, as one JSON document, as a figure: functions of one frozen object.

The table has at most 80 columns. Below it stand, in one line each, what its columns mean, why a
value is infinite where one is, and what else a reader has to know. Most predictions are functions
of one parameter: `swept` makes the table at the values asked for and the curves over their range
from one and the same function.
"""

from __future__ import annotations

__all__ = [
    "Column",
    "read_legend",
    "Prediction",
    "swept",
    "prediction_text",
    "prediction_document",
    "prediction_tables",
    "prediction_figure",
]

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.reports.charts import MapChart, Mark, sweep
from ornstein.reports.documents import Document, Section, table
from ornstein.reports.tables import WIDTH, format_table, number
from ornstein.reports.tables import Column as TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from ornstein.reports.charts import Chart

_DIGITS = (6, 5, 4, 3)


class Column(NamedTuple):
    """One column of a table, in words."""

    key: str
    heading: str
    meaning: str = ""
    infinite: str = ""
    """Where and why a value is infinite, if one is."""


def read_legend(legend: str) -> list[Column]:
    r"""Columns from a legend, as `Prediction` describes it.

    Examples
    --------
    >>> read_legend("kl  KL, nats  a divergence\n  infinite for n = 1")
    [Column(key='kl', heading='KL, nats', meaning='a divergence', infinite='for n = 1')]
    """
    columns: list[Column] = []
    for line in legend.strip().splitlines():
        text = line.strip()
        if text.startswith("infinite "):
            columns[-1] = columns[-1]._replace(infinite=text.removeprefix("infinite "))
        else:
            columns.append(Column(*re.split(r"  +", text, maxsplit=2)))
    return columns


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a prediction returns."""

    title: str
    """Lines: what it is of, its parameters, its constants."""
    fields: Mapping[str, Any]
    """Entries of the document beside the columns: options and constants."""
    legend: str
    """One line a column: key, heading and meaning, two spaces or more between them. A line that
    begins with "infinite" says where and why the column above it is infinite, if it is."""
    values: Mapping[str, Any]
    """Columns by key, array-likes of shape (rows,), in the document as well unless the key begins
    with "_". The first holds the parameter, which is printed as short as it was given."""
    chart: Callable[[], Chart | MapChart]
    """Makes what the figure shows; it is not called unless one is asked for."""
    notes: Sequence[str] = ()
    """Lines below the table."""
    rows: Any = ...
    """Indices of the rows that the table shows, by default all; the document holds all."""


def swept(
    title: str,
    fields: Mapping[str, Any],
    values: Sequence[float],
    function: Callable[[Any], Mapping[str, Any]],
    legend: str,
    drawn: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    *,
    y_label: str,
    dim: int | None = None,
    least: int | None = None,
    marks: Sequence[Mark] = (),
    logarithmic: bool = True,
) -> Prediction:
    """A prediction that is a function of one parameter.

    Parameters
    ----------
    title, fields, legend
        As in `Prediction`; the parameter is in the first line of the legend, which also labels
        the horizontal axis, with its heading before the first comma.
    values : sequence of float
        Of the parameter.
    function : callable
        Of an array of parameters, returns the other columns by key.
    drawn : callable, optional
        Curves by label, from what `function` returns; by default its columns by their headings.
    y_label, marks, logarithmic
        As in `ornstein.reports.charts.Chart`.
    dim : int, optional
        The parameter is a training size: whole numbers, with n = d marked.
    least : int, optional
        The parameter is a whole number of at least this; of a training size by default 1.
    """
    parameter, *others = read_legend(legend)
    names = {column.key: column.heading for column in others}
    # "training time tau, in units of ..."
    what, comma, more = parameter.meaning.partition(",")
    symbol = r"$\tau$" if parameter.heading == "tau" else parameter.heading
    x_label = f"{what} {symbol}{comma}{more}"

    def chart() -> Chart:
        def curves(x: Any) -> Mapping[str, Any]:
            found = function(x)
            return drawn(found) if drawn else {names[key]: y for key, y in found.items()}

        return sweep(
            values,
            curves,
            x_label=x_label,
            y_label=y_label,
            marks=[*([] if dim is None else [Mark("n = d", dim)]), *marks],
            logarithmic=logarithmic,
            least=1 if dim is not None and least is None else least,
        )

    return Prediction(title, fields, legend, {parameter.key: values, **function(values)}, chart)


def prediction_document(prediction: Prediction) -> dict[str, Any]:
    """Options, constants and columns by name, ready for JSON."""
    named = {key: values for key, values in prediction.values.items() if not key.startswith("_")}
    return {**prediction.fields, **named}


def prediction_text(prediction: Prediction) -> str:
    """Title, table and notes, for a terminal of 80 columns."""
    columns, shown = _shown(prediction)
    width = max((len(column.heading) for column in columns if column.meaning), default=0)
    meanings = [
        f"{column.heading:<{width}}  {column.meaning}" for column in columns if column.meaning
    ]
    blocks = [
        _wrapped(prediction.title.splitlines()),
        _table([column.heading for column in columns], shown),
        "\n".join(meanings),
        _wrapped([*_endless(columns, shown), *prediction.notes]),
    ]
    return "\n\n".join(block for block in blocks if block)


def prediction_tables(prediction: Prediction) -> Document:
    """Return what `prediction_text` prints, before it is text: six digits of every number."""
    columns, shown = _shown(prediction)
    headings = [column.heading for column in columns]
    cells = [TextColumn(*pair) for pair in zip(headings, _cells(shown, _DIGITS[0]), strict=True)]
    meanings = {column.heading: column.meaning for column in columns if column.meaning}
    return Document(
        subject=prediction.title.splitlines(),
        sections=[Section([table("", cells)] if cells else [], meanings)],
        notes=[*_endless(columns, shown), *prediction.notes],
    )


def _shown(prediction: Prediction) -> tuple[list[Column], list[Any]]:
    """Columns, and the values of those rows that are shown."""
    import numpy as np

    columns = read_legend(prediction.legend)
    values = [np.asarray(prediction.values[column.key], dtype=float) for column in columns]
    return columns, [each[prediction.rows] for each in values]


def _endless(columns: Sequence[Column], shown: Sequence[Any]) -> list[str]:
    """Where and why values are infinite."""
    import numpy as np

    return [
        f"{column.heading} is infinite {column.infinite}"
        for column, values in zip(columns, shown, strict=True)
        if np.isinf(values).any() and column.infinite
    ]


def prediction_figure(prediction: Prediction) -> Figure:
    """Curves or a map, under the title of the prediction."""
    from ornstein.reports.curves import curve_figure
    from ornstein.reports.figures import drawn_figures
    from ornstein.reports.maps import map_figure

    chart, title = prediction.chart(), prediction.title.splitlines()

    def draw() -> dict[str, Figure]:
        if isinstance(chart, MapChart):
            return {"figure": map_figure(chart, title)}
        return {"figure": curve_figure(chart, title)}

    return drawn_figures(draw)["figure"]


def _table(headings: Sequence[str], columns: Sequence[Any]) -> str:
    """Six digits, or as many as fit the terminal; the parameter is not rounded to fit."""
    text = ""
    for digits in _DIGITS if columns else ():
        pairs = zip(headings, _cells(columns, digits), strict=True)
        text = format_table([TextColumn(*pair) for pair in pairs])
        if max(map(len, text.splitlines())) <= WIDTH:
            break
    return text


def _cells(columns: Sequence[Any], digits: int) -> list[list[str]]:
    return [
        [_cell(value, digits if index and not _whole(values) else None) for value in values]
        for index, values in enumerate(columns)
    ]


def _whole(values: Any) -> bool:
    """Whether a column holds counts: whole numbers, some of them not 0 or 1."""
    import numpy as np

    finite = values[np.isfinite(values)]
    return bool((finite == np.round(finite)).all() and (finite > 1).any())


def _cell(value: float, digits: int | None) -> str:
    """A value in words where it is infinite; a parameter (no `digits`) as short as can be.

    Examples
    --------
    >>> [_cell(value, 6) for value in (0.5046213, float("inf"), float("-inf"))]
    ['0.504621', 'infinite', '-infinite']
    >>> [_cell(value, None) for value in (1e7, 0.25, 1e-5)]
    ['10000000', '0.25', '1e-05']
    """
    if value in (float("inf"), float("-inf")):
        return "infinite" if value > 0 else "-infinite"
    if digits is not None:
        return number(value, digits)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}"


def _wrapped(lines: Sequence[str]) -> str:
    """Lines of at most the width of the terminal; what does not fit goes on below, indented."""
    return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in lines)
