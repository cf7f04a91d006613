"""``--target-se``: runs until a standard error is reached."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.usefixtures("without_figure")
def test_from_the_command_line(ornstein: Callable, tmp_path: Path) -> None:
    options = ("--dim", 4, "--train-sizes", "9,30", "--simulations", 5, "--jobs", 1, "--out", "s")
    asked = ("--target-se", "wasserstein2=0.4", "--max-simulations", 40)
    result = ornstein("linear", *options, *asked)
    assert (result.status, result.err) == (0, "")
    text = " ".join(result.out.split())
    assert "Runs were added until standard errors were at most wasserstein2 0.4: " in text
    rows = [line.split(",") for line in (tmp_path / "s" / "summary.csv").read_text().splitlines()]
    position = rows[0].index("wasserstein2_se")
    assert all(float(row[position]) <= 0.4 for row in rows[1:])
    again = ornstein("linear", "--config", "s/config.yaml", "--out", "s", "--jobs", 1)
    assert again.out == result.out
    refused = ornstein("linear", *options, "--max-simulations", 40)
    assert refused.status == 2
    assert "--max-simulations has no effect without --target-se" in refused.err
