r"""What may be given as images, and how it is read.

An array, a tensor or a list of shape (n, dim) holds points, one of shape (n, channels, H, W)
images. Images with their channels last, (n, H, W, channels), are recognised by the number of
channels that the network takes, or by 1 or 3 in the last place and another number in the second:
they are returned with the channels first.

A PyTorch ``Dataset`` is read once, in its order, and a ``DataLoader`` stands for its data set:
batches and their order are the training's (random augmentations are then drawn once). Of items that
are tuples the first entry is the image; images of Pillow are taken too.
"""

from __future__ import annotations

__all__ = ["as_images"]

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from ornstein.progress import progress_bar
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Images = ArrayLike | Tensor | Dataset[Any] | DataLoader[Any]
    """Images, or points, in any of these forms."""
    Layout = int | Literal["any", "unknown"]
    """Channels that a network takes; or it takes any layout; or it does not say."""


def as_images(
    data: Images,
    name: str = "data",
    shape: Sequence[int] | None = None,
    *,
    layout: Layout = "unknown",
    progress: bool | None = None,
) -> NDArray[np.float64]:
    """Return finite float64 points of shape (n, dim), or images of shape (n, channels, H, W).

    Parameters
    ----------
    data : array-like, Dataset or DataLoader
        Of shape (n, dim), (n, channels, H, W) or (n, H, W, channels).
    name : str
        What the caller calls it, for messages.
    shape : sequence of int, optional
        Of one image, if it is known; channels may be last in `data` all the same.
    layout : int, "any" or "unknown"
        The channels that the network takes; with "any" nothing is moved.
    progress : bool, optional
        Show how much of a data set is read.

    Raises
    ------
    ValueError
        If the shape is another, or a value is not finite.
    TypeError
        If the values are no numbers.
    """
    array = np.asarray(_collected(data, name, progress))
    if not array.size:
        raise ValueError(f"{name} has shape {array.shape}, expected at least 1 image")
    points = as_points(array, name).reshape(array.shape)
    if array.ndim not in {2, 4}:
        remedy = ": give grey images as images[:, None]" if array.ndim == 3 else ""
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, dim) for points or (n, channels, H, W) "
            f"for images{remedy}"
        )
    if _channels_are_last(array.shape[1:], shape, layout):
        points = np.ascontiguousarray(np.moveaxis(points, -1, 1))
    if shape is not None and points.shape[1:] != tuple(shape):
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, {', '.join(map(str, shape))})"
        )
    return points


def _channels_are_last(given: tuple[int, ...], shape: Sequence[int] | None, layout: Layout) -> bool:
    if len(given) != 3 or layout == "any":
        return False
    first, last = given[0], given[2]
    if shape is not None:
        return given != tuple(shape) == (last, first, given[1])
    if layout in {first, last}:
        return last == layout != first
    return last in {1, 3} and first not in {1, 3}


def _collected(data: Any, name: str, progress: bool | None) -> Any:
    """`data` as what numpy can read."""
    if isinstance(data, DataLoader):
        data = data.dataset
    if isinstance(data, Dataset):
        images = list(_items(data, name, progress))
        shapes = sorted({image.shape for image in images})
        if len(shapes) > 1:
            raise ValueError(
                f"{name} holds images of shapes {shapes[0]} and {shapes[1]}: expected one shape, "
                "resize or crop them"
            )
        return np.stack(images) if images else np.empty(0)
    if isinstance(data, list | tuple) and data and all(isinstance(item, Tensor) for item in data):
        data = torch.stack(list(data))
    if isinstance(data, Tensor):
        # Numpy has no bfloat16.
        data = data.float() if data.dtype == torch.bfloat16 else data
        return data.numpy(force=True)
    return data


def _items(data: Dataset[Any], name: str, progress: bool | None) -> Iterator[NDArray[Any]]:
    if isinstance(data, IterableDataset):
        items: Iterable[Any] = data
        total: Any = None
    else:
        indexed: Any = data
        total = len(indexed)
        items = (indexed[index] for index in range(total))
    with progress_bar(total, "image", progress, label="reading") as bar:
        for index, item in enumerate(items):
            image = item[0] if isinstance(item, list | tuple) and item else item
            if hasattr(image, "getbands"):  # of Pillow
                pixels = np.asarray(image)
                yield pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
            elif isinstance(image, Tensor | np.ndarray):
                yield np.asarray(_collected(image, name, progress))
            else:
                what = f"a {type(image).__name__}"
                if isinstance(image, dict):
                    what += f" with {', '.join(map(str, image))}"
                raise TypeError(
                    f"item {index} of {name} is {what}, expected an image as a tensor or an array, "
                    "or a tuple that begins with one"
                )
            bar.update()
