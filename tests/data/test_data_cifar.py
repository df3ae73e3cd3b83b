"""CIFAR from files in the published formats: archive and folder, Python and binary version, damage and parts."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_formats import Python2Pickle, cifar_images, md5, write_cifar10, write_cifar100, write_tar

from lava_mlsnn import data
from lava_mlsnn.data import cifar, registry

WRITERS = {"cifar10": write_cifar10, "cifar100": write_cifar100}


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_what_was_written_is_read(name, archive, binary, tmp_path):
    path = WRITERS[name](tmp_path, count=200, seed=3, archive=archive, binary=binary, test_count=40)
    for place in (path, path.parent):
        found = data.load(name, place, complete=False)
        for part, (images, labels) in {
            "train": cifar_images(200, found.num_classes, 3),
            "test": cifar_images(40, found.num_classes, 4),
        }.items():
            np.testing.assert_array_equal(getattr(found, f"{part}_images"), images)
            np.testing.assert_array_equal(getattr(found, f"{part}_labels"), labels)
    assert (found.shape, found.bits, found.input_scale, found.steps) == ((3, 32, 32), 8, 1 / 255, None)
    assert registry.guess(path) == name
    assert "not checked against the published data" in found.source


def test_names_of_classes_come_from_the_files(tmp_path):
    write_cifar10(tmp_path, archive=False)
    path = write_cifar100(tmp_path, binary=True)
    assert data.load("cifar10", tmp_path, complete=False).labels[:2] == ("airplane", "automobile")
    assert data.load("cifar100", path, complete=False).labels[98:] == ("fine98", "fine99")


@pytest.mark.parametrize("binary", [False, True])
def test_coarse_labels(binary, tmp_path):
    path = write_cifar100(tmp_path, binary=binary)
    fine, coarse = (data.load(f"cifar100:{path},complete=no", coarse=coarse) for coarse in (False, True))
    np.testing.assert_array_equal(fine.train_labels // 5, coarse.train_labels)
    assert (coarse.num_classes, coarse.labels[0], coarse.name) == (20, "coarse00", "cifar100-coarse")


def as_published(name, monkeypatch, path):
    """Let the small copy in the folder ``path`` be what was published: its sums and numbers are the expected ones."""
    versions = cifar.VERSIONS[name]
    known = versions[0]
    sums = {part: {file: md5(path / file) for file in getattr(known, part)} for part in ("train", "test", "meta")}
    monkeypatch.setitem(cifar.VERSIONS, name, (replace(known, **sums), *versions[1:]))
    monkeypatch.setitem(cifar.COUNTS, "train", 200)
    monkeypatch.setitem(cifar.COUNTS, "test", 100)


def test_a_complete_copy_loads_and_passes(tmp_path, monkeypatch):
    write_cifar10(tmp_path, count=200, test_count=100, archive=False)
    archive = write_cifar10(tmp_path, count=200, test_count=100)
    as_published("cifar10", monkeypatch, tmp_path / "cifar-10-batches-py")
    assert data.load("cifar10", tmp_path).source.endswith("the publisher's split.")
    assert all(finding.passed for finding in data.check("cifar10", tmp_path))
    packed = data.check("cifar10", archive)
    assert all(finding.passed for finding in packed) and "another archive of the right files" in packed[0].detail


def test_a_part_is_refused_unless_it_is_wanted(tmp_path):
    path = write_cifar10(tmp_path)
    with pytest.raises(
        ValueError, match=r"is not the published data: data_batch_1: .* published c99cafc.*complete=no"
    ) as told:
        data.load("cifar10", path)
    assert "https://www.cs.toronto.edu/~kriz/cifar.html" in str(told.value)
    data.load("cifar10", path, complete=False)


def test_a_changed_pixel_is_found(tmp_path, monkeypatch):
    folder = write_cifar10(tmp_path, count=200, test_count=100, archive=False)
    as_published("cifar10", monkeypatch, folder)
    raw = bytearray((folder / "data_batch_3").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "data_batch_3").write_bytes(raw)
    with pytest.raises(ValueError, match=r"data_batch_3: .*damaged or another file"):
        data.load("cifar10", folder)
    assert [f.what for f in data.check("cifar10", folder) if not f.passed] == ["data_batch_3"]


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    folder = write_cifar10(tmp_path, count=200, test_count=100, archive=False)
    as_published("cifar10", monkeypatch, folder)
    (folder / "data_batch_4").unlink()
    with pytest.raises(ValueError, match="data_batch_4: missing"):
        data.load("cifar10", folder)
    told = {f.what: f.detail for f in data.check("cifar10", folder) if not f.passed}
    assert told["data_batch_4"] == "missing" and "160 images" in told["train images"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_half_downloaded_archive_says_what_to_do(share, tmp_path):
    path = write_cifar10(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(
        ValueError, match=r"cut or damaged at .* it has [\d,]+ bytes, md5 .*170,498,071.*download it again"
    ):
        data.load("cifar10", path)
    (only,) = data.check("cifar10", path)
    assert not only.passed and "cut or damaged" in only.detail


ARCHIVE: list[bytes] = []


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_archive_is_one_clear_error(tmp_path_factory, draw):
    folder = tmp_path_factory.mktemp("cifar")
    if not ARCHIVE:
        ARCHIVE.append(write_cifar10(folder, count=5).read_bytes())
    raw = bytearray(ARCHIVE[0])
    for _ in range(draw.draw(st.integers(1, 3))):
        raw[draw.draw(st.integers(0, len(raw) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    path = folder / "cifar-10-python.tar.gz"
    path.write_bytes(raw)
    for finding in data.check("cifar10", path):
        assert finding.detail
    with pytest.raises(ValueError, match=r"CIFAR-10|cifar-10"):
        data.load("cifar10", path)
    try:
        data.load("cifar10", path, complete=False)
    except ValueError as error:
        assert str(error)


def tar_with(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


@pytest.mark.parametrize("name", ["../data_batch_1", "/etc/data_batch_1", "cifar-10-batches-py/../../x"])
def test_members_that_leave_the_folder_are_refused(name, tmp_path):
    info = tarfile.TarInfo(name)
    info.size = 3
    path = tar_with(tmp_path / "cifar-10-python.tar.gz", info)
    with pytest.raises(ValueError, match="outside its folder; refused"):
        data.load("cifar10", path, complete=False)
    assert [p.name for p in tmp_path.iterdir()] == ["cifar-10-python.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind, tmp_path):
    info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(ValueError, match="link or a device; refused"):
        data.load("cifar10", tar_with(tmp_path / "cifar-10-python.tar.gz", info), complete=False)


def test_a_member_that_declares_a_huge_size_is_not_read(tmp_path):
    info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    info.size = 2**36
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(gzip.compress(info.tobuf()))
    with pytest.raises(ValueError, match="68,719,476,736 bytes, expected at most"):
        data.load("cifar10", tmp_path, complete=False)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


SIZE = b"28 size=4611686018427387904\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header("other", 2**62), "member 'other': 4,611,686,018,427,387,904 bytes, expected at most"),
        (
            header("x", len(SIZE), tarfile.XHDTYPE) + padded(SIZE) + header("a", 0),
            "member 'a': 4,611,686,018,427,387,904",
        ),
        (header("././@LongLink", 2**31, tarfile.GNUTYPE_LONGNAME) + bytes(1 << 16), "a header of 2,147,483,648 bytes"),
        (header("x", 2**31, tarfile.XHDTYPE) + bytes(1 << 16), "a header of 2,147,483,648 bytes"),
        (header("x", 2**31, tarfile.XGLTYPE) + bytes(1 << 16), "a header of 2,147,483,648 bytes"),
        (header("a", 0) * 4000, "unpacks to more than 1,000,000 bytes"),
        ((header("a", 300_000) + bytes(300_032)) * 4, "unpacks to more than 1,000,000 bytes"),
    ],
)
def test_an_archive_takes_neither_memory_nor_time_for_what_it_declares(content, message, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "LIMIT", 1_000_000)
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(content))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=rf"cifar-10-python\.tar\.gz: .*{message}.*; refused"):
            data.load("cifar10", path, complete=False)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_sparse_member_without_its_map_is_damage(tmp_path):
    sparse = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=a\n"
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(
        gzip.compress(header("x", len(sparse), tarfile.XHDTYPE) + padded(sparse) + header("a", 512) + b"9" * 512)
    )
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz: cut or damaged at its beginning"):
        data.load("cifar10", path, complete=False)


def test_a_malicious_batch_is_not_executed(tmp_path):
    made = tmp_path / "made"
    attack = b"cos\nsystem\n(S'touch " + str(made).encode() + b"'\ntR."
    files = {f"cifar-10-batches-py/{name}": attack for name in ("data_batch_1", "test_batch", "batches.meta")}
    path = write_tar(tmp_path / "cifar-10-python.tar.gz", files)
    with pytest.raises(ValueError, match="data_batch_1: pickle: 'os system' is not data"):
        data.load("cifar10", path, complete=False)
    assert any("os system" in finding.detail for finding in data.check("cifar10", path))
    assert not made.exists()


IMAGES = np.zeros((2, 3072), np.uint8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a dict, got list"),
        ({"labels": [1, 2]}, r"expected data uint8 \(n, 3072\), got NoneType"),
        ({"labels": [1, 2], "data": IMAGES[:, :100]}, r"got uint8 \(2, 100\)"),
        ({"labels": [1], "data": IMAGES}, "1 labels for 2 images"),
        ({"labels": ["a", "b"], "data": IMAGES}, "expected labels, a list of numbers"),
        ({"data": IMAGES}, "expected labels, a list of numbers 0 .. 255, got NoneType"),
        ({"labels": [1, 10], "data": IMAGES}, "expected train labels in 0 .. 9, got 0 .. 10"),
    ],
)
def test_a_batch_with_other_content_is_refused_by_name(content, message, tmp_path):
    folder = write_cifar10(tmp_path, archive=False)
    (folder / "data_batch_1").write_bytes(Python2Pickle().dumps(content))
    with pytest.raises(ValueError, match=message):
        data.load("cifar10", folder, complete=False)


def test_a_cut_binary_batch_is_refused_by_name(tmp_path):
    folder = write_cifar10(tmp_path, archive=False, binary=True)
    (folder / "test_batch.bin").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match=r"test_batch\.bin: 100 bytes, expected a multiple of 3073"):
        data.load("cifar10", folder, complete=False)


def test_where_data_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv(registry.VARIABLE, raising=False)
    with pytest.raises(
        ValueError, match=r"CIFAR-10: expected cifar10:PATH, or the variable MLSNN_DATA.*cifar-10-python"
    ):
        data.load("cifar10")
    with pytest.raises(ValueError, match=f"CIFAR-10: found no {tmp_path}/none"):
        data.load(f"cifar10:{tmp_path}/none")
    with pytest.raises(ValueError, match=f"found nothing of it in {tmp_path}"):
        data.load("cifar10", tmp_path)
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match=f"found no {tmp_path}/cifar10 or {tmp_path}; expected there: cifar-10-python"):
        data.load("cifar10")
    write_cifar10(tmp_path)
    assert len(data.load("cifar10,complete=no").test_labels) == 10
    write_cifar10(tmp_path / "cifar10", count=25, archive=False)
    assert len(data.load("cifar10,complete=no").test_labels) == 5


@pytest.mark.parametrize(
    ("name", "root", "message"),
    [
        ("cifar10:/a", "/b", "a path in the name, '/a', and a root, '/b'"),
        ("cifar10:", None, "expected a path after the colon"),
        ("cifar10:/a,coarse=yes", None, "option 'coarse'; expected one of: complete"),
        ("cifar10:/a,complete=5", None, "complete=5; expected yes or no"),
        ("digits:/a", None, "comes with an installed package"),
        ("digits,steps=4", None, "option 'steps'; expected one of: none"),
    ],
)
def test_specifications_that_say_nothing_sensible(name, root, message):
    with pytest.raises(ValueError, match=message):
        data.load(name, root)


@given(
    st.sampled_from(["cifar10", "nmnist"]),
    st.none() | st.from_regex(r"/[a-z][a-z=_.:]{0,9}(/[a-z0-9]{1,5})?", fullmatch=True),
    st.dictionaries(st.sampled_from(["steps", "size", "complete"]), st.integers(0, 999) | st.booleans(), max_size=3),
)
def test_specifications_are_read_as_written(name, path, options):
    words = {True: "yes", False: "no"}
    text = name + (f":{path}" if path else "")
    text += "".join(f",{k}={words[v] if isinstance(v, bool) else v}" for k, v in options.items())
    assert registry.Spec.parse(text) == registry.Spec(name, path, options)


def test_published_sums_are_sums():
    seen = [a.md5 for known in registry.PUBLISHED.values() for a in known.archives]
    seen += [v for versions in cifar.VERSIONS.values() for version in versions for v in version.files.values() if v]
    assert len(set(seen)) == len(seen) and all(len(bytes.fromhex(value)) == hashlib.md5().digest_size for value in seen)
