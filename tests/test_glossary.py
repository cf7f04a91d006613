"""Every column of summary.csv and every heading that a table explains stands in the glossary."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import ornstein.reports
from ornstein import studies

TEXT = (Path(__file__).parents[1] / "docs" / "glossary.md").read_text()
ENDINGS = set(
    re.findall(r"`(_\w+)`", TEXT.split("## Endings of columns")[1].split("## Columns")[0])
)
COLUMNS = set(re.findall(r"`(\w+)`", TEXT.split("## Columns")[1].split("## Headings")[0]))
HEADINGS = {
    heading.replace("\\|", "|")
    for heading in re.findall(r"`([^`]+)`", TEXT.split("## Headings of tables")[1])
}
NETWORK = {"model": "mlp", "pixels": 4, "train_sizes": (8,), "simulations": 1, "training_steps": 2}


def explained(column: str) -> bool:
    """Whether a column, without one or two endings, stands in the glossary."""
    stems = {re.sub(r"^component\d+", "component1", column)}
    for _ in range(3):
        stems |= {stem.removesuffix(end) for stem in stems for end in ENDINGS}
    return bool(stems & COLUMNS)


def summaries() -> list:
    made = [
        studies.LinearStudy(studies.LinearOptions(dim=3, train_sizes=(9,), simulations=2)),
        studies.StepsStudy(
            studies.StepsOptions((9,), dim=3, steps=(5,), samplers=("ddim",), simulations=2)
        ),
        studies.RecursionStudy(studies.RecursionOptions(dim=3, train_sizes=(9,), simulations=2)),
    ]
    return [pytest.param(study, id=study.name) for study in made]


def networks() -> list:
    neural = studies.NeuralOptions
    mixture = {"mean": (0.2, 0.8), "std": (0.1, 0.1)}
    return [
        pytest.param(lambda: studies.UNetStudy(neural(**NETWORK, **mixture)), id="unet"),
        pytest.param(lambda: studies.SnapshotStudy(neural(**NETWORK)), id="snapshots"),
        pytest.param(lambda: studies.CanaryStudy(neural(**NETWORK), canaries=2), id="canaries"),
        pytest.param(
            lambda: studies.NeuralStepsStudy(studies.NeuralStepsOptions(**NETWORK, steps=(2,))),
            id="steps",
        ),
        pytest.param(
            lambda: studies.NeuralRecursionStudy(
                studies.NeuralRecursionOptions(
                    generations=1, dim=2, generated=9, train_sizes=(8,), training_steps=2
                )
            ),
            id="recursion",
        ),
    ]


def unexplained(study) -> list[str]:
    return [column for column in study.run(jobs=1).rows[0] if not explained(column)]


@pytest.mark.parametrize("study", summaries())
def test_columns(study) -> None:
    assert unexplained(study) == []


@pytest.mark.parametrize("make", networks())
def test_columns_of_networks(make) -> None:
    assert unexplained(make()) == []


def test_headings() -> None:
    missing = {}
    for module in pkgutil.iter_modules(ornstein.reports.__path__):
        for name, value in vars(importlib.import_module(f"ornstein.reports.{module.name}")).items():
            if name.endswith("MEANINGS") and isinstance(value, dict):
                missing |= {
                    key: module.name for key in value if key not in HEADINGS | {"KL", "n", "step"}
                }
    assert missing == {}


def test_a_column_that_nobody_explains_is_seen() -> None:
    assert explained("kl_linear_se")
    assert not explained("entropy_mean")
    assert not explained("kl_lower")
