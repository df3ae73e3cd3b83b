"""A Dataset out of Python objects: pairs of arrays, data sets and loaders of torch, data sets of tonic.

Neither torch nor tonic is imported here: their objects are recognized by what they can do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import finite, texts
from . import integration
from .arrays import SHARE, Part, Wish, dataset, part
from .dataset import Dataset
from .integration import Events

Source = Any
"""A pair (images, labels), or what yields pairs (image, label) or batches of them."""


def make(
    train: Source,
    test: Source | float = SHARE,
    *,
    name: str = "own",
    order: str | None = None,
    bits: int | None = None,
    input_scale: float | None = None,
    labels: Iterable[str] | None = None,
    steps: int = 1,
    by: str = "number",
    size: int | None = None,
    sensor: tuple[int, int] | None = None,
) -> Dataset:
    """A data set of one's own, for training, engine and Lava alike.

    Pixels become the unsigned integers that the exported network receives. Whole numbers stay what they are; floats in
    0 .. 1 (a ``ToTensor()``) become multiples of ``input_scale``, and ``source`` of the result says how exactly.

    Args:
        train: a pair ``(images, labels)`` of arrays or tensors; a ``torch.utils.data.Dataset`` whose items are
            ``(image, label)`` with tensors, arrays or Pillow images; a ``DataLoader``, which is run through once, in
            the order in which it yields; a data set of tonic, with events or with frames.
        test: another such object, or the share of each class of ``train`` that is held out: 0 for none, 1 for all.
        name: what the data set calls itself.
        order: the axes of an array or of a batch if they are in another order than (N, C, H, W) or (N, C, H, W, T):
            "NTCHW", "TNCHW", "NHWC", or, of one image, "TCHW". Frames of tonic come as (T, C, H, W), which is known.
        bits: width of a pixel, 1 .. 24; default 8, or what whole numbers need.
        input_scale: value of one integer step in the units of training; default 1 / (2**bits - 1), for events 1.0.
        labels: names of the classes; default the ``classes`` of a data set, or their numbers.
        steps, by, size: of recordings of events, see :mod:`lava_mlsnn.data.recordings`.
        sensor: (H, W) of the camera, where the data set has no ``sensor_size``.

    Raises:
        ValueError: objects of another kind, images of different shapes, numbers that are no pixels; where the axes seem
            to be in another order, it suggests which.

    Example:
        >>> images, classes = np.linspace(0, 1, 40 * 64).reshape(40, 1, 8, 8), np.arange(40) % 4
        >>> own = make((images, classes), 0.2)
        >>> own.train_images.shape, own.test_images.dtype, own.num_classes
        ((32, 1, 8, 8), dtype('uint8'), 4)
        >>> own.source
        'own, floats as multiples of 0.00392157, off by at most 0.002, 32 training and 8 test images (...'
    """
    is_share = isinstance(test, int | float) and not isinstance(test, bool)
    share = finite(test, "test", low=0, high=1) if is_share else None
    wish = Wish(share, bits, input_scale, texts(labels, "labels") if labels is not None else _classes(train))
    reader = _Reader(steps, by, size, sensor)
    sources = {"all": train} if is_share else {"train": train, "test": test}
    try:
        parts = {key: reader.part(source, order) for key, source in sources.items()}
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    cut = f", {reader.cut} events above 255 per pixel and frame left out" if reader.cut else ""
    return dataset(name, parts, wish, f"{name}{cut}", counts=reader.counts)


class _Reader:
    """Turns sources into parts; keeps whether there were recordings, and how many of their events did not fit."""

    def __init__(self, steps: int, by: str, size: int | None, sensor: tuple[int, int] | None) -> None:
        self.steps, self.by, self.size, self.sensor = steps, by, size, sensor
        self.counts, self.cut = False, 0

    def part(self, source: Source, order: str | None) -> Part:
        """Images and labels of one source."""
        if isinstance(source, tuple):
            if len(source) != 2:
                raise ValueError(f"a tuple of {len(source)}, expected a pair (images, labels)")
            return part(_array(source[0]), _array(source[1]), order)
        sensor_size = _sensor_size(source)
        if _is(source, "DataLoader"):
            self.counts |= sensor_size is not None
            usual = "NTCHW" if sensor_size is not None else None
            parts = [part(_array(images), _array(labels), order or usual) for images, labels in _pairs(source)]
            return Part(
                _joined([one.images for one in parts], np.concatenate), np.concatenate([p.labels for p in parts])
            )
        order = order if order is None or "N" in order.upper() else f"N{order}"
        images: list[NDArray[Any]] = []
        labels, is_events = [], False
        for item, label in _pairs(source):
            content = _array(item)
            is_events = content.dtype.names is not None
            images.append(self._frames(content, sensor_size) if is_events else _image(item, content))
            labels.append(_array(label))
        if sensor_size is not None or is_events:
            self.counts = True
        if sensor_size is not None and not is_events and images and images[0].ndim == 4:
            order = order or "NTCHW"
        return part(_joined(images, np.stack), np.array(labels), order)

    def _frames(self, content: NDArray[Any], sensor_size: tuple[int, ...] | None) -> NDArray[np.uint8]:
        """Frames uint8 (2, H, W, T) of the events of one recording."""
        sensor = self.sensor
        if sensor is None and sensor_size is not None:
            sensor = int(sensor_size[1]), int(sensor_size[0])
        if sensor is None:
            raise ValueError("events of a sensor of unknown size: give sensor=(H, W)")
        missing = [name for name in "xytp" if name not in (content.dtype.names or ())]
        if missing:
            raise ValueError(f"events with fields {content.dtype.names}, expected x, y, t and p")
        events = Events(x=content["x"], y=content["y"], t=content["t"], p=content["p"])
        image, cut = integration.saturated(integration.frames(events, self.steps, self.by, sensor, self.size))
        self.cut += cut
        return image


def _is(source: Source, kind: str) -> bool:
    """Whether an object is of one of the classes of torch.utils.data; if torch is not loaded, there is none."""
    torch = sys.modules.get("torch.utils.data")
    return torch is not None and isinstance(source, getattr(torch, kind))


def _pairs(source: Source) -> Iterator[tuple[Any, Any]]:
    """Its items, which are pairs."""
    is_map = hasattr(source, "__len__") and hasattr(source, "__getitem__") and not _is(source, "IterableDataset")
    if (not is_map and not hasattr(source, "__iter__")) or isinstance(source, str | bytes | dict | np.ndarray):
        raise ValueError(
            f"{type(source).__name__}: expected a pair (images, labels) or a data set of pairs; a path is for data.load"
        )
    count = 0
    for count, item in enumerate((source[i] for i in range(len(source))) if is_map else source, 1):
        if not isinstance(item, tuple | list) or len(item) != 2:
            what = f"{type(item).__name__}" + (f" of {len(item)}" if isinstance(item, tuple | list) else "")
            raise ValueError(f"item {count - 1} is a {what}, expected a pair (image, label)")
        yield item[0], item[1]
    if not count:
        raise ValueError("no items")


def _array(value: Any) -> NDArray[Any]:
    """A tensor, an image or whatever numpy takes."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{type(value).__name__}: expected an array ({error})") from None


def _image(item: Any, content: NDArray[Any]) -> NDArray[Any]:
    """One image with the axis of channels first: arrays are so by convention, images of Pillow have it last."""
    if hasattr(item, "getbands") and content.ndim == 3:
        return content.transpose(2, 0, 1)
    return content


def _joined(images: list[NDArray[Any]], join: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    start = 1 if join is np.concatenate else 0
    shapes = {image.shape[start:] for image in images}
    if len(shapes) > 1:
        few = " and ".join(map(str, sorted(shapes)[:3]))
        raise ValueError(f"images of different shapes, {few}: expected one shape (crop or scale them in a transform)")
    return join(images)


def _sensor_size(source: Source) -> tuple[int, ...] | None:
    """(W, H, polarities) of tonic's data sets, also of subsets, caches and loaders of them."""
    for _ in range(8):
        found = getattr(source, "sensor_size", None)
        if found is not None:
            return tuple(found)
        source = getattr(source, "dataset", None)
    return None


def _classes(source: Source) -> tuple[str, ...] | None:
    """Names of the classes where a data set tells them, as torchvision's do."""
    found = getattr(source, "classes", None)
    if not isinstance(found, list | tuple) or not found or not all(isinstance(name, str) for name in found):
        return None
    return tuple(found)
