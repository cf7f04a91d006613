"""``ornstein audit``: has a model copied its training data?"""

from __future__ import annotations

__all__ = ["audit", "AuditOptions", "AuditReading"]

import math
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.audit_folder import write_audit
from ornstein.cli.output import Format, in_format, made_folder, one_output
from ornstein.cli.parsing import UsageError
from ornstein.cli.reopening import this_run
from ornstein.cli.streams import print_result
from ornstein.data.reading_options import ReadingOptions
from ornstein.json_values import as_json
from ornstein.validation import as_count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ornstein.memorization.audit_report import AuditReport


@dataclass(frozen=True)
class AuditOptions:
    """What is compared, and how strictly.

    Parameters
    ----------
    train : str
        what the model was trained on: a file of an array or a table, or a folder of images
    held_out : str
        points of the same source that the model has not seen, best as many
    generated : str
        what the model generated
    groups : str
        two files, TRAIN,HELD_OUT, with the label of the patient, video or scene that each point
        comes from: .npy, or text with one label a line
    fdr : float
        false discovery rate of the list of copies
    alpha : float
        level of the two tests
    augment : str
        flips, shifts or flips,shifts: images are near if they are after being turned over, or
        moved by a pixel
    features : str
        three files, TRAIN,HELD_OUT,GENERATED, with features of each point, whose distances then
        decide what a copy is
    fail_on : str
        exit with status 1 if copies, or dependence on the training data, are found
    out : str
        folder for report.html, copies.csv, audit.json and the picture of pairs
    show_rows : bool
        of tables: show the rows of the pairs in report.html too
    seed : int
        of relabellings, blocks and drawn Gaussians
    jobs : int
        threads that search for neighbours; -1 for one per core
    max_memory : float
        gigabytes that a search for neighbours may take beside the data
    json : bool
        print one JSON document and nothing else
    format : str
        of the tables that are printed: text, latex (booktabs), csv or markdown
    """

    train: str | None = None
    held_out: str | None = None
    generated: str | None = None
    groups: str | None = None
    fdr: float = 0.1
    alpha: float = 0.05
    augment: str | None = None
    features: str | None = None
    fail_on: Literal["copies", "dependence", "never"] = "never"
    out: str | None = None
    show_rows: bool = False
    seed: int = 0
    jobs: int = -1
    max_memory: float | None = None
    json: bool = False
    format: Format = "text"

    def __post_init__(self) -> None:
        one_output(self.format, json=self.json)
        if self.show_rows and self.out is None:
            raise UsageError("--show-rows has no effect without --out, the folder of report.html")
        for name in ("train", "held_out", "generated"):
            if getattr(self, name) is None:
                raise UsageError(
                    f"--{name.replace('_', '-')} is missing: expected a file or a folder of images"
                )
        for name in ("fdr", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(
                    f"--{name}: given {getattr(self, name):g}, expected a number between 0 and 1"
                )
        if self.seed < 0:
            raise UsageError(f"--seed: given {self.seed}, expected a whole number >= 0")
        if self.jobs < -1 or self.jobs == 0:
            raise UsageError(
                f"--jobs: given {self.jobs}, expected 1 or more threads, or -1 for one per core"
            )
        if self.max_memory is not None and not 0 < self.max_memory < math.inf:
            raise UsageError(f"--max-memory: given {self.max_memory:g}, expected gigabytes > 0")


@dataclass(frozen=True, kw_only=True)
class AuditReading(ReadingOptions):
    """How data are to be read, where a file alone does not tell; by default as it is found to be.

    Parameters
    ----------
    transparency : str
        of images with transparent pixels: drop it, or put them on white or black (elsewhere
        --alpha, which is the level of the tests here)
    """

    alpha: Literal["drop", "white", "black"] | None = field(default=None, init=False)
    transparency: Literal["drop", "white", "black"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", self.transparency)
        super().__post_init__()


def audit(
    options: AuditOptions,
    reading: AuditReading,
    pixels: int | None = None,
    numbers: Literal["robust", "ranks"] | None = None,
) -> int:
    """Has a model copied its training data? Three verdicts, and what would have been detected.

    Compares generated points with training and held-out points of the same source: a list of
    copies at a false discovery rate, closeness beyond that of a fitted Gaussian, dependence on the
    training data. First the three sets are checked as `ornstein data` does: what does not fit is
    refused, what may mislead stands in the notes.

    Parameters
    ----------
    pixels : int
        pixels a side, to which images are cut and resized; by default their own
    numbers : str
        how numbers of tables of mixed kinds are scaled: robust (by median and quartiles, the
        default) or ranks
    """
    from ornstein.memorization.audit import audit as compare

    folder = None if options.out is None else made_folder(options.out)
    sources = (options.train, options.held_out, options.generated)
    side = None if pixels is None else as_count(pixels, "pixels")
    sets, shape, mixed, cautions, found = _checked(
        [str(source) for source in sources], reading, side, numbers
    )
    train, held_out, generated = sets
    report = compare(
        train,
        held_out,
        generated,
        groups=None if options.groups is None else _groups(options.groups),
        fdr=options.fdr,
        alpha=options.alpha,
        augment=options.augment,
        features=None if options.features is None else _features(options.features),
        random_state=options.seed,
        image_shape=shape,
        near_duplicates=not mixed,
        n_jobs=options.jobs,
        max_memory=None if options.max_memory is None else 1e9 * options.max_memory,
    )
    report = replace(
        report, cautions=(*cautions, *report.cautions), warnings=(*found, *report.warnings)
    )
    if folder is not None:
        given = {"options": options, "reading": reading, "pixels": pixels, "numbers": numbers}
        run = this_run("audit", audit, given)
        names = write_audit(report, folder, run, show_rows=options.show_rows)
        print(f"ornstein: wrote {', '.join(names)} to {folder}", file=sys.stderr)
    print_result(_printed(report, options))
    return int(_failed(report, options.fail_on))


def _printed(report: AuditReport, options: AuditOptions) -> str:
    if options.json:
        return as_json(report.to_dict())
    if options.format == "text":
        return str(report)
    from ornstein.reports.audit_document import audit_document

    return in_format(audit_document(report), options.format)


def _checked(
    sources: list[str],
    reading: ReadingOptions,
    pixels: int | None,
    numbers: Literal["robust", "ranks"] | None,
) -> tuple[list[NDArray[np.float64]], tuple[int, ...], bool, list[str], list[str]]:
    """Points of the three sets in one geometry, one a row; the shape of a point; what was found.

    Before that, whether they are of mixed kinds. What does not fit together is apart from what else
    there is to know.
    """
    from ornstein.data.findings import refuse
    from ornstein.data.profiles import has_mixed, profile_all
    from ornstein.data.reading import read_all

    profiles, compared = profile_all(read_all(sources, reading, pixels=pixels), numbers, rows=False)
    found = {}
    for profile in profiles:
        refuse(profile.findings, profile.name)
        found |= {f"{profile.name}: {finding}.": None for finding in profile.findings}
    refuse(compared)
    doubts = [f"{finding}." for finding in compared if finding.level == "warning"]
    found |= {f"{finding}.": None for finding in compared if finding.level != "warning"}
    points = [profile.points.points() for profile in profiles]
    mixed = has_mixed([profile.contents for profile in profiles])
    return points, profiles[0].points.shape, mixed, doubts, list(found)


def _features(text: str) -> tuple[Any, Any, Any]:
    """Features of the three sets, from three files."""
    files = [part.strip() for part in text.split(",")]
    if len(files) != 3:
        raise UsageError(
            f"--features: given {text!r}, expected three files, TRAIN,HELD_OUT,GENERATED"
        )
    from ornstein.data.files import load_data

    first, second, third = (load_data(name).points for name in files)
    return first, second, third


def _groups(text: str) -> tuple[Any, Any]:
    """Labels from two files."""
    import numpy as np

    files = [part.strip() for part in text.split(",")]
    if len(files) != 2:
        raise UsageError(f"--groups: given {text!r}, expected two files, TRAIN,HELD_OUT")
    labels = []
    for name in files:
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"--groups: no file {name!r}, expected labels in .npy or text")
        if path.suffix.lower() == ".npy":
            labels.append(np.load(path, allow_pickle=False))
        else:
            labels.append(np.array(path.read_text(encoding="utf-8").split("\n")))
            if labels[-1][-1] == "":  # the last line ends
                labels[-1] = labels[-1][:-1]
    return labels[0], labels[1]


def _failed(report: AuditReport, fail_on: str) -> bool:
    if fail_on == "copies":
        return report.verdict == "copies"
    return fail_on == "dependence" and report.verdict != "nothing detected"
