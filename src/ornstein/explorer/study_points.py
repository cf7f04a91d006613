"""The points of a study folder, in the units of the explorer's page.

The page has populations of mean variance 1 and mean 0. The one-step model does not know the mean,
and scales: noise_scale and squared distances are divided by the mean variance of the study. A steps
study starts from a law of its own, so it is shown only with the page's population and start.
"""

from __future__ import annotations

__all__ = ["study_points"]

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.spectra import read_spectrum
from ornstein.engine.status import read_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = dict[str, Any]

_SCALED = "wasserstein2_"
_MOST_DIMENSIONS = 400
_ODE_SAMPLERS = ("heun", "euler")
_SAMPLERS = (*_ODE_SAMPLERS, "ddim", "ddpm", "ddpm:large")
_SCHEDULES = ("linear", "scaled_linear", "cosine", "karras")


def study_points(folder: str | Path) -> dict[str, Any]:
    """Points and controls of a linear or steps study, as the page takes them.

    Parameters
    ----------
    folder : str or Path
        Study folder with its summary.

    Returns
    -------
    dict
        ``kind`` (linear or steps), ``name`` of the folder, ``rows`` of its summary, and ``state``,
        the controls of the page at which theory is that of the study.

    Raises
    ------
    ValueError
        If there is no study, or none that the page can show.
    """
    folder = Path(folder)
    identity = read_status(folder).identity
    kind = identity.get("study")
    if kind == "linear":
        (state, variance), shown = _linear_state(folder, identity), None
    elif kind == "steps" and identity.get("model") == "linear":
        state, shown = _steps_state(folder, identity)
        variance = 1.0
    else:
        raise ValueError(
            f"{str(folder)!r} holds a study of {kind} {identity.get('model', '')}".rstrip()
            + ", expected one of ornstein linear or steps: the page has no theory of others"
        )
    rows = [
        _in_units(row, variance)
        for row in _summary(folder)
        if shown is None or row["sampler"] in shown
    ]
    sizes = sorted({row["train_size"] for row in rows if np.isfinite(row["train_size"])})
    if sizes:
        dim = state["d"] if "d" in state else len(state["list"])
        state["ratio_n"] = sizes[len(sizes) // 2] / dim
    return {"kind": kind, "name": folder.resolve().name, "rows": rows, "state": state}


def _linear_state(folder: Path, identity: Mapping[str, Any]) -> tuple[Row, float]:
    """Controls of the page, and the mean variance of the study."""
    std = identity.get("std")
    if identity.get("data") is not None or len(identity.get("mean") or (0.0,)) > 1:
        raise ValueError(
            f"{str(folder)!r} is a study of data or of a mixture, expected one of a single "
            "Gaussian: the page has no theory of others"
        )
    name = identity.get("spectrum") or "isotropic"
    values = read_spectrum(name, None if _has_own_size(name) else identity["dim"])
    variance = float(values.mean()) if std is None else float(std[0]) ** 2
    state = _spectrum_state(folder, name, values)
    return {
        **state,
        "T": identity["time"],
        "noise": identity["noise_scale"] / variance,
    }, variance


def _steps_state(folder: Path, identity: Mapping[str, Any]) -> tuple[Row, list[str]]:
    """Controls of the page, and the samplers whose points belong to its curves."""
    expected = {"mean": 0.0, "std": 1.0, "start": "standard", "ridge": 0.0, "diffusion_steps": 1000}
    for name, value in expected.items():
        if identity.get(name) != value:
            raise ValueError(
                f"{str(folder)!r} is a steps study with {name} {identity.get(name)}, expected "
                f"{value}: the page has no theory of others"
            )
    usual = "isotropic" if identity["population"] == "isotropic" else None
    name = identity.get("spectrum") or usual or f"power-law:{identity['exponent']:g}"
    values = read_spectrum(name, None if _has_own_size(name) else identity["dim"])
    state = _spectrum_state(folder, name, values)
    equal = values.min() == values.max()
    levels = {each: _levels(each, identity, equal=equal) for each in identity["samplers"]}
    shown = [each for each, known in levels.items() if known]
    if not shown:
        raise ValueError(
            f"{str(folder)!r} has none of the samplers {', '.join(_SAMPLERS)} on noise levels of "
            f"the page: {', '.join(_SCHEDULES)}; karras, and tangent of equal variances, for the "
            "first two"
        )
    state["sampler"] = shown[0]
    if identity["schedule"] in _SCHEDULES:
        state["schedule"] = identity["schedule"]
    state["grid"] = next((levels[each] for each in shown if each in _ODE_SAMPLERS), "karras")
    return state, shown


def _levels(sampler: str, identity: Mapping[str, Any], *, equal: bool) -> str:
    """Name of the noise levels of a sampler, as the page has it; empty if it has no such curve.

    Of unequal variances the page has a tangent law, and a study the best grid of all.
    """
    if sampler not in _SAMPLERS:
        return ""
    if sampler not in _ODE_SAMPLERS:
        return identity["schedule"] if identity["schedule"] in _SCHEDULES else ""
    if identity.get("grid") is not None:
        return "tangent" if identity["grid"] == "tangent" and equal else ""
    return "karras" if identity.get("ode_schedule") == "karras" else ""


def _has_own_size(name: str) -> bool:
    return not name.startswith(("isotropic", "power-law", "two-level"))


def _spectrum_state(folder: Path, name: str, values: np.ndarray) -> Row:
    """The spectrum's controls."""
    if values.size > _MOST_DIMENSIONS or values.size < 2 or values.min() <= 0:
        raise ValueError(
            f"{str(folder)!r} has {values.size} eigenvalues from {values.min():g}, expected 2 to "
            f"{_MOST_DIMENSIONS} above 0: the page shows no others"
        )
    kind, _, rest = name.partition(":")
    if kind == "isotropic":
        return {"spectrum": kind, "d": values.size}
    if kind == "power-law":
        return {"spectrum": kind, "d": values.size, "exponent": float(rest)}
    return {"spectrum": "list", "list": sorted(values.tolist(), reverse=True)}


def _summary(folder: Path) -> list[Row]:
    """Rows of ``summary.csv``: numbers, where they are numbers."""
    path = folder / "summary.csv"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(
            f"{str(folder)!r} has no summary.csv: run the study to its end, as its command did"
        ) from None
    return [
        {name: _number(cell) for name, cell in row.items()}
        for row in csv.DictReader(text.splitlines())
    ]


def _number(cell: str) -> Any:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        return cell


def _in_units(row: Row, variance: float) -> Row:
    return {
        name: value / variance if name.startswith(_SCALED) else value for name, value in row.items()
    }
