"""``ornstein merge``: shards of a study, or copies that went on elsewhere, in one folder."""

from __future__ import annotations

__all__ = ["merge"]

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ornstein.cli.output import FigureStyle, Format, one_output
from ornstein.cli.parsing import UsageError
from ornstein.cli.running import command_of, missing_by
from ornstein.json_values import as_json

if TYPE_CHECKING:
    from ornstein.engine.merging import Merged


def merge(
    folders: list[str],
    out: str | None = None,
    json: bool = False,
    format: Format = "text",
    style: FigureStyle = "screen",
) -> int:
    """Join the shards of a study, or copies of it, and print its tables.

    Merging again, or one by one, gives the same. Cells that are still missing are counted, and the
    command that computes them is printed; a study that is whole gets its tables and figures.

    Parameters
    ----------
    folders : list of str
        study folders, or folders with shards (shard-1-of-8 and so on) in them
    out : str
        folder to merge into; by default the one with the shards
    json : bool
        print one JSON document and nothing else
    format : str
        of the tables that are printed: text, latex (booktabs), csv or markdown
    style : str
        of the figures: screen; paper (the width of a column of text, small type); talk (a slide)
    """
    from ornstein.engine.merging import merge as merged_into
    from ornstein.engine.merging import shards_in
    from ornstein.engine.store import FILE_NAME

    one_output(format, json=json)
    if json and style != "screen":
        raise UsageError("--style has no effect with --json, with which no figure is drawn")
    places = [Path(folder) for folder in folders]
    sources: list[Path] = []
    for place in places:
        own = [place] if (place / FILE_NAME).is_file() else []
        found = shards_in(place) + own
        if not found:
            raise UsageError(
                f"no study in {str(place)!r}: expected a study folder, or one with shards in it"
            )
        sources += found
    if out is None and len(places) > 1:
        raise UsageError("several folders are given: --out says which folder to merge them into")
    target = places[0] if out is None else Path(out)
    result = merged_into(sources, target)
    others = sum(source.resolve() != target.resolve() for source in sources)
    command = command_of(target)
    if json:
        print(as_json({"folder": str(target), "command": command, **result._asdict()}))
        return 1 if result.missing or result.failed else 0
    print(_said(result, others, target), file=sys.stdout if format == "text" else sys.stderr)
    for folder in result.working:
        print(f"ornstein: {folder} is still being computed", file=sys.stderr)
    if result.missing or command is None:
        if command is not None:
            print(missing_by(command))
        return 1 if result.missing or result.failed else 0
    from ornstein.cli.main import main

    if format == "text":
        print()
    return main([*command, "--format", format, "--style", style])


def _said(result: Merged, sources: int, target: Path) -> str:
    return (
        f"{result.added} cells of {sources} folder(s) merged into {target}, {result.known} were "
        f"there: {result.done} done, {result.failed} failed, {result.missing} missing"
    )
