"""Curves differ in grey and for the colour-blind, and figures open everywhere."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from tests.reports.reading import caption_of, check_layout, entries_of

from ornstein.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    caption,
    legend_below,
    looks,
    save_figure,
    style,
)


def a_figure() -> Figure:
    with style():
        figure = Figure(figsize=(4, 3), layout="constrained")
        axis = figure.subplots()
        axis.plot([1, 2], [3, 4], label="one")
        axis.set_title("squared Hellinger distance")
        caption(figure, ["on N(0, 1^2)", "", "d = 5", "seed 7"], "not drawn: KL")
    return figure


def test_files_open_and_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_figure(a_figure(), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    save_figure(a_figure(), tmp_path / "c.pdf")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    text = "".join(ET.parse(tmp_path / "a.svg").getroot().itertext())
    assert "squared Hellinger distance" in text
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.format == "PNG"
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")


def test_files_of_one_figure_have_the_layout_of_a_drawing(tmp_path: Path) -> None:
    figure = a_figure()
    with style():
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
        for name in ("drawn.png", "drawn.svg"):
            metadata = {"Date": None} if name.endswith("svg") else None
            figure.savefig(tmp_path / name, dpi=150, metadata=metadata)
    save_figure(a_figure(), tmp_path / "saved.png", tmp_path / "saved.svg")
    for ending in ("png", "svg"):
        drawn, saved = (tmp_path / f"{name}.{ending}" for name in ("drawn", "saved"))
        assert saved.read_bytes() == drawn.read_bytes()


def test_a_caption_says_all_and_wraps() -> None:
    figure = a_figure()
    assert caption_of(figure) == "on N(0, 1²), d = 5, seed 7 not drawn: KL"
    assert figure.get_suptitle().count("\n") == 1
    caption(figure, [f"part number {k}" for k in range(10)])
    check_layout(figure)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_legend_below_keeps_within_the_figure(count: int) -> None:
    figure = a_figure()
    (axis,) = figure.axes
    handles = {f"a rather long label, the {k}th": axis.plot([1], [1])[0] for k in range(count)}
    legend_below(figure, handles)
    assert list(entries_of(figure)) == list(handles)
    check_layout(figure)


def test_sizes_differ_in_colour_marker_and_size() -> None:
    found = looks(6)
    for parts in zip(*found, strict=True):
        assert len({str(part) for part in parts}) == 6
    assert [look.size for look in found] == sorted((look.size for look in found), reverse=True)
    # From dark to light: the order survives a grey printer.
    weights = np.array([0.2126, 0.7152, 0.0722])
    light = [weights @ to_rgb(look.colour) for look in found]
    assert light == sorted(light)


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
