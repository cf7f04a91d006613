"""What is taken for images: arrays, data sets of PyTorch, channels last; and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from ornstein.networks import MLP, DiffusionProcess, TrainingConfig, UNet, seeded, train
from ornstein.networks.images import as_images

IMAGES = np.random.default_rng(0).random((6, 1, 8, 8))
CONFIG = TrainingConfig(epochs=1)


class Listed(Dataset):
    """Any items."""

    def __init__(self, items: list) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int):
        return self.items[index]


class Streamed(IterableDataset):
    def __iter__(self):
        return iter(torch.from_numpy(IMAGES))


TENSORS = TensorDataset(torch.from_numpy(IMAGES), torch.arange(6))


@pytest.mark.parametrize(
    "data",
    [
        torch.from_numpy(IMAGES),
        IMAGES.tolist(),
        list(torch.from_numpy(IMAGES)),
        TENSORS,
        DataLoader(TENSORS, batch_size=4, shuffle=True, drop_last=True),
        Streamed(),
        DataLoader(Streamed(), batch_size=4),
        Listed([(image, 7) for image in IMAGES]),
        np.moveaxis(IMAGES, 1, -1),
        DataLoader(Listed(list(np.moveaxis(IMAGES, 1, -1)))),
    ],
)
def test_the_same_images_in_many_forms(data) -> None:
    """A loader's own order and batches do not matter: they are the training's."""
    np.testing.assert_array_equal(as_images(data), IMAGES)


def test_bfloat16_and_subsets() -> None:
    half = torch.from_numpy(IMAGES).bfloat16()
    np.testing.assert_array_equal(as_images(half), half.double().numpy())
    np.testing.assert_array_equal(as_images(Subset(TENSORS, [4, 2])), IMAGES[[4, 2]])


def test_images_of_pillow() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    colour = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    one = as_images(Listed([(Image.fromarray(grey[0]), 1)]))
    np.testing.assert_array_equal(one, grey[None])
    np.testing.assert_array_equal(
        as_images(Listed([Image.fromarray(colour)])), np.moveaxis(colour, -1, 0)[None]
    )


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((8, 8, 1), "unknown", (1, 8, 8)),
        ((8, 8, 3), "unknown", (3, 8, 8)),
        ((3, 8, 3), "unknown", (3, 8, 3)),
        ((2, 8, 8), "unknown", (2, 8, 8)),
        ((8, 8, 1), "any", (8, 8, 1)),
        ((8, 8, 4), 4, (4, 8, 8)),  # by the channels of the network
        ((4, 8, 3), 4, (4, 8, 3)),
        ((4, 8, 4), 4, (4, 8, 4)),
        ((8, 8, 3), 1, (3, 8, 8)),  # the network will refuse 3 channels, not 8
    ],
)
def test_channels_last_are_recognised(shape, layout, expected) -> None:
    data = np.random.default_rng(0).random((5, *shape))
    images = as_images(data, layout=layout)
    assert images.shape[1:] == expected
    moved = data if expected == shape else np.moveaxis(data, -1, 1)
    np.testing.assert_array_equal(images, moved)


def test_channels_last_are_trained_on_as_channels_first() -> None:
    net = seeded(UNet, 0, width_multiplier=0.0625)
    first = train(net, IMAGES, CONFIG, process=DiffusionProcess(5)).model
    net = seeded(UNet, 0, width_multiplier=0.0625)
    last = train(net, np.moveaxis(IMAGES, 1, -1), CONFIG, process=DiffusionProcess(5)).model
    assert last.shape == (1, 8, 8)
    assert all(map(torch.equal, first.parameters(), last.parameters()))
    torch.testing.assert_close(
        last.to_network(np.moveaxis(IMAGES, 1, -1)), first.to_network(IMAGES)
    )
    vectors = train(MLP(64, 8), np.moveaxis(IMAGES, 1, -1), CONFIG).model
    assert vectors.sample(2, sampling_steps=2).shape == (2, 8, 8, 1)  # as they were given


def test_a_data_set_is_trained_on() -> None:
    nets = [seeded(UNet, 0, width_multiplier=0.0625) for _ in range(2)]
    a = train(nets[0], IMAGES, CONFIG)
    b = train(nets[1], DataLoader(TENSORS, batch_size=2, shuffle=True), CONFIG)
    assert all(map(torch.equal, a.model.parameters(), b.model.parameters()))
    assert torch.equal(a.train_indices, b.train_indices)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (IMAGES[:, 0], ValueError, r"give grey images as images\[:, None\]"),
        (Listed([]), ValueError, "at least 1 image"),
        (
            Listed([torch.zeros(1, 8, 8), torch.zeros(1, 8, 9)]),
            ValueError,
            r"shapes \(1, 8, 8\) and \(1, 8, 9\): expected one shape",
        ),
        (Listed([{"image": 1, "label": 2}]), TypeError, "item 0 of data is a dict with image, lab"),
        (Listed(["a.png"]), TypeError, "item 0 of data is a str, expected an image"),
        ([[["a"]]], TypeError, "expected real numbers"),
    ],
)
def test_what_is_refused(data, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        as_images(data)
    assert "\n" not in str(caught.value)


def test_the_network_refuses_other_channels_in_one_line() -> None:
    colour = np.random.default_rng(0).random((5, 8, 8, 3))
    with pytest.raises(ValueError, match=r"given shape \(4, 3, 8, 8\), expected \(batch, 1, H, W"):
        train(UNet(width_multiplier=0.0625), colour, CONFIG)


def test_reading_a_data_set_shows_progress(capfd: pytest.CaptureFixture[str]) -> None:
    as_images(TENSORS, progress=True)
    assert "reading" in capfd.readouterr().err
    as_images(TENSORS)
    assert capfd.readouterr() == ("", "")
