"""Data sets of recordings: every published layout, the cache, parts and damage."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from real_formats import (
    CIFAR10_LABELS,
    aedat2_bytes,
    frames_by_number,
    random_events,
    seed_of,
    write_cifar10dvs,
    write_dvs128,
    write_nmnist,
)

from lava_mlsnn import data
from lava_mlsnn.data import cache, cifar10dvs, dataset, gesture, integration, nmnist, recordings, registry
from lava_mlsnn.data.integration import Events


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def part(name, path, **options):
    return data.load(name, path, **{"complete": False, **options})


@pytest.mark.parametrize("format", ["aedat", "aedat4", "npz", "npy", "frames"])
def test_cifar10dvs_in_every_format(format, tmp_path):
    if format == "aedat4":
        pytest.importorskip("aedat")
    folder = write_cifar10dvs(tmp_path / "dvs", format, per_class=4, seed=1, events=100)
    found = part("cifar10dvs", folder, steps=4)
    assert found.train_images.shape == (30, 2, 128, 128, 4) and found.test_images.shape == (10, 2, 128, 128, 4)
    assert (found.shape, found.steps, found.bits, found.labels) == ((2, 128, 128), 4, 8, tuple(CIFAR10_LABELS))
    expected = {
        (label, frames_by_number(random_events(100, 128, seed_of(1, "Train", label, i), label), 4, 128).tobytes())
        for label in range(10)
        for i in range(4)
    }
    images = np.concatenate([found.train_images, found.test_images])
    labels = np.concatenate([found.train_labels, found.test_labels])
    seen = {(k, np.moveaxis(image, -1, 0).astype(float).tobytes()) for k, image in zip(labels, images, strict=True)}
    assert seen == expected
    assert registry.guess(folder) == "cifar10dvs"


def test_the_split_of_cifar10dvs_is_fixed(tmp_path):
    folder = tmp_path / "dvs"
    for name in CIFAR10_LABELS:
        (folder / name).mkdir(parents=True)
        for i in reversed(range(1000)):
            (folder / name / f"cifar10_{name}_{i}.aedat").touch()
    copy = registry.locate(registry.Spec.parse(f"cifar10dvs:{folder}"))
    assert all(finding.passed for finding in copy.findings())
    assert (len(copy.train), len(copy.test)) == (8000, 2000)
    assert not {one.path for one in copy.train} & {one.path for one in copy.test}
    numbers = [int(one.path.stem.rpartition("_")[2]) for one in copy.test if one.label == 3]
    assert numbers == sorted(numbers) and numbers[:8] == [4, 5, 9, 19, 24, 28, 33, 37]


def test_names_are_in_the_order_of_their_numbers(tmp_path):
    names = ["a_10.npy", "a_2.npy", "a_1.npy", "b_0.npy", "7.npy"]
    assert [p.name for p in recordings.in_order([tmp_path / name for name in names])] == [
        "7.npy",
        "a_1.npy",
        "a_2.npy",
        "a_10.npy",
        "b_0.npy",
    ]


def test_nmnist(tmp_path):
    folder = write_nmnist(tmp_path, per_class=2, test_per_class=1, events=200)
    found = part("nmnist", folder, steps=3, by="time", size=17)
    assert found.train_images.shape == (20, 2, 17, 17, 3) and np.bincount(found.test_labels).tolist() == [1] * 10
    content = random_events(200, 34, seed_of(0, "Train", 3, 1), 3, 300_000)
    expected = integration.frames(Events(**content), 3, "time", (34, 34), 17)
    np.testing.assert_array_equal(found.train_images[7], expected)
    assert sum(nmnist.COUNTS["train"]) == 60000 and sum(nmnist.COUNTS["test"]) == 10000


def test_both_layouts_of_gestures_hold_the_same(tmp_path):
    found = {
        layout: part("dvs128gesture", write_dvs128(tmp_path / layout, layout), steps=2, size=32)
        for layout in ("npy", "aedat")
    }
    for layout in found.values():
        assert (len(layout.train_labels), len(layout.test_labels), layout.num_classes) == (22, 11, 11)
    np.testing.assert_array_equal(found["npy"].train_images, found["aedat"].train_images)
    np.testing.assert_array_equal(found["npy"].test_labels, found["aedat"].test_labels)
    content = random_events(400, 128, seed_of(0, "Train", 5, 2), 5, 4_000_000)
    expected = integration.frames(Events(**content), 2, "number", (128, 128), 32)
    np.testing.assert_array_equal(found["npy"].train_images[11 + 5], expected)


def test_a_file_of_several_gestures_is_read_once(tmp_path, monkeypatch):
    folder = write_dvs128(tmp_path, "aedat")
    read, seen = gesture.aedat.read, []
    monkeypatch.setattr(gesture.aedat, "read", lambda path: (seen.append(path.name), read(path))[1])
    gesture._whole_file.cache_clear()
    part("dvs128gesture", folder)
    assert sorted(seen) == ["user01_led.aedat", "user02_led.aedat", "user24_led.aedat"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("class,start,end\n12,0,5\n", "line 2.*expected a class 1 .. 11"),
        ("class,start,end\n1,9,5\n", "line 2.*start <= end"),
        ("class,start,end\n1,a,5\n", "line 2.*expected class, start, end"),
        (None, "expected its labels in user01_led_labels.csv, which is missing"),
    ],
)
def test_labels_of_gestures_that_make_no_sense(table, message, tmp_path):
    folder = write_dvs128(tmp_path, "aedat")
    path = folder / "user01_led_labels.csv"
    path.unlink() if table is None else path.write_text(table)
    with pytest.raises(ValueError, match=message):
        part("dvs128gesture", folder)


def test_a_list_of_gestures_names_no_file_elsewhere(tmp_path):
    folder = write_dvs128(tmp_path, "aedat")
    (folder / "trials_to_train.txt").write_text("../../secret.aedat\n")
    with pytest.raises(ValueError, match="expected the name of a file beside it"):
        part("dvs128gesture", folder)


# -- complete and right ------------------------------------------------------------------------------------------------


def test_a_part_is_refused_unless_it_is_wanted(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    with pytest.raises(
        ValueError, match=r"N-MNIST in .*: train recordings: 20 recordings, expected 60000: 0 has 2 of 5923"
    ):
        data.load("nmnist", folder)
    folder = write_dvs128(tmp_path / "gesture")
    with pytest.raises(ValueError, match=r"train recordings: 22 recordings, expected 1077.*complete=no"):
        data.load("dvs128gesture", folder)


def test_a_complete_copy_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(nmnist, "COUNTS", {"train": (2,) * 10, "test": (1,) * 10})
    folder = write_nmnist(tmp_path / "nmnist")
    assert "Not checked" not in data.load("nmnist", folder).source
    assert all(finding.passed for finding in data.check("nmnist", folder))


def test_damage_is_named_by_load_and_counted_by_check(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    (folder / "Train" / "4" / "00001.bin").write_bytes(b"x" * 7)
    (folder / "Test" / "0" / "00000.bin").write_bytes(bytes([40, 0, 0, 0, 0]))
    (folder / "Test" / "1" / "00000.bin").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"N-MNIST: Train/4/00001.bin: 7 bytes, expected a multiple of 5.*get this file again"
    ):
        part("nmnist", folder)
    told = {finding.what: finding for finding in data.check("nmnist", folder)}
    assert told["content"].detail.startswith("2 damaged: ") and "00001.bin" in told["content"].detail
    assert "1 recordings without events, the first is Test/1/00000.bin" in told["events"].detail


def test_a_recording_that_ends_the_decoder_is_counted_and_the_others_are_read(tmp_path, monkeypatch):
    pytest.importorskip("aedat")
    folder = write_cifar10dvs(tmp_path / "dvs", "aedat4", per_class=2, events=10)
    path = folder / "cat" / "cifar10_cat_1.aedat4"
    path.write_bytes(path.read_bytes().replace(b"</node", b"</n\xefde", 1))
    started, start = [], subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *args, **settings: (started.append(args), start(*args, **settings))[1]
    )
    told = {finding.what: finding for finding in data.check("cifar10dvs", folder)}
    assert told["content"].detail.startswith("1 damaged: cifar10_cat_1.aedat4: damaged") and len(started) == 2
    with pytest.raises(ValueError, match=r"cat/cifar10_cat_1\.aedat4: damaged"):
        part("cifar10dvs", folder)
    assert len(started) == 3


def test_archives_beside_the_folders_are_checked(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    (folder / "Train.zip").write_bytes(b"half")
    (first, *_) = data.check("nmnist", folder)
    assert first.what == "Train.zip" and not first.passed and "download it again" in first.detail


def test_archives_that_are_still_packed_are_checked(tmp_path):
    (tmp_path / "airplane.zip").write_bytes(b"half")
    first, second = data.check("cifar10dvs", tmp_path)
    assert not first.passed and "0afd5c4bf9ae06af762a77b180354fdd" in first.detail
    assert "still packed" in second.detail


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"frames": np.zeros((3, 2, 128, 128))},
            r"frames \(3, 2, 128, 128\), expected \(T, 2, H, W\) = \(4, 2, 128, 128\)",
        ),
        ({"frames": np.full((4, 2, 128, 128), 0.5)}, "not numbers of events"),
        ({"t": [1], "x": [1]}, "expected arrays t, x, y, p or frames, found"),
        ({"t": [1], "x": [128], "y": [1], "p": [1]}, "x = 128 .. 128"),
        ({"t": [np.nan], "x": [1], "y": [1], "p": [1]}, "t holds values that are no times"),
        ({"t": [[1]], "x": [1], "y": [1], "p": [1]}, r"t is int64 \(1, 1\), expected numbers"),
    ],
)
def test_arrays_that_are_no_recordings(content, message, tmp_path):
    folder = write_cifar10dvs(tmp_path, "npz", per_class=3, events=10)
    np.savez(folder / "bird" / "cifar10_bird_1.npz", **content)
    with pytest.raises(ValueError, match=r"CIFAR10-DVS: bird/cifar10_bird_1.npz: .*" + message):
        part("cifar10dvs", folder, steps=4)


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_frames_are_made_once_and_again_for_other_files_or_options(tmp_path, own_cache, monkeypatch):
    folder = write_nmnist(tmp_path / "nmnist")
    seen = []
    first = part("nmnist", folder, steps=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 30) for i in range(1, 31)]
    again = part("nmnist", folder, steps=2, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == 30 and isinstance(again.train_images, np.memmap)
    np.testing.assert_array_equal(first.train_images, again.train_images)
    part("nmnist", folder, steps=3)
    assert len(list(own_cache.iterdir())) == 2
    path = folder / "Train" / "0" / "00000.bin"
    os.utime(path, ns=(1, 1))
    part("nmnist", folder, steps=2)
    assert len(list(own_cache.iterdir())) == 3
    assert all(sorted(p.name for p in one.iterdir()) == ["about.json", "frames.npy"] for one in own_cache.iterdir())


def test_images_cannot_be_written(tmp_path):
    found = part("nmnist", write_nmnist(tmp_path / "nmnist"))
    with pytest.raises(ValueError, match="read-only"):
        found.train_images[0] = 0


@pytest.mark.parametrize("damage", ["cut", "header", "pixel", "about", "count", "missing", "leftover"])
def test_a_broken_cache_is_made_again(damage, tmp_path, own_cache):
    folder = write_nmnist(tmp_path / "nmnist")
    expected = np.array(part("nmnist", folder).train_images)
    (place,) = own_cache.iterdir()
    raw = (place / "frames.npy").read_bytes()
    if damage == "cut":
        (place / "frames.npy").write_bytes(raw[:-100])
    elif damage == "header":
        (place / "frames.npy").write_bytes(b"?" + raw[1:])
    elif damage == "pixel":
        (place / "frames.npy").write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    elif damage == "about":
        (place / "about.json").write_text("{")
    elif damage == "count":
        text = (place / "about.json").read_text()
        (place / "about.json").write_text(text.replace('"cut": 0', '"cut": 1'))
    else:
        (place / "about.json").unlink()
        if damage == "leftover":  # of a process that was killed: no process has this number
            (place / "frames.npy").rename(place / f".frames.npy.{os.uname().nodename}.{2**22 + 1}.0.part")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(part("nmnist", folder).train_images, expected)
    told = [f"cache {place}: damaged, its frames are made again"]
    assert [str(warning.message) for warning in said] == ([] if damage in ("missing", "leftover") else told)
    assert [p.name for p in own_cache.iterdir()] == [place.name]
    assert sorted(p.name for p in place.iterdir()) == ["about.json", "frames.npy"]
    assert json.loads((place / "about.json").read_text())["tally"]["cut"] == 0


def test_an_error_while_frames_are_made_leaves_nothing(tmp_path, own_cache):
    folder = write_nmnist(tmp_path / "nmnist")
    (folder / "Test" / "9" / "00000.bin").write_bytes(b"x")
    with pytest.raises(ValueError, match="1 bytes"):
        part("nmnist", folder)
    assert list(own_cache.iterdir()) == []


def test_a_kill_while_frames_are_made_leaves_nothing_broken(tmp_path, own_cache):
    folder = write_nmnist(tmp_path / "nmnist")
    script = (
        "import os, signal; from lava_mlsnn import data; "
        f"data.load('nmnist', {str(folder)!r}, complete=False, "
        "progress=lambda done, total: done == 20 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    killed = subprocess.run([sys.executable, "-c", script], timeout=200, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [p.suffix for p in own_cache.glob("*/*")] == [".part"]
    assert len(part("nmnist", folder).train_labels) == 20
    assert sorted(p.name for p in own_cache.glob("*/*")) == ["about.json", "frames.npy"]


def _load(folder, queue):
    queue.put(int(data.load("nmnist", folder, complete=False, steps=2).train_images.sum(dtype=np.int64)))


def test_two_processes_that_want_the_same_frames(tmp_path, own_cache):
    folder = write_nmnist(tmp_path / "nmnist")
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=_load, args=(str(folder), queue)) for _ in range(2)]
    for process in processes:
        process.start()
    sums = [queue.get(timeout=200) for _ in processes]
    for process in processes:
        process.join(timeout=200)
    assert sums == [20 * 300] * 2
    assert len([p for p in own_cache.iterdir() if p.is_dir()]) == 1


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    folder = write_nmnist(tmp_path / "nmnist")
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ValueError, match=r"69,360 bytes of frames, 1,000 free; see MLSNN_CACHE"):
        part("nmnist", folder)


def test_memory_stays_constant(tmp_path):
    folder = tmp_path / "dvs"
    content = aedat2_bytes(random_events(1000, 128, 0))
    for name in CIFAR10_LABELS:
        (folder / name).mkdir(parents=True)
        for i in range(10):
            (folder / name / f"{i}.aedat").write_bytes(content)
    tracemalloc.start()
    try:
        found = part("cifar10dvs", folder, steps=16)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    size = found.train_images.nbytes + found.test_images.nbytes
    one = 8 * 2 * 128 * 128 * 16  # bytes of the counts of a recording
    assert size > 50_000_000 and peak < 5 * one


def test_a_validation_part_of_many_frames_is_memory_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "IN_MEMORY", 1000)
    whole = part("nmnist", write_nmnist(tmp_path / "nmnist", per_class=4), steps=2)
    mapped = whole.validation(0.25, seed=1)
    monkeypatch.undo()
    copied = whole.validation(0.25, seed=1)
    assert isinstance(mapped.train_images, np.memmap) and mapped.test_images.shape == (10, 2, 34, 34, 2)
    for side in ("train", "test"):
        np.testing.assert_array_equal(getattr(mapped, f"{side}_images"), getattr(copied, f"{side}_images"))


def test_pixels_that_fire_too_often_are_cut_and_told(tmp_path):
    folder = write_cifar10dvs(tmp_path, "npz", per_class=3, events=10)
    many = {"t": np.arange(300), "x": np.zeros(300, int), "y": np.zeros(300, int), "p": np.ones(300, int)}
    np.savez(folder / "cat" / "cifar10_cat_0.npz", **many)
    found = part("cifar10dvs", folder)
    assert max(found.train_images.max(), found.test_images.max()) == 255
    assert "45 events above 255 per pixel and frame are left out." in found.source


def test_options_of_recordings_are_part_of_the_name(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    name = f"nmnist:{folder},steps=3,by=time,size=8,complete=no"
    assert data.load(name).train_images.shape == (20, 2, 8, 8, 3)
    assert data.load_for(f"nmnist:{folder},complete=no", 5).steps == 5
    assert data.load_for(name, 5).steps == 3
    assert data.load_for("digits", 5).steps is None
    assert cifar10dvs.SPLIT_SEED == 20250
