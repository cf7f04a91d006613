"""Figures show the numbers they are given, can be told apart in grey, and open everywhere."""

import math
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from PIL import Image

from ornstein.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    linear_figure,
    save_figure,
)
from ornstein.studies.linear.study import LinearOptions, LinearStudy

SIZES = (20, 40, 80, 200)


def rows_of(study: LinearStudy) -> list[dict[str, float | int]]:
    """Rows a tenth off the theory, with the gaps that a study leaves."""
    rows: list[dict[str, float | int]] = []
    for index, size in enumerate(study.train_sizes):
        theory = study.theory(size)
        values: dict[str, float | int] = {"train_size": size, "simulations": 10}
        for name in ("kl", "hellinger2", "wasserstein2", "trace"):
            values[f"{name}_theory"] = theory.get(name, math.nan)
            values[f"{name}_mean"] = 1.1 * theory.get(name, 1.0)
            values[f"{name}_se"] = 0.1 if math.isfinite(values[f"{name}_mean"]) else math.nan
        values |= {
            "delta_positive": index / 4,
            "delta_positive_low": index / 5,
            "delta_positive_high": index / 3.5,
        }
        rows.append(values)
    return rows


def points(axis: Axes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions and half widths of the one series with error bars."""
    (series,) = [item for item in axis.containers if isinstance(item, ErrorbarContainer)]
    line, _, (bars,) = series.lines
    halves = np.array([segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]) / 2
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), halves


def test_points_lie_where_the_rows_say() -> None:
    study = LinearStudy(LinearOptions(SIZES, dim=30, std=(2.0,)))
    rows = rows_of(study)
    axes = linear_figure(study, rows).axes
    ratios = np.array(SIZES) / 30
    units = (1 / 30, 1.0, 1 / (30 * 4.0))
    for axis, name, unit in zip(axes, ("kl", "hellinger2", "wasserstein2"), units, strict=False):
        means = unit * np.array([row[f"{name}_mean"] for row in rows])
        shown = np.isfinite(means)
        x, y, halves = points(axis)
        np.testing.assert_allclose(x, ratios[shown])
        np.testing.assert_allclose(y, means[shown])
        np.testing.assert_allclose(halves, 0.1 * unit)
        (curve,) = [line for line in axis.lines if line.get_label() == "theory"]
        grid, values = np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata())
        assert grid.min() <= ratios.min()
        assert grid.max() >= ratios.max()
        index = len(grid) - 5
        size = round(float(grid[index]) * 30)
        assert values[index] == pytest.approx(unit * study.theory(size)[name])
    assert len(points(axes[0])[0]) == 3  # n = 20 < d: infinite
    x, y, _ = points(axes[3])
    np.testing.assert_allclose(x, ratios)
    np.testing.assert_allclose(y, np.arange(4) / 4)


def test_landmarks() -> None:
    study = LinearStudy(LinearOptions(SIZES, dim=30))
    for axis in linear_figure(study, rows_of(study)).axes:
        texts = {text.get_text().strip(): text.get_position()[0] for text in axis.texts}
        assert texts["n = d"] == 1.0
        assert texts["n*"] == pytest.approx(study.threshold / 30)


def test_a_population_without_theory() -> None:
    study = LinearStudy(LinearOptions((5, 50), dim=3, mean=(0.0, 10.0), std=(1.0, 2.0)))
    rows = rows_of(study)
    for row in rows:
        row |= {"wasserstein2_mean": math.nan, "wasserstein2_se": math.nan}
    axes = linear_figure(study, rows).axes
    assert all(line.get_label() != "theory" for axis in axes for line in axis.lines)
    assert "infinite or unknown" in [text.get_text() for text in axes[2].texts]


def test_files_open_and_are_the_same_each_time(tmp_path: Path) -> None:
    study = LinearStudy(LinearOptions(SIZES, dim=30))
    for name in ("a", "b"):
        figure = linear_figure(study, rows_of(study))
        save_figure(figure, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    save_figure(linear_figure(study, rows_of(study)), tmp_path / "c.pdf")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    text = "".join(ET.parse(tmp_path / "a.svg").getroot().itertext())
    assert "squared Hellinger distance" in text
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.format == "PNG"
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")


# Protanopia, deuteranopia, tritanopia in linear RGB (Machado, Oliveira, Fernandes, 2009).
DICHROMACIES = (
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.052],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(linear: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB: a distance of about 2 can just be seen."""
    xyz = np.clip(linear, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("sight", [np.eye(3), *map(np.array, DICHROMACIES)])
def test_colours_can_be_told_apart_by_the_colour_blind(sight: np.ndarray) -> None:
    colours = np.array([to_rgb(colour) for colour in (BLUE, VERMILION, GREEN, GREY, "black")])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = lab(linear @ sight.T)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(5, 1)]
    assert gaps.min() > 15
