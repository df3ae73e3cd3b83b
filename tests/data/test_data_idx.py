"""MNIST and its kin from idx files, as published, unpacked, in torchvision's layout, from Debian; and damaged ones."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from real_formats import gray_images, idx_bytes, md5, write_idx
from typer.testing import CliRunner

from lava_mlsnn import data
from lava_mlsnn.cli.app import app
from lava_mlsnn.data import _idx, _published, idx, registry


@pytest.fixture(autouse=True)
def only_what_the_test_names(monkeypatch):
    monkeypatch.delenv(registry.VARIABLE, raising=False)
    monkeypatch.setattr(registry, "USUAL", ())


def imported_torchvision():
    """torchvision; the test is skipped without it, and where it does not fit the torch that is installed."""
    try:
        import torchvision
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    return torchvision


def publish(monkeypatch, name, folder, content=True):
    """Have the files of a folder be what is published under a name."""
    known = _published.PUBLISHED[name]
    sums = []
    for one in known.archives:
        path = folder / one.file
        sums.append((md5(path), _idx.content_md5(_idx.File(path).read()) if content else ""))
    monkeypatch.setitem(_published.PUBLISHED, name, replace(known, archives=_published._mnist_like(*sums)))
    monkeypatch.setitem(idx.KINDS, name, replace(idx.KINDS[name], train=40, test=20))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inner", ["", "raw", "FashionMNIST/raw"])
def test_images_are_those_of_the_files_packed_or_not_in_every_layout(tmp_path, packed, inner):
    write_idx(tmp_path / inner, packed=packed)
    found = data.load(f"fashion-mnist:{tmp_path},complete=no")
    for part, seed, images, labels in (
        ("train", 0, found.train_images, found.train_labels),
        ("test", 1, found.test_images, found.test_labels),
    ):
        pixels, classes = gray_images(40 if part == "train" else 20, seed)
        np.testing.assert_array_equal(images[:, 0], pixels)
        np.testing.assert_array_equal(labels, classes)
    assert (found.shape, found.bits, found.input_scale, found.labels[9]) == ((1, 28, 28), 8, 1 / 255, "Ankle boot")


@pytest.mark.parametrize("name", ["mnist", "kmnist", "fashion-mnist"])
def test_torchvision_reads_the_same(tmp_path, name):
    torchvision = imported_torchvision()
    write_idx(tmp_path / idx.FOLDERS[name] / "raw", packed=False)
    theirs = getattr(torchvision.datasets, idx.FOLDERS[name])(tmp_path, train=False)
    ours = data.load(name, tmp_path, complete=False)
    np.testing.assert_array_equal(ours.test_images[:, 0], theirs.data.numpy())
    np.testing.assert_array_equal(ours.test_labels, theirs.targets.numpy())
    assert [label.split(" ")[0] for label in theirs.classes] == [label.split(" ")[0] for label in ours.labels]


def test_a_data_set_is_found_by_itself(tmp_path, monkeypatch):
    write_idx(tmp_path / "fashion-mnist")
    publish(monkeypatch, "fashion-mnist", tmp_path / "fashion-mnist")
    monkeypatch.setattr(registry, "USUAL", (tmp_path,))
    assert data.load("fashion-mnist").source == (
        "Fashion-MNIST, 40 training and 20 test images, the publisher's split."
    )
    with pytest.raises(ValueError, match=r"^MNIST: expected mnist:PATH, or the variable MLSNN_DATA"):
        data.load("mnist")  # the folder beside it holds files of the same names
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path / "other"))
    write_idx(tmp_path / "other" / "MNIST" / "raw", seed=5)
    assert data.load("mnist,complete=no").train_images.shape == (40, 1, 28, 28)
    assert data.load("fashion-mnist").name == "fashion-mnist"


def test_files_of_another_set_with_the_same_names_are_told_apart(tmp_path, monkeypatch):
    write_idx(tmp_path)
    publish(monkeypatch, "fashion-mnist", tmp_path)
    assert registry.guess(tmp_path) == "fashion-mnist"
    with pytest.raises(ValueError, match="KMNIST: found nothing of it in"):
        data.load("kmnist", tmp_path)


def test_what_is_not_published_is_refused_unless_it_is_wanted(tmp_path):
    write_idx(tmp_path)
    with pytest.raises(
        ValueError, match=r"MNIST in .*: train-images-idx3-ubyte.gz: md5 \w+, published f68b3c2d.*"
    ) as error:
        data.load("mnist", tmp_path)
    assert "t10k-labels-idx1-ubyte.gz: md5" in str(error.value) and "complete=no" in str(error.value)
    assert "not checked" in data.load("mnist", tmp_path, complete=False).source


def test_check_tells_published_repacked_unpacked_and_other_files_apart(tmp_path, monkeypatch):
    write_idx(tmp_path)
    publish(monkeypatch, "mnist", tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 9, mtime=1))
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    findings = data.check("mnist", tmp_path)
    assert all(finding.passed for finding in findings) and len(findings) == 6
    assert "of the unpacked content" in findings[0].detail and "of the unpacked content" in findings[3].detail
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.zeros((20, 28, 28), np.uint8))))
    wrong = [finding for finding in data.check("mnist", tmp_path) if not finding.passed]
    assert [finding.what for finding in wrong] == ["t10k-images-idx3-ubyte.gz"]
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    wrong = [finding for finding in data.check("mnist", tmp_path) if not finding.passed]
    assert [(finding.what, finding.detail) for finding in wrong] == [("test images", "missing")]
    with pytest.raises(ValueError, match="no test images"):
        data.load("mnist", tmp_path)


def test_unpacked_files_without_a_published_sum_are_told(tmp_path, monkeypatch):
    write_idx(tmp_path)
    publish(monkeypatch, "kmnist", tmp_path, content=False)
    for path in tmp_path.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    findings = data.check("kmnist", tmp_path)
    assert all(finding.passed for finding in findings)
    assert "no md5 of the unpacked file is published" in findings[0].detail
    data.load("kmnist", tmp_path)


@pytest.mark.parametrize("packed", ["zip", "folder", "torchvision"])
def test_emnist_has_six_sets(tmp_path, packed, monkeypatch):
    for split, first in (("letters", 1), ("balanced", 0)):
        inner = "EMNIST/raw" if packed == "torchvision" else "gzip"
        write_idx(tmp_path / inner, seed=first, packed=packed != "torchvision", stem=f"emnist-{split}-", first=first)
    if packed == "zip":
        with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
            for path in sorted((tmp_path / "gzip").iterdir()):
                archive.write(path, f"gzip/{path.name}")
                path.unlink()
    letters = data.load(f"emnist:{tmp_path},split=letters,complete=no")
    assert letters.name == "emnist-letters" and letters.labels[:2] == ("A", "B") and letters.num_classes == 26
    np.testing.assert_array_equal(letters.train_labels, gray_images(40, 1)[1])
    assert data.load("emnist", tmp_path, complete=False).num_classes == 47
    with pytest.raises(ValueError, match="no train images and no train labels"):
        data.load("emnist", tmp_path, split="digits", complete=False)
    with pytest.raises(ValueError, match="option split: expected one of balanced, byclass"):
        data.load("emnist", tmp_path, split="test")
    findings = {finding.what: finding for finding in data.check("emnist", tmp_path)}
    assert "expected 124800 x 28 x 28, labels 1 .. 26" in findings["letters train images"].detail
    assert ("gzip.zip" in findings) == (packed == "zip")
    for split, kind in tuple(idx.SPLITS.items()):
        monkeypatch.setitem(idx.SPLITS, split, replace(kind, train=40, test=20))
    assert data.load("emnist", tmp_path, split="letters").name == "emnist-letters"


def test_classes_of_emnist_are_torchvisions():
    torchvision = imported_torchvision()
    for split, theirs in torchvision.datasets.EMNIST.classes_split_dict.items():
        ours = [name.lower() if split == "letters" else name for name in idx.SPLITS[split].classes]
        assert ours == [name for name in theirs if name != "N/A"]


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing, expected an idx file"),
        (b"\x89PNG....", "begins with 89 50 4e 47, expected an idx file"),
        (b"\0\0\x08\x03\0\0", "ends within its header: cut"),
        (idx_bytes(np.zeros((2, 3, 3), np.uint8))[:-1], r"declares sizes \(2, 3, 3\), 18 bytes, found 17: cut"),
        (idx_bytes(np.zeros((2, 3, 3), np.uint8)) + b"x", r"declares sizes \(2, 3, 3\), 18 bytes, found more: cut"),
        (idx_bytes(np.zeros(9, np.uint8), (2**31, 28, 28)), "declares sizes .* expected at most"),
        (idx_bytes(np.zeros(9, np.uint8), (2**32 - 1,) * 4), "declares sizes .* expected at most"),
        (gzip.compress(idx_bytes(np.zeros((2, 3, 3), np.uint8)))[:-9], "cut or damaged"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 30, "cut or damaged"),
        (gzip.compress(idx_bytes(np.zeros(9, np.uint8), (10**6,))), "declares sizes .* expected at most"),
    ],
    ids=["empty", "png", "header", "cut", "longer", "sizes", "huge", "gzip-cut", "gzip-damaged", "gzip-sizes"],
)
def test_damaged_files_are_refused_by_name_in_little_memory(tmp_path, content, message):
    write_idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"train-images-idx3-ubyte.gz: .*{message}"):
            data.load("mnist", tmp_path, complete=False)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert any(not finding.passed and "ubyte.gz" in finding.what for finding in data.check("mnist", tmp_path))


def test_a_small_file_that_unpacks_to_very_much_costs_what_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(_idx, "LIMIT", 1 << 20)
    bomb = gzip.compress(idx_bytes(np.zeros((10, 28, 28), np.uint8)) + bytes(1 << 24))
    (tmp_path / "a.gz").write_bytes(bomb)
    huge = gzip.compress(idx_bytes(np.zeros(1 << 24, np.uint8)))
    (tmp_path / "b.gz").write_bytes(huge)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="found more"):
            _idx.File(tmp_path / "a.gz").read()
        with pytest.raises(ValueError, match=r"declares .* expected at most 1,048,576"):
            _idx.File(tmp_path / "b.gz").read(1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_numbers_of_every_type_and_images_of_another_are_told_apart(tmp_path):
    for code, dtype in _idx.TYPES.items():
        array = np.arange(6, dtype=dtype).reshape(2, 3)
        (tmp_path / "x").write_bytes(bytes([0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + array.tobytes())
        np.testing.assert_array_equal(_idx.File(tmp_path / "x").read(), array)
    write_idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx_bytes(np.zeros((20, 784), np.uint8)))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz: uint8 \(20, 784\), expected images"):
        data.load("mnist", tmp_path, complete=False)


def test_an_archive_of_emnist_that_is_damaged(tmp_path):
    write_idx(tmp_path / "gzip", stem="emnist-digits-")
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for path in sorted((tmp_path / "gzip").iterdir()):
            archive.write(path, f"gzip/{path.name}")
    raw = bytearray((tmp_path / "gzip.zip").read_bytes())
    raw[200:260] = bytes(60)
    (tmp_path / "gzip.zip").write_bytes(raw)
    with pytest.raises(ValueError, match=r"emnist-digits-\w+-\w+-idx\d-ubyte.gz: cut or damaged"):
        data.load(f"emnist:{tmp_path / 'gzip.zip'},split=digits,complete=no")


# -- the published data ------------------------------------------------------------------------------------------------


def test_fashion_mnist_of_debian_is_complete_and_right(monkeypatch):
    monkeypatch.undo()
    try:
        found = data.load("fashion-mnist")
    except ValueError as error:
        pytest.skip(f"apt-get install dataset-fashion-mnist ({error})")
    assert found.train_images.shape == (60000, 1, 28, 28) and found.test_images.shape == (10000, 1, 28, 28)
    assert np.bincount(found.train_labels).tolist() == [6000] * 10
    assert np.bincount(found.test_labels).tolist() == [1000] * 10
    assert found.train_labels[:5].tolist() == [9, 0, 0, 3, 0] and int(found.test_images[0].sum()) == 33456
    result = CliRunner().invoke(app, ["data", "check", "fashion-mnist"], catch_exceptions=False)
    assert result.exit_code == 0 and "complete and right" in result.output


def test_a_small_packed_file_of_very_many_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_idx, "UNPACKED", 1 << 20)
    path = tmp_path / "zeros.gz"
    for count, fits in ((1000, True), (1100, False)):
        path.write_bytes(gzip.compress(idx_bytes(np.zeros((count, 1000), np.uint8)), 9, mtime=0))
        if fits:
            assert _idx.File(path).read().shape == (count, 1000)
            continue
        with pytest.raises(
            ValueError, match=r"zeros\.gz: .* expected at most 1,048,576: cut or damaged, or packed too"
        ):
            _idx.File(path).read()
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert _idx.File(plain).read().shape == (1100, 1000)


def test_zeros_behind_a_packed_file_cost_nothing(tmp_path):
    path, images = tmp_path / "images.gz", np.arange(60, dtype=np.uint8).reshape(15, 2, 2)
    content = gzip.compress(idx_bytes(images), mtime=0)
    halves = gzip.compress(idx_bytes(images)[:30]) + gzip.compress(idx_bytes(images)[30:])
    start = time.process_time()
    for whole in (content, content + bytes(1 << 24), halves, halves + b"\0"):
        path.write_bytes(whole)
        np.testing.assert_array_equal(_idx.File(path).read(), images)
    assert time.process_time() - start < 2
    for wrong in (content[:-1], content[:-9], content + b"x", content[:-8] + bytes(8), halves[:-3]):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"images\.gz: cut or damaged"):
            _idx.File(path).read()
