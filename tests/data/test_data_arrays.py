"""Images from one's own files."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from lava_mlsnn.data import _npy, arrays


def saved(path, **content):
    np.savez(path, **content)
    return path


def test_images_and_labels_of_a_file_are_the_test_set(tmp_path):
    images, labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2), np.array([1, 0])
    found = arrays.load(saved(tmp_path / "a.npz", images=images, labels=labels), 8, 2, 1 / 255)
    np.testing.assert_array_equal(found.test_images, images)
    np.testing.assert_array_equal(found.test_labels, labels)
    assert (found.shape, found.num_classes, len(found.train_labels)) == ((3, 2, 2), 2, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": np.zeros((2, 1, 1, 1), np.uint8)}, "a.npz: no labels, found images"),
        ({"images": np.zeros((2, 1, 1, 1), np.uint8), "labels": [0]}, r"\(1,\) test labels for 2 images"),
        ({"images": np.full((1, 1, 1, 1), 9, np.uint8), "labels": [0]}, "test pixel 9 does not fit 3 bits"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [7]}, "expected test labels in 0 .. 1"),
        ({"images": np.array([{"a": 1}], object), "labels": [0]}, "a.npz: Python objects"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [0.5]}, "a.npz: labels of float64, expected whole"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [np.nan]}, "a.npz: labels of float64, expected whole"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": ["a"]}, "a.npz: labels of <U1, expected whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        arrays.load(saved(tmp_path / "a.npz", **content), 3, 2, 1 / 255)


def test_whole_numbers_in_another_type_are_labels(tmp_path):
    path = saved(tmp_path / "a.npz", images=np.zeros((2, 1, 1, 1), np.uint8), labels=[1.0, 0.0])
    assert arrays.load(path, 3, 2, 1.0).test_labels.tolist() == [1, 0]


def test_a_small_archive_of_very_many_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_npy, "LIMIT", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((1 << 21, 1, 1, 1), np.uint8), labels=[0], more=np.zeros(9))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"a\.npz: arrays of 2,097,\d+ bytes, expected at most 1,048,576"):
            arrays.load(tmp_path / "a.npz", 3, 2, 1.0)
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = saved(tmp_path / "a.npz", images=np.zeros((9, 1, 8, 8), np.uint8), labels=np.zeros(9, int))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"a\.npz"):
        arrays.load(path, 8, 2, 1 / 255)
