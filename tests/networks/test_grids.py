"""The picture of generated, nearest and training images."""

from pathlib import Path

import numpy as np
import pytest

from ornstein.reports.figures import save_figure
from ornstein.reports.grids import image_sheets, nearest_images, tile

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_shows_the_nearest_training_images(channels: int, tmp_path: Path) -> None:
    train = RNG.random((40, channels, 8, 8))
    chosen = [7, 3, 30, 9, 11]
    generated = train[chosen] + 0.01 * RNG.random((5, channels, 8, 8))
    np.testing.assert_array_equal(nearest_images(generated, train), train[chosen])
    panels = {
        "generated": generated,
        "nearest training image": train[chosen],
        "training": train[:5],
    }
    figure = image_sheets([panels], (0.0, 1.0), columns=3)
    assert [axis.get_title() for axis in figure.axes] == list(panels)
    first, second, _ = (np.asarray(axis.images[0].get_array()) for axis in figure.axes)
    assert first.shape[:2] == (19, 28)  # with a frame of one pixel
    assert np.abs(first - second).max() < 0.05
    save_figure(figure, tmp_path / "grid.png")
    assert (tmp_path / "grid.png").stat().st_size > 1000


def test_every_pixel_has_its_place() -> None:
    images = RNG.random((5, 3, 4, 6))
    sheet = tile(images, 2)
    assert sheet.shape == (3 * 5 + 1, 2 * 7 + 1, 3)
    for index, image in enumerate(images):
        top, left = 1 + 5 * (index // 2), 1 + 7 * (index % 2)
        part = sheet[top : top + 4, left : left + 6]
        np.testing.assert_array_equal(part, np.moveaxis(image, 0, -1))
    assert np.isnan(sheet[11:, 8:]).all()
    assert np.isfinite(sheet).sum() == images.size


def test_constant_images_are_drawn() -> None:
    image_sheets([{"training": np.ones((3, 1, 8, 8))}], (1.0, 1.0))


@pytest.mark.parametrize("images", [np.zeros((2, 64)), np.zeros((2, 2, 8, 8))])
def test_what_is_no_image(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        image_sheets([{"training": images}], (0.0, 1.0))
