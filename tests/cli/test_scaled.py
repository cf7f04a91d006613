"""``--std`` of predictions: the same as the eigenvalues scaled by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = {
    "spectrum": ["--n-train", 12, "--s", "0.3,0.9", "--relative-to", "scale"],
    "membership": ["--n-train", 12, "--noise-variance", "0.5,20"],
    "best-steps": ["--points-per-dimension", 4, "--samplers", "heun"],
    "grid": ["--steps", "3,5"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_std_scales_the_population(ornstein: Callable, name: str) -> None:
    options = COMMANDS[name]
    given = ornstein("predict", name, "--spectrum", "5,2,1,1", "--std", 3, *options, "--json")
    by_hand = ornstein("predict", name, "--spectrum", "20,8,4,4", *options, "--json")
    found, expected = json.loads(given.out), json.loads(by_hand.out)
    assert (found.pop("std"), found.pop("spectrum")) == (3.0, "5,2,1,1")
    assert expected.pop("spectrum") == "20,8,4,4"
    assert found == expected
    text = " ".join(
        ornstein("predict", name, "--spectrum", "5,2,1,1", "--std", 3, *options).out.split()
    )
    assert "d = 4, spectrum 20,8,4,4, scaled to mean variance 9" in text
    refused = ornstein("predict", name, "--spectrum", "5,2,1,1", "--std", 0, *options)
    assert (refused.status, refused.err) == (
        2,
        "ornstein: error: --std is 0, expected a finite number > 0\n",
    )


def test_std_has_no_effect_on_ratios_alone(ornstein: Callable) -> None:
    result = ornstein("predict", "spectrum", "--std", 2)
    assert result.status == 2
    assert "--std: given 2.0, which does not count for isotropic: leave it out" in result.err
