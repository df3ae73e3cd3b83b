"""Tiny ImageNet: the published layout with generated images, damage, and a network that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lava_mlsnn import data, model
from lava_mlsnn.data import tiny_imagenet
from lava_mlsnn.data._published import PUBLISHED

CLASSES = {"n01443537": "goldfish, Carassius auratus", "n01629819": "crane, bird", "n01641577": "crane, machine"}
COLOURS = ((220, 40, 30), (30, 200, 60), (40, 60, 210))


def write_image(path: Path, colour: tuple[int, int, int], seed: int, mode: str = "RGB", side: int = 64) -> None:
    noise = np.random.default_rng(seed).integers(-20, 21, (side // 8, side // 8, 3)).repeat(8, 0).repeat(8, 1)
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, "JPEG", quality=95)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes, four training images and two validation images of each, as the publisher lays them out."""
    root = tmp_path / tiny_imagenet.FOLDER
    for label, (name, colour) in enumerate(zip(CLASSES, COLOURS, strict=True)):
        for i in range(4):
            write_image(root / "train" / name / "images" / f"{name}_{i}.JPEG", colour, i, "L" if i == 3 else "RGB")
        (root / "train" / name / f"{name}_boxes.txt").write_text(f"{name}_0.JPEG\t0\t10\t63\t58\n")
        for i in range(2):
            write_image(root / "val" / "images" / f"val_{label + 3 * i}.JPEG", colour, 10 + i)
    (root / "wnids.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    words = {**CLASSES, "n00000000": "entity"}
    (root / "words.txt").write_text("".join(f"{name}\t{text}\n" for name, text in words.items()))
    lines = [f"val_{i}.JPEG\t{list(CLASSES)[i % 3]}\t0\t32\t44\t62\n" for i in range(6)]
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    return tmp_path


def test_loads_the_published_layout(folder: Path) -> None:
    done: list[tuple[int, int]] = []
    name = f"tinyimagenet:{folder},complete=no"
    dataset = data.load(name, progress=lambda i, n: done.append((i, n)))
    assert dataset.shape == (3, 64, 64) and dataset.bits == 8 and dataset.num_classes == 3
    assert dataset.labels == ("goldfish", "crane (n01629819)", "crane (n01641577)")
    assert dataset.train_labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert dataset.test_labels.tolist() == [0, 1, 2, 0, 1, 2] and done == [(18, 18)]
    for images, labels in ((dataset.train_images, dataset.train_labels), (dataset.test_images, dataset.test_labels)):
        for image, label in zip(images, labels, strict=True):
            means = image.reshape(3, -1).mean(1)
            if not np.array_equal(image[0], image[1]):
                assert np.abs(means - COLOURS[label]).max() < 12  # channels first, in the order red, green, blue
    grey = dataset.train_images[3]
    assert np.array_equal(grey[0], grey[1]) and np.array_equal(grey[0], grey[2])
    inner = data.load("tinyimagenet", folder / tiny_imagenet.FOLDER, complete=False)
    assert np.array_equal(inner.train_images, dataset.train_images)
    assert data.registry.guess(folder) == "tinyimagenet"


def test_images_are_pillows(folder: Path) -> None:
    path = folder / tiny_imagenet.FOLDER / "train" / "n01443537" / "images" / "n01443537_0.JPEG"
    with Image.open(path) as image:
        wanted = np.asarray(image).transpose(2, 0, 1)
    assert np.array_equal(tiny_imagenet.read_image(path), wanted)


def test_a_part_is_not_the_published_data(folder: Path) -> None:
    with pytest.raises(
        ValueError, match="is not the published data: classes: 3, expected 200; train images: 12 images"
    ):
        data.load(f"tinyimagenet:{folder}")
    findings = {f.what: f for f in data.registry.check("tinyimagenet", folder)}
    assert [f.passed for f in findings.values()] == [False, False, False, True]
    assert findings["images"].detail == "18 can be read"


def test_damage_is_named(folder: Path) -> None:
    root = folder / tiny_imagenet.FOLDER
    path = root / "train" / "n01443537" / "images" / "n01443537_1.JPEG"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"n01443537_1\.JPEG: expected a JPEG of 64 x 64"):
        data.load("tinyimagenet", folder, complete=False)
    finding = data.registry.check("tinyimagenet", folder)[-1]
    assert not finding.passed and "1 damaged, the first:" in finding.detail
    write_image(path, COLOURS[0], 0, side=32)
    with pytest.raises(ValueError, match="an image of 32 x 32, expected 64 x 64"):
        data.load("tinyimagenet", folder, complete=False)
    Image.new("RGB", (64, 64)).save(path, "PNG")
    with pytest.raises(ValueError, match=r"n01443537_1\.JPEG: expected a JPEG"):
        data.load("tinyimagenet", folder, complete=False)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("wnids.txt", "n01443537\nn01443537\n", "names 'n01443537' twice"),
        ("wnids.txt", "", "is empty; expected one WordNet name per line"),
        ("val/val_annotations.txt", "val_0.JPEG\tn9\t0\t0\t1\t1\n", "line 1: class 'n9' is not in wnids.txt"),
        ("val/val_annotations.txt", "\nval_9.JPEG\tn01443537\t0\n", "line 2: there is no image val/images/val_9.JPEG"),
        ("val/val_annotations.txt", "../x.JPEG\tn01443537\t0\n", "there is no image val/images/../x.JPEG"),
        ("val/val_annotations.txt", "", "no images of both parts"),
    ],
)
def test_lists_that_do_not_fit(folder: Path, file: str, text: str, words: str) -> None:
    (folder / tiny_imagenet.FOLDER / file).write_text(text)
    with pytest.raises(ValueError, match=words):
        data.load("tinyimagenet", folder, complete=False)


def test_missing_copy_says_how_to_get_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("MLSNN_DATA", raising=False)
    with pytest.raises(ValueError, match=r"get tiny-imagenet-200\.zip \(248,100,043 bytes"):
        data.load(f"tinyimagenet:{tmp_path}")
    assert "wnids.txt" in PUBLISHED["tinyimagenet"].layout


def test_the_papers_network_reads_it(folder: Path) -> None:
    import torch

    dataset = data.load("tinyimagenet", folder, complete=False)
    net = model.create("window_cnn12", in_shape=dataset.shape, num_classes=3, width=2, mixing="channel")
    assert net(torch.from_numpy(dataset.test_images[:2].copy())).shape == (2, 3)
