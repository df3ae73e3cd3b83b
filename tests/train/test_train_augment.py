"""What is done to images: whole pixels, all timesteps alike, the same for one process and for many."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lava_mlsnn.train import world
from lava_mlsnn.train.augment import Draw, augmented, drawn, mixed, share
from lava_mlsnn.train.batches import Batches
from lava_mlsnn.train.recipe import Augment

LABELS = np.arange(24) % 5


def images(dtype: type = np.uint8, steps: int = 0) -> np.ndarray:
    shape = (24, 2, 8, 6, *([steps] if steps else []))
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def test_a_crop_of_everything_is_no_change_and_a_half_is_stretched() -> None:
    pixels = torch.from_numpy(images())
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(24, 1)
    assert torch.equal(augmented(pixels, Augment(crop=0.5), Draw(box=whole)), pixels)
    ramp = (10 * torch.arange(8).view(1, 1, 1, 8)).expand(1, 1, 8, 8).to(torch.uint8)
    left_half = augmented(ramp, Augment(crop=0.5), Draw(box=torch.tensor([[0.0, 0.0, 0.5, 1.0]])))
    assert left_half[0, 0, 3].tolist() == [0, 5, 10, 15, 20, 25, 30, 35]
    upper_half = augmented(ramp.mT, Augment(crop=0.5), Draw(box=torch.tensor([[0.0, 0.0, 1.0, 0.5]])))
    assert upper_half[0, 0, :, 3].tolist() == [0, 5, 10, 15, 20, 25, 30, 35]


def test_crops_lie_inside_and_have_the_sizes_that_are_asked_for() -> None:
    box = drawn(Augment(crop=0.5), 2000, torch.Generator().manual_seed(0)).box
    assert box is not None
    width, height = (box[:, 2:] - box[:, :2]).unbind(1)
    assert box.min() >= 0 and box.max() <= 1 + 1e-6
    inside = (width < 1) & (height < 1)  # a side cut to the image's loses area
    assert 0.5 <= float((width * height)[inside].min()) < 0.52 and float((width * height).max()) > 0.98
    ratio = (width / height)[inside]
    assert 0.75 - 1e-3 <= float(ratio.min()) < 0.8 and 1.25 < float(ratio.max()) <= 4 / 3 + 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_stay_integers_and_timesteps_together(dtype: type) -> None:
    augment = Augment(shift=1, flip=True, crop=0.6)
    for batch, labels in Batches(images(dtype), LABELS, 8, 3, augment, mixup=0.5, classes=5):
        assert not batch.is_floating_point() and int(batch.min()) >= 0 and int(batch.max()) <= 255
        torch.testing.assert_close(labels.sum(1), torch.ones(8))
    still = np.repeat(images()[..., None], 3, -1)
    for batch, _ in Batches(still, LABELS, 8, 3, augment):
        assert torch.equal(batch, batch[..., :1].expand_as(batch))
    (flat, _), *_ = Batches(images(), LABELS, 8, 3, augment)
    (deep, _), *_ = Batches(still, LABELS, 8, 3, augment)
    assert torch.equal(deep[..., 0], flat)


def test_mixtures_have_the_shares_that_their_labels_say() -> None:
    """Image k is a constant k, label k: a mixture's pixel is the mean of its labels."""
    constant = np.broadcast_to((10 * np.arange(24, dtype=np.uint8))[:, None, None, None], (24, 1, 2, 2))
    batches = Batches(constant, np.arange(24), 24, 0, mixup=1.0, classes=24)
    ((pixels, labels),) = batches
    expected = labels @ (10 * torch.arange(24.0))
    assert (pixels.float() - expected.view(-1, 1, 1, 1)).abs().max() <= 0.5
    parts = [round(float(p), 6) for p in {float(row.max()) for row in labels}]
    assert len([p for p in parts if p < 1]) == 1, "one share per batch"
    shares = [share(0.2, torch.Generator().manual_seed(seed)) for seed in range(200)]
    assert 0.4 < np.mean(shares) < 0.6 and np.mean([s < 0.05 or s > 0.95 for s in shares]) > 0.4
    assert mixed(
        torch.tensor([0, 255], dtype=torch.uint8), torch.tensor([255, 255], dtype=torch.uint8), 0.3
    ).tolist() == [*(178, 255)]


@pytest.mark.parametrize("mixup", [0.0, 0.7])
def test_processes_divide_each_batch(monkeypatch: pytest.MonkeyPatch, mixup: float) -> None:
    """Three parts, put together in their order, are the batch that one process has."""
    batches = Batches(images(), LABELS, 12, 1, Augment(shift=1, flip=True, crop=0.7), mixup, 5)
    alone = list(batches)
    monkeypatch.setattr("lava_mlsnn.train.batches.size", lambda: 3)
    parts = []
    for mine in range(3):
        monkeypatch.setattr("lava_mlsnn.train.batches.rank", lambda mine=mine: mine)
        parts.append(list(batches))
    for i, (pixels, labels) in enumerate(alone):
        for part in range(3):
            assert torch.equal(parts[part][i][0], pixels[part::3]) and torch.equal(parts[part][i][1], labels[part::3])
    held_out = Batches(images(), LABELS, 10)
    counts = []
    for mine in range(3):
        monkeypatch.setattr("lava_mlsnn.train.batches.rank", lambda mine=mine: mine)
        counts.append(sum(len(labels) for _, labels in held_out))
    assert sum(counts) == 24
    with pytest.raises(ValueError, match="batch: expected a multiple of the 3 processes, got 8"):
        next(iter(Batches(images(), LABELS, 8, 1)))


def test_there_is_one_process_here() -> None:
    assert (world.rank(), world.size()) == (0, 1)
