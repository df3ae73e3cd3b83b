"""Finished trainings: known by the content of what decides their result, read again, never mistaken for one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lava_mlsnn import data, train
from lava_mlsnn.data.integration import Events, saturated
from lava_mlsnn.data.integration import frames as integrated
from lava_mlsnn.train import content
from lava_mlsnn.train.kept import OUTCOME, folder_of

torch.set_num_threads(1)
RECIPE = train.recipe("digits", epochs=1, quantized_epochs=0, batch=20)


def dataset(**changes: Any) -> data.Dataset:
    digits = data.load("digits")
    few = {
        "train_images": digits.train_images[:40],
        "train_labels": digits.train_labels[:40],
        "test_images": digits.test_images[:20],
        "test_labels": digits.test_labels[:20],
    }
    return replace(digits, **{**few, **changes})


def training(of: data.Dataset | None = None, **changes: Any) -> train.Training:
    return replace(train.Training("mlp", {"hidden": (4,)}, of or dataset(), RECIPE), **changes)


def frames(by: str) -> data.Dataset:
    """Four recordings whose events crowd at their beginning: by time and by number they make other frames."""
    random, images = np.random.default_rng(0), []
    for _ in range(4):
        x, y, p = random.integers(0, (8, 8, 2), (30, 3)).T
        times = np.sort(random.integers(0, 1000, 30) ** 2)
        images.append(saturated(integrated(Events(x, y, times, p), 3, by, (8, 8)))[0])
    labels = np.array([0, 1, 0, 1])
    parts = {"train_images": np.stack(images), "train_labels": labels, "test_images": np.stack(images)}
    return data.Dataset("frames", **parts, test_labels=labels, input_scale=1.0, bits=8, labels=("a", "b"))


def folder(of: data.Dataset, **changes: Any) -> Path:
    return folder_of(training(of, **changes), "root", "accuracies")


IMAGES = dataset().train_images
OTHER: dict[str, Callable[[], data.Dataset]] = {
    "mirrored images": lambda: dataset(train_images=IMAGES[..., ::-1].copy()),
    "one pixel": lambda: dataset(train_images=np.where(np.arange(IMAGES.size).reshape(IMAGES.shape), IMAGES, 1)),
    "other test images": lambda: dataset(test_images=IMAGES[20:].copy()),
    "other training labels": lambda: dataset(train_labels=dataset().train_labels[::-1].copy()),
    "other test labels": lambda: dataset(test_labels=dataset().test_labels[::-1].copy()),
    "the same images split otherwise": lambda: dataset(
        train_images=np.concatenate([IMAGES[20:], dataset().test_images]),
        train_labels=np.concatenate([dataset().train_labels[20:], dataset().test_labels]),
        test_images=IMAGES[:20],
        test_labels=dataset().train_labels[:20],
    ),
    "input scale": lambda: dataset(input_scale=1 / 17),
    "bits": lambda: dataset(bits=8),
    "names of classes": lambda: dataset(labels=tuple("abcdefghij")),
    "frames by number": lambda: frames("number"),
    "frames by time": lambda: frames("time"),
}


def test_other_data_have_other_folders() -> None:
    found = {name: folder(make()) for name, make in {"as they are": dataset, **OTHER}.items()}
    assert len({path.name[-10:] for path in found.values()}) == len(found), found
    number, time = frames("number"), frames("time")
    assert number.shape == time.shape and number.steps == time.steps == 3, "only the frames tell them apart"


def test_equal_data_have_the_same_folder(tmp_path: Path) -> None:
    backwards = np.ascontiguousarray(IMAGES[::-1])[::-1]
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for images in (IMAGES.copy(), backwards, np.asfortranarray(IMAGES), mapped):
        assert folder(dataset(train_images=images)) == folder(dataset())
    wide = [dataset(train_images=IMAGES.astype(order + "u2"), bits=16) for order in "<>"]
    assert folder(wide[0]) == folder(wide[1]), "the order of bytes in memory is no content"
    renamed = folder(dataset(name="renamed"))
    assert renamed != folder(dataset()) and renamed.name[-10:] == folder(dataset()).name[-10:]


def test_pixels_are_read_once_and_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, sizes, real = content.fingerprint(dataset()), [], np.ascontiguousarray
    monkeypatch.setattr(content, "CHUNK", 1000)
    monkeypatch.setattr(content.np, "ascontiguousarray", lambda x, t: (sizes.append(x.nbytes), real(x, t))[1])
    one = dataset()
    assert content.fingerprint(one) == expected and 640 < max(sizes) <= 1000 and len(sizes) > 5
    sizes.clear()
    assert content.fingerprint(one) == expected and content.digest(one, "train") and not sizes


def test_what_else_decides_has_another_folder() -> None:
    first = training()
    others = [
        replace(first, model="cnn", options={}),
        replace(first, options={"hidden": (5,)}),
        replace(first, seed=1),
        replace(first, recipe=replace(RECIPE, batch=10)),
        replace(first, recipe=replace(RECIPE, augment=train.Augment(flip=True))),
        replace(first, machine=train.Machine("cpu", precision="bf16")),
        replace(first, start=train.Kept(first, Path(), {"key": {"seed": 1}})),
        replace(first, start=train.Kept(first, Path(), {"key": {"seed": 2}})),
    ]
    folders = [folder_of(one, "root", "accuracies") for one in (first, *others)]
    assert len({*folders, folder_of(first, "root", "other")}) == len(folders) + 1
    assert folder_of(replace(first, machine=train.Machine("cpu")), "root", "accuracies") == folders[0]
    barriers = replace(first, model="sparse_resnet18", options={})
    assert barriers.key["format"] > first.key["format"], "their default gradient has been another one"
    assert "flip" not in json.dumps(first.key), "a later field with a default leaves keys as they are"


def kept(root: Path, one: train.Training | None = None, measured: list[Path] | None = None) -> train.Kept:
    def measure(net: Any, folder: Path) -> dict[str, Any]:
        if measured is not None:
            measured.append(folder)
        return {"accuracy": {"float": 0.5}, "numbers": {3: 1.5}}

    return train.keep(one or training(), root, measure, "accuracies", label="mine")


def test_a_finished_training_is_read_again(tmp_path: Path) -> None:
    measured: list[Path] = []
    first, second = (kept(tmp_path, measured=measured) for _ in range(2))
    assert first.record == second.record and measured == [first.folder] and first.digest == second.digest
    assert first.record["numbers"] == {"3": 1.5} and first.record["epochs"] == len(first.record["history"]) == 1
    assert first.folder.name.startswith("digits-mine-") and first.digest.startswith(first.folder.name[-10:])
    for a, b in zip(first.net().state_dict().values(), second.net().state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert first.net().notes["accuracy"] == {"float": 0.5}
    assert not [path for path in first.folder.iterdir() if path.suffix in (".ckpt", ".part")]
    tuned = kept(tmp_path, training(start=first))
    assert tuned.folder != first.folder and tuned.record["key"]["start"] == first.digest
    initial, trained = tuned.training.network().state_dict(), first.net().state_dict()
    assert all(torch.equal(value, trained[name]) for name, value in initial.items())


def test_an_interrupted_training_goes_on_and_is_the_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = training(recipe=replace(RECIPE, epochs=2))
    whole = kept(tmp_path / "whole", one)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr("lava_mlsnn.train.kept.atomic_write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        kept(tmp_path / "cut", one)
    place = folder_of(one, tmp_path / "cut", "accuracies", "mine")
    assert (place / "last.ckpt").is_file() and not (place / OUTCOME).exists()
    resumed = kept(tmp_path / "cut", one)
    for a, b in zip(whole.net().state_dict().values(), resumed.net().state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert resumed.record["history"] == whole.record["history"] and not (place / "last.ckpt").exists()


def test_a_measurement_that_draws_at_random_repeats() -> None:
    net = {"encoding": "poisson", "levels": 1, "steps": 2, "width": 2, "blocks": (1, 1, 1)}
    one = training(model="s_resnet20", options=net)
    images = torch.from_numpy(one.dataset.test_images[:20].copy())
    drawn: list[torch.Tensor] = []
    logits: list[Any] = []

    def measure(net: Any) -> dict[str, Any]:
        drawn.append(net.input(images))
        logits.append(train.predict(net, one.dataset))
        return {"accuracy": {}}

    for seed in (1, 2):
        torch.manual_seed(seed)
        one.run(measure)
    assert torch.equal(*drawn) and np.array_equal(*logits)
    torch.manual_seed(3)
    net = one.fit().net
    assert not torch.equal(drawn[0], net.input(images)) and np.array_equal(logits[0], train.predict(net, one.dataset))


def test_an_outcome_that_is_not_what_it_was_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path).folder / OUTCOME
    text = path.read_text(encoding="utf-8")
    for changed, message in (
        (text[: len(text) // 2], "expected JSON .*; delete its folder to train again"),
        ("[]", "a record of another training"),
        (text.replace('"seed": 0', '"seed": 1', 1), "a record of another training"),
        (text.replace('"float": 0.5', '"float": 0.9'), "damaged, or edited by hand"),
        (json.dumps({k: v for k, v in json.loads(text).items() if k != "digest"}), "damaged, or edited by hand"),
    ):
        assert changed != text
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            kept(tmp_path)
    path.write_text(text, encoding="utf-8")
    assert kept(tmp_path).record["accuracy"] == {"float": 0.5}
