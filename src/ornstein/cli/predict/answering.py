"""From the options of ``ornstein predict NAME`` to what is printed and drawn, for all alike."""

from __future__ import annotations

__all__ = ["prediction_parser", "answer", "writable_figure"]

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ornstein.cli.output import FigureStyle, Format, in_format, one_output
from ornstein.cli.parsing import TextOption, UsageError, call, command
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonargparse import Namespace

    from ornstein.cli.parsing import Parser
    from ornstein.reports.prediction import Prediction


def prediction_parser(function: Callable[..., Prediction], prog: str) -> Parser:
    """A parser of the options of a prediction, and of what is printed and drawn."""
    parser = command(function, prog)
    parser.add_argument(
        "--plot", type=TextOption(), default=None, help="draw into this file (.svg, .png, .pdf)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document and nothing else"
    )
    parser.add_argument(
        "--format", type=Format, default="text", help="of the table: text, latex, csv or markdown"
    )
    parser.add_argument(
        "--style",
        type=FigureStyle,
        default="screen",
        help="of the figure: screen, paper (the width of a column) or talk (a slide)",
    )
    return parser


def answer(function: Callable[..., Prediction], options: Namespace) -> int:
    """Compute a prediction, draw it if that is asked for, and print it."""
    from ornstein.reports.prediction import (
        prediction_document,
        prediction_figure,
        prediction_tables,
        prediction_text,
    )

    one_output(options.format, json=options.json)
    if options.style != "screen" and options.plot is None:
        raise UsageError("--style has no effect without --plot, which names the file of the figure")

    file = None if options.plot is None else writable_figure(options.plot)
    prediction = _computed(function, options)
    if file is not None:
        from ornstein.reports.figure_styles import figure_style
        from ornstein.reports.figures import save_figure

        with figure_style(options.style):
            save_figure(prediction_figure(prediction), file)
        print(f"ornstein: wrote {file}", file=sys.stderr)
    if options.json:
        print(as_json(prediction_document(prediction)))
    elif options.format != "text":
        print(in_format(prediction_tables(prediction), options.format))
    else:
        print(prediction_text(prediction))
    return 0


def _computed(function: Callable[..., Prediction], options: Namespace) -> Prediction:
    """The prediction; an overflow, or an operation without a result, on the way is an error.

    Raises
    ------
    ArithmeticError
        At options beyond what float64 can compute with.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return call(function, options)
        except RuntimeWarning as warning:
            raise ArithmeticError(str(warning)) from None


def writable_figure(plot: str) -> Path:
    """The file of a figure, found to be of a known kind and writable before anything is computed.

    A new file is made and taken away again: permissions alone do not tell.
    """
    from matplotlib.figure import Figure

    file = Path(plot)
    # What matplotlib writes alone; for pgf it needs LaTeX.
    known = Figure().canvas.get_supported_filetypes().keys() - {"pgf", "raw", "rgba"}
    if file.suffix[1:].lower() not in known:
        raise UsageError(f"--plot: given {plot!r}, expected a file name in .svg, .png or .pdf")
    new = not file.exists()
    file.open("ab").close()
    if new:
        file.unlink()
    return file
