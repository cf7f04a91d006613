"""Populations that the page is tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def spectrum(
    rng: np.random.Generator, largest: int, *, zeros: bool = True, decades: float = 4.0
) -> NDArray[np.float64]:
    """Eigenvalues: equal, a power law, two levels or a list, with some of them 0 at times."""
    d = round(10 ** rng.uniform(0.0, np.log10(largest)))
    kind = rng.integers(4)
    if kind == 0:
        values = np.full(d, 10 ** rng.uniform(-1.0, 1.0))
    elif kind == 1:
        steepest = min(2.0, decades / max(np.log10(d), 1e-3))
        values = np.arange(1.0, d + 1.0) ** -rng.uniform(0.2, steepest)
    elif kind == 2:
        values = np.where(
            np.arange(d) < rng.integers(d + 1), 10 ** rng.uniform(0, decades / 2), 1.0
        )
    else:
        values = 10 ** rng.uniform(-decades / 2, decades / 2, d)
    if zeros and d > 2 and rng.random() < 0.15:
        values[: rng.integers(1, d)] = 0.0
    return values * 10 ** rng.uniform(-1.0, 1.0)
