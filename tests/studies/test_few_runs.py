"""Every study says what standard errors over two or three runs are worth; and no more runs."""

from dataclasses import replace
from typing import Any

import pytest
from tests.reports.cells import filled

from ornstein.studies import LinearOptions, LinearStudy
from ornstein.studies.recursion.options import RecursionOptions
from ornstein.studies.recursion.study import RecursionStudy
from ornstein.studies.steps.empirical import EmpiricalStepsOptions, EmpiricalStepsStudy
from ornstein.studies.steps.options import StepsOptions
from ornstein.studies.steps.study import StepsStudy

STEPS: dict[str, Any] = {"train_sizes": (20,), "steps": (3,), "samplers": ("ddim",), "dim": 3}


@pytest.mark.parametrize(
    ("study", "options"),
    [
        (LinearStudy, LinearOptions((20,), dim=3, originals=30)),
        (RecursionStudy, RecursionOptions((20,), 1, dim=3)),
        (StepsStudy, StepsOptions(**STEPS, originals=30)),
        (EmpiricalStepsStudy, EmpiricalStepsOptions(**STEPS, originals=30)),
    ],
)
def test_it_is_the_last_note(study: Any, options: Any) -> None:
    for runs, words in ((2, "1 degree of freedom: a 95% interval reaches 12.7"), (4, "")):
        summary, _ = filled(study(replace(options, simulations=runs)))
        assert all(row["simulations"] in {0, runs} for row in summary.rows)
        said = [note for note in summary.notes if note.startswith("Standard errors over ")]
        assert len(said) == (runs < 4)
        assert all(note.startswith(f"Standard errors over 2 runs have {words}") for note in said)


def test_networks_say_it_too() -> None:
    pytest.importorskip("lightning")
    from tests.reports.networks import options

    from ornstein.studies.neural.unet import UNetStudy

    summary, _ = filled(UNetStudy(options(train_sizes=(20,), simulations=3)))
    assert summary.notes[-1] == (
        "Standard errors over 3 runs have 2 degrees of freedom: a 95% interval reaches 4.3 of them "
        "to each side, not 2."
    )
