"""Timing by the clock, and exponents of power laws."""

from __future__ import annotations

__all__ = ["once", "best_of", "exponent"]

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def once(function: Callable[[], Any]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def best_of(function: Callable[[], Any], repeats: int) -> float:
    """Shortest of several calls, after one that is not counted: noise only ever adds."""
    function()
    return min(once(function) for _ in range(repeats))


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of ln(seconds) against ln(size)."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
