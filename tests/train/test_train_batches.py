from __future__ import annotations

import numpy as np
import pytest
import torch

from lava_mlsnn.train import augment as module
from lava_mlsnn.train.batches import Batches
from lava_mlsnn.train.recipe import Augment

IMAGES = np.arange(10 * 4 * 4, dtype=np.uint8).reshape(10, 1, 4, 4)
LABELS = np.arange(10)


def augmented(images: torch.Tensor, augment: Augment, random: torch.Generator) -> torch.Tensor:
    return module.augmented(images, augment, module.drawn(augment, len(images), random))


def epoch(batches: Batches, number: int) -> list[tuple[list, list]]:
    batches.set_epoch(number)
    return [(images.tolist(), labels.tolist()) for images, labels in batches]


def test_epoch_depends_on_seed_and_number_alone():
    one, other = (Batches(IMAGES, LABELS, 3, seed=5, augment=Augment(shift=1, flip=True)) for _ in range(2))
    for number in range(3):
        epoch(one, number)
    assert epoch(one, 7) == epoch(other, 7)
    assert epoch(one, 7) != epoch(one, 8)
    assert epoch(one, 7) != epoch(Batches(IMAGES, LABELS, 3, seed=6, augment=Augment(shift=1, flip=True)), 7)


def test_shuffled_epoch_shows_each_image_once_with_its_label():
    batches = Batches(IMAGES, LABELS, 5, seed=0)
    seen = [(image, label) for images, labels in epoch(batches, 0) for image, label in zip(images, labels, strict=True)]
    assert sorted(label for _, label in seen) == LABELS.tolist()
    assert all(image == IMAGES[label].tolist() for image, label in seen)


def test_lengths():
    assert len(Batches(IMAGES, LABELS, 4)) == 3 and len(list(Batches(IMAGES, LABELS, 4))) == 3
    assert len(Batches(IMAGES, LABELS, 4, seed=0)) == 2 and len(list(Batches(IMAGES, LABELS, 4, seed=0))) == 2
    assert len(Batches(IMAGES, LABELS, 64, seed=0)) == 1


@pytest.mark.parametrize("time", [False, True])
def test_shift_moves_whole_images_and_zeros_in(time: bool):
    random = torch.Generator().manual_seed(0)
    images = torch.from_numpy(IMAGES).repeat(20, 2, 1, 1) + 1
    if time:
        images = torch.stack([images, images + 1], -1)
    moved = augmented(images, Augment(shift=1), random)
    assert moved.shape == images.shape and moved.dtype == images.dtype
    offsets = set()
    for before, after in zip(images, moved, strict=True):
        padded = torch.zeros(2, 6, 6, *images.shape[4:], dtype=images.dtype)
        padded[:, 1:5, 1:5] = before
        fits = [(y, x) for y in range(3) for x in range(3) if torch.equal(padded[:, y : y + 4, x : x + 4], after)]
        assert len(fits) == 1
        offsets.update(fits)
    assert len(offsets) == 9


def test_flip_mirrors_some_images_left_to_right():
    images = torch.from_numpy(IMAGES).repeat(10, 1, 1, 1)
    flipped = augmented(images, Augment(flip=True), torch.Generator().manual_seed(0))
    same = [torch.equal(a, b) for a, b in zip(images, flipped, strict=True)]
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(images, flipped, strict=True)]
    assert all(s != m for s, m in zip(same, mirrored, strict=True)) and 30 < sum(same) < 70


def test_no_augmentation_is_no_change():
    images = torch.from_numpy(IMAGES)
    assert augmented(images, Augment(), torch.Generator()) is images
