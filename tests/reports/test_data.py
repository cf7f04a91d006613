"""What ``ornstein data`` prints and draws: each number, label and picture."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from ornstein.data.profiles import Profile, profile_all
from ornstein.data.reading import read_all
from ornstein.reports.data import data_document, data_text
from ornstein.reports.data_sheet import data_sheet


def looked_at(*sources: object) -> list[Profile]:
    return profile_all(read_all(list(sources)))[0]


def axes_of(profiles: list[Profile]) -> list[Axes]:
    return list(data_sheet(profiles).axes)


def lines(axis: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axis.get_lines()
    }


@pytest.fixture(scope="module")
def digits() -> list[Profile]:
    return looked_at("digits")


def test_spectra_values_and_marginals(digits: list[Profile]) -> None:
    spectrum, values, marginals, *_ = axes_of(digits)
    points = digits[0].points.points()
    right = np.linalg.eigvalsh(np.cov(points, rowvar=False))[::-1]
    ranks, drawn = lines(spectrum)["digits"]
    assert ranks.tolist() == list(range(1, 62))  # of rank 61
    np.testing.assert_allclose(drawn, right[:61])
    assert spectrum.get_xlabel() == "rank of the eigenvalue"
    assert spectrum.get_ylabel() == "variance, squared data units"
    (stairs,) = [patch for patch in values.patches if hasattr(patch, "get_data")]
    shares, edges, _ = stairs.get_data()  # type: ignore[attr-defined]
    assert edges.tolist() == [whole - 0.5 for whole in range(18)]
    np.testing.assert_allclose(shares, 100 * np.bincount(points.astype(int).ravel()) / points.size)
    assert values.get_xlabel() == "value of a coordinate, data units"
    assert values.get_ylabel() == "share of all values, %"
    median = marginals.get_lines()[-1]
    np.testing.assert_array_equal(median.get_ydata(), np.median(points, axis=0))
    outer, inner = (band.get_datalim(marginals.transData) for band in marginals.collections)
    quantiles = np.percentile(points, [5, 25, 75, 95], axis=0)
    assert (outer.y0, outer.y1) == (quantiles[0].min(), quantiles[3].max())
    assert (inner.y0, inner.y1) == (quantiles[1].min(), quantiles[2].max())
    assert marginals.get_title() == "median, 25-75% and 5-95% of digits"


def test_images_and_their_nearest_pairs() -> None:
    rng = np.random.default_rng(0)
    images = rng.random((60, 1, 6, 6))
    images[41] = images[7] + 1e-3
    (profile,) = looked_at(images)
    *_, contact, pairs = axes_of([profile])
    assert contact.get_title() == "data: 32 of 60 images, in their order"
    sheet = np.asarray(contact.get_images()[0].get_array())
    low, high = images.min(), images.max()
    np.testing.assert_allclose(sheet[1:7, 1:7, 0], (images[0, 0] - low) / (high - low))
    assert sheet.shape == (2 * 7 + 1, 16 * 7 + 1, 3)
    assert "nearly equal rows" in pairs.get_title()
    (label,) = [text.get_text() for text in pairs.get_xticklabels()]
    assert profile.near is not None
    assert label == f"7\n41\n{profile.near.ratios[0]:.2g}"
    drawn = np.asarray(pairs.get_images()[0].get_array())
    np.testing.assert_allclose(drawn[1:7, 1:7, 0], (images[7, 0] - low) / (high - low))
    np.testing.assert_allclose(drawn[8:-1, 1:7, 0], (images[41, 0] - low) / (high - low))


def test_without_near_duplicates_the_nearest_rows_are_shown(digits: list[Profile]) -> None:
    pairs = axes_of(digits)[-1]
    assert "nearest rows of a sample" in pairs.get_title()
    near = digits[0].near
    assert near is not None
    points = digits[0].points.points()
    i, j, ratio = near.nearest[0]
    around = np.sort(np.linalg.norm(points - points[i], axis=1))
    assert np.linalg.norm(points[i] - points[j]) == pytest.approx(around[1])
    # Distances are those of a projection to 48 directions here.
    assert ratio == pytest.approx(around[1] / around[5], rel=0.3)
    assert pairs.get_xticklabels()[0].get_text() == f"{i}\n{j}\n{ratio:.2g}"


def test_several_sets_have_their_own_lines() -> None:
    rng = np.random.default_rng(1)
    one, two = looked_at(rng.random((50, 3)), 2 * rng.random((40, 3)))
    spectrum, values, marginals = axes_of([one, two])
    assert len(spectrum.get_lines()) == 2
    for line, profile in zip(spectrum.get_lines(), (one, two), strict=True):
        np.testing.assert_allclose(np.asarray(line.get_ydata()), profile.survey.spectrum)
    first, second = spectrum.get_lines()
    assert first.get_linestyle() != second.get_linestyle()
    legend = values.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["data", "data"]
    assert marginals.get_title() == "median, 25-75% and 5-95% of data"


def test_tables_name_their_coordinates() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"size": rng.random(50), "a column of long name": rng.random(50), "kind": ["a", "b"] * 25}
    )
    spectrum, _, marginals = axes_of(looked_at(frame))
    names = [text.get_text() for text in marginals.get_xticklabels()]
    assert names == ["size", "a column of l…", "kind = a", "kind = b"]
    assert marginals.get_ylabel() == "scaled units"
    assert spectrum.get_ylabel() == "variance, squared scaled units"


def test_the_text_of_a_small_set() -> None:
    values = np.array([[0.0, 1], [2, 3], [4, 9], [4, 9], [-2, 3]])
    text = data_text(*profile_all(read_all([values])))
    spectrum = np.linalg.eigvalsh(np.cov(values, rowvar=False))[::-1]
    effective = spectrum.sum() ** 2 / (spectrum**2).sum()
    flat = " ".join(text.split())
    assert "data: 5 points of 2 coordinates" in flat
    assert "stored float64, 80 B" in flat
    assert f"values -2 to 9, mean 3.300, standard deviation {np.sqrt(spectrum.mean()):.3f}" in flat
    assert f"spectrum {spectrum[0]:.1f}, {spectrum[1]:.2f}; half of the variance in 1" in flat
    assert f"rank 2 of 2; effective dimension {effective:.2f}" in flat
    assert "warning 1 of 5 rows equal one before them (as row 3 equals row 2)" in flat


def test_directions_of_half_and_of_most_of_the_variance() -> None:
    """Variances 6, 3, 2, 1, 1 of 13: half of it in two directions, 90% in four."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((40, 6)) - 0.0)[0]
    axes = np.linalg.qr(np.c_[np.ones(40), axes])[0][:, 1:6]  # centred, orthonormal
    values = axes * np.sqrt(39 * np.array([6.0, 3, 2, 1, 1]))
    flat = " ".join(data_text(*profile_all(read_all([values]))).split())
    assert "half of the variance in 2 directions, 90% in 4; rank 5 of 5" in flat


def test_the_histogram_has_heights_in_proportion() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0], [32, 16, 1, 0]).reshape(-1, 1)
    text = data_text(*profile_all(read_all([np.append(values, [[3.0]], axis=0)])))
    lines_ = [line[13:] for line in text.splitlines() if "█" in line or "▁" in line]
    assert [line.split("  ")[0] for line in lines_] == ["█", "█", "██", "██▁▁"]
    assert "highest 64.0%" in lines_[0]


def test_the_document_has_what_the_text_has(digits: list[Profile]) -> None:
    document = data_document(digits, [])
    (one,) = document["sets"]
    assert one["constant_coordinates"] == 3
    assert one["rank"] == 61
    assert one["findings"] == [
        {"level": "note", "text": "3 of 64 coordinates are constant", "advice": ""}
    ]
    assert document["compared"] == []
