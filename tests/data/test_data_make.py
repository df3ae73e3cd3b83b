"""Data sets made from Python objects: arrays, torch's data sets and loaders, tonic's data sets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

from lava_mlsnn import data, netx, sim, train
from lava_mlsnn.data import integration
from lava_mlsnn.data.integration import Events

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 5))
CLASSES = np.arange(20) % 4


class Pairs:
    """A data set as torch defines it, of whatever items."""

    def __init__(self, items, **attributes):
        self.items = items
        vars(self).update(attributes)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        if place >= len(self):
            raise KeyError(place)  # torch promises no IndexError
        return self.items[place]


class Stream(IterableDataset):
    def __iter__(self):
        return ((torch.from_numpy(image), int(label)) for image, label in zip(PIXELS, CLASSES, strict=True))


def same(found, images=PIXELS, labels=CLASSES, part="train"):
    np.testing.assert_array_equal(getattr(found, f"{part}_images"), images)
    np.testing.assert_array_equal(getattr(found, f"{part}_labels"), labels)


TENSORS = torch.from_numpy(PIXELS / 255).float(), torch.from_numpy(CLASSES)
SOURCES = {
    "arrays": (PIXELS, CLASSES),
    "lists": (PIXELS.tolist(), CLASSES.tolist()),
    "tensors": TENSORS,
    "bfloat16": (torch.from_numpy(PIXELS % 2).bfloat16(), TENSORS[1]),
    "grad": (TENSORS[0].clone().requires_grad_(), TENSORS[1]),
    "TensorDataset": TensorDataset(*TENSORS),
    "Subset": Subset(TensorDataset(*TENSORS), range(20)),
    "IterableDataset": Stream(),
    "DataLoader": DataLoader(TensorDataset(*TENSORS), batch_size=7),
    "loader of a stream": DataLoader(Stream(), batch_size=7),
    "list of pairs": list(zip(PIXELS, CLASSES, strict=True)),
    "Pillow": Pairs(
        [(Image.fromarray(i.transpose(1, 2, 0).astype(np.uint8)), k) for i, k in zip(PIXELS, CLASSES, strict=True)]
    ),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_every_source_gives_the_same_integers(source):
    found = data.make(source, 0)
    expected = PIXELS % 2 * 255 if source is SOURCES["bfloat16"] else PIXELS
    same(found, expected)
    assert (found.bits, found.input_scale, found.num_classes, len(found.test_labels)) == (8, 1 / 255, 4, 0)


def test_a_part_for_tests_is_another_source_or_a_share():
    found = data.make((PIXELS, CLASSES), TensorDataset(*TENSORS), name="mine", labels=list("abcd"))
    same(found)
    same(found, part="test")
    assert (found.name, found.labels) == ("mine", tuple("abcd"))
    assert found.source == "mine, floats as multiples of 0.00392157, exactly, 20 training and 20 test images."
    held = data.make((PIXELS, CLASSES))
    assert np.bincount(held.test_labels).tolist() == [1] * 4 and len(held.train_labels) == 16
    assert len(data.make((PIXELS, CLASSES), 1).train_labels) == 0


def test_bits_and_scale_are_shared_by_both_parts():
    found = data.make((np.array([[[[1]]]]), [0]), (np.array([[[[300]]]]), [0]))
    assert (found.bits, found.train_images.dtype, found.input_scale) == (9, np.uint16, 1 / 511)
    digits = data.load("digits")
    found = data.make((digits.train_images / 16, digits.train_labels), 0, bits=5, input_scale=1 / 16)
    np.testing.assert_array_equal(found.train_images, digits.train_images)
    with pytest.raises(ValueError, match="own: pixel 300 does not fit 8 bits"):
        data.make((np.array([[[[300]]]]), [0]), 1, bits=8)


def test_names_of_classes_come_with_the_data_set():
    found = data.make(Pairs([(PIXELS[0], 0), (PIXELS[1], 1)], classes=["cat", "dog", "emu"]), 0)
    assert found.labels == ("cat", "dog", "emu")
    with pytest.raises(ValueError, match=r"own: expected train labels in 0 .. 0, got 0 .. 1"):
        data.make(Pairs([(PIXELS[0], 0), (PIXELS[1], 1)], classes=["cat"]), 0)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("digits", "str: expected a pair .images, labels. or a data set of pairs; a path is for data.load"),
        (PIXELS, "ndarray: expected a pair"),
        (3, "int: expected a pair"),
        ((PIXELS, CLASSES, CLASSES), "a tuple of 3, expected a pair"),
        ((PIXELS, CLASSES[:3]), r"3 labels for 20 images, of shape \(20, 3, 4, 5\)"),
        ((object(), CLASSES), "images of object"),
        ([PIXELS[0]], "item 0 is a ndarray, expected a pair"),
        (Pairs([(PIXELS[0], 0, 1)]), "item 0 is a tuple of 3, expected a pair"),
        (Pairs([]), "no items"),
        (Pairs([(PIXELS[0], 0), (PIXELS[0, :, :2], 0)]), r"images of different shapes, \(3, 2, 5\) and \(3, 4, 5\)"),
        ((PIXELS - 1.5, CLASSES), "leave out a normalization"),
        (Pairs([(np.array([(1, 2, 3, 0)], "i4,i4,i4,i4"), 0)]), r"events of a sensor of unknown size: give sensor="),
        (Pairs([(np.array([(1, 2, 3, 0)], "i4,i4,i4,i4"), 0)], sensor_size=(4, 4, 2)), "expected x, y, t and p"),
    ],
)
def test_what_is_no_data_is_refused_by_name(source, message):
    with pytest.raises(ValueError, match=f"^mine: .*{message}"):
        data.make(source, 0, name="mine")


@pytest.mark.parametrize("share", [-0.1, 1.5, np.nan])
def test_shares_that_make_no_sense(share):
    with pytest.raises(ValueError, match="test: expected a finite number >= 0 and <= 1"):
        data.make((PIXELS, CLASSES), share)


@pytest.mark.parametrize("order", ["NTCHW", "TNCHW"])
@pytest.mark.parametrize("kind", ["arrays", "loader"])
def test_axes_in_another_order_are_named_in_the_error(kind, order):
    frames = np.random.default_rng(0).integers(0, 9, (20, 2, 6, 6, 5))  # (N, C, H, W, T)
    given = torch.from_numpy(frames.transpose([0, 4, 1, 2, 3] if order == "NTCHW" else [4, 0, 1, 2, 3]).copy())
    if kind == "arrays":
        source = given, CLASSES
    else:
        axis = order.index("N")
        batches = [(given.narrow(axis, start, 10), CLASSES[start : start + 10]) for start in (0, 10)]
        source = DataLoader(Pairs(batches), batch_size=None)
    with pytest.raises(ValueError, match=rf"look like \({', '.join(order)}\), .*give order='{order}', or permute"):
        data.make(source, 0)
    same(data.make(source, 0, order=order), frames)


def test_the_order_of_an_item_is_that_of_the_batch_without_n():
    frames = np.random.default_rng(0).integers(0, 9, (4, 3, 2, 5, 6))
    found = data.make(Pairs(list(zip(frames, range(4), strict=True))), 0, order="TCHW")
    same(found, frames.transpose(0, 2, 3, 4, 1), range(4))


def test_a_net_trains_and_runs_on_it():
    digits = data.load("digits")
    own = data.make(
        TensorDataset(torch.from_numpy(digits.train_images / 16), torch.tensor(digits.train_labels.tolist()))
    )
    net = train.create("cnn", own, levels=2, steps=1, width=2, depth=1)
    train.fit(net, own, train.recipe("digits", epochs=1, quantized_epochs=1), progress=False)
    run = sim.run(netx.quantize(net), own.test_images[:50])
    np.testing.assert_array_equal(run.labels, train.predict(net, own)[:50].argmax(1))


# -- events ------------------------------------------------------------------------------------------------------------


def recordings(count=4):
    random = np.random.default_rng(1)
    dtype = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])
    items = []
    for label in range(count):
        events = np.zeros(200, dtype)
        events["x"], events["y"] = random.integers(0, 12, 200), random.integers(0, 10, 200)
        events["t"], events["p"] = np.sort(random.integers(0, 10**6, 200)), random.integers(0, 2, 200)
        items.append((events, label))
    return items


def test_events_become_frames():
    items = recordings()
    expected = [
        integration.frames(Events(**{n: e[n] for n in "xytp"}), 5, "time", (10, 12)).astype(int) for e, _ in items
    ]
    found = data.make(Pairs(items, sensor_size=(12, 10, 2)), 0, steps=5, by="time")
    same(found, expected, range(4))
    same(data.make(Pairs(items), 0, steps=5, by="time", sensor=(10, 12)), expected, range(4))
    assert (found.bits, found.input_scale, found.steps) == (8, 1.0, 5)


def test_a_data_set_of_tonic_with_events_and_with_frames():
    tonic = pytest.importorskip("tonic")
    items = recordings()

    class Own(tonic.dataset.Dataset):
        sensor_size = (12, 10, 2)
        classes = ("a", "b", "c", "d")

        def __init__(self, transform=None):
            super().__init__("unused", transform=transform)

        def __len__(self):
            return len(items)

        def __getitem__(self, place):
            events, label = items[place]
            return (events if self.transform is None else self.transform(events)), label

    ours = data.make(Own(), 0, steps=5)
    transform = tonic.transforms.ToFrame(sensor_size=Own.sensor_size, n_time_bins=5)
    theirs = data.make(Own(transform), 0)
    assert theirs.train_images.shape == ours.train_images.shape == (4, 2, 10, 12, 5)
    assert theirs.input_scale == ours.input_scale == 1.0 and ours.labels == ("a", "b", "c", "d")
    frames = np.stack([transform(events) for events, _ in items])  # (N, T, C, H, W)
    same(theirs, frames.transpose(0, 2, 3, 4, 1), range(4))
    same(data.make(DataLoader(Own(transform), batch_size=3), 0), theirs.train_images, range(4))
    same(data.make(Subset(Own(), [2, 3]), 0, steps=5), ours.train_images[2:], [2, 3])


def test_pixels_that_fire_too_often_are_cut_and_told():
    events = np.zeros(300, [("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "i1")])
    found = data.make(Pairs([(events, 0)], sensor_size=(2, 2, 2)), 0)
    assert found.train_images.max() == 255 and "45 events above 255 per pixel and frame left out" in found.source


def test_arrays_need_neither_torch_nor_tonic():
    code = (
        "import sys, numpy as np; from lava_mlsnn import data; data.make((np.ones((9, 1, 2, 2)), [0] * 9)); "
        "data.make([(np.ones((1, 2, 2)), 0)] * 9); assert not {'torch', 'tonic', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
