"""Events and frames: against a slow loop, their sums, readers of recordings against their writers, damage."""

from __future__ import annotations

import struct
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_formats import aedat2_bytes, aedat4_bomb, aedat4_bytes, aedat31_bytes, nmnist_bytes, random_events

from lava_mlsnn.data import _npy, aedat, integration
from lava_mlsnn.data.integration import Events

WRITERS = {"2.0": aedat2_bytes, "3.1": aedat31_bytes, "4": aedat4_bytes}


@st.composite
def some_events(draw, size=8):
    count = draw(st.integers(0, 40))
    values = {
        name: draw(st.lists(st.integers(0, bound), min_size=count, max_size=count))
        for name, bound in (("x", size - 1), ("y", size - 1), ("p", 1))
    }
    values["t"] = sorted(draw(st.lists(st.integers(0, 60), min_size=count, max_size=count)))
    return {name: np.array(value, np.int64) for name, value in values.items()}


def slow_frames(found, steps, by, sensor, size):
    """The definition, event after event."""
    n, t = len(found["t"]), found["t"]
    frames = np.zeros((2, size, size, steps), np.int64)
    for i in range(n):
        for j in range(steps):
            last = j == steps - 1
            if by == "number":
                inside = j * (n // steps) <= i < (n if last else (j + 1) * (n // steps))
            else:
                d = (t[-1] - t[0]) // steps
                inside = t[0] + j * d <= t[i] and (last or t[i] < t[0] + (j + 1) * d)
            if inside:
                frames[found["p"][i], found["y"][i] * size // sensor, found["x"][i] * size // sensor, j] += 1
    return frames


@given(some_events(), st.integers(1, 7), st.sampled_from(integration.INTEGRATIONS), st.sampled_from([8, 5, 4, 1]))
def test_frames_are_those_of_the_slow_loop_and_lose_no_event(found, steps, by, size):
    frames = integration.frames(Events(**found), steps, by, (8, 8), size)
    np.testing.assert_array_equal(frames, slow_frames(found, steps, by, 8, size))
    assert frames.sum() == len(found["t"])


def test_frames_by_number_hold_as_many_events_each():
    frames = integration.frames(Events(**random_events(1003, 128, 1)), 10)
    assert frames.sum(axis=(0, 1, 2)).tolist() == [100] * 9 + [103]


def test_no_events_are_empty_frames():
    nothing = Events(*np.zeros((4, 0), int))
    for by in integration.INTEGRATIONS:
        assert not integration.frames(nothing, 3, by).any()


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"steps": 0}, "steps: expected an integer in 1 .. 4096, got 0"),
        ({"steps": "4"}, "steps: expected an integer in 1 .. 4096, got '4'"),
        ({"by": "count"}, "by: expected one of number, time, got 'count'"),
        ({"size": 129}, "size: expected an integer in 1 .. 128, got 129"),
        ({"size": True}, "size: expected an integer in 1 .. 128, got True"),
    ],
)
def test_settings_that_are_not_accepted(settings_, message):
    with pytest.raises(ValueError, match=message):
        integration.frames(Events([0], [0], [0], [0]), **{"steps": 1, **settings_})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [128]}, "x = 128 .. 128, expected 0 .. 127"),
        ({"y": [-1]}, "y = -1 .. -1"),
        ({"p": [2]}, "p = 2 .. 2, expected 0 .. 1"),
        ({"t": [1, 2]}, "arrays of different lengths"),
    ],
)
def test_events_that_are_none(change, message):
    with pytest.raises(ValueError, match=message):
        integration.frames(Events(**{"x": [0], "y": [0], "t": [0], "p": [0], **change}), 1)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=20), st.integers(1, 8))
def test_saturation_says_how_many_events_it_cost(counts, bits):
    found, cut = integration.saturated(np.array(counts), bits)
    assert found.max() < 2**bits and int(found.sum()) + cut == sum(counts)


# -- recordings ----------------------------------------------------------------------------------------------------


def same(found: Events, expected: dict) -> None:
    for name in "xytp":
        np.testing.assert_array_equal(getattr(found, name), expected[name])


def written(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("count", [0, 1, 1234])
def test_recordings_are_read_as_written(version, count, tmp_path):
    if version == "4":
        pytest.importorskip("aedat")
    content = random_events(count, 128, 5, 2)
    same(aedat.read(written(tmp_path / "a.aedat", WRITERS[version](content))), content)


@pytest.mark.parametrize("overflow", [False, True])
def test_nmnist_is_read_as_written_and_as_tonic_reads_it(overflow, tmp_path):
    content = random_events(500, 34, 5, 2, 300_000)
    path = written(tmp_path / "a.bin", nmnist_bytes(content, overflow))
    same(aedat.read_nmnist(path), content)
    tonic_io = pytest.importorskip("tonic.io")
    theirs = tonic_io.read_mnist_file(str(path), np.dtype([(name, int) for name in "xytp"]))
    same(Events(*(theirs[name] for name in "xytp")), content)


def test_the_time_overflow_of_a_packet_counts(tmp_path):
    content = random_events(10, 128, 5)
    found = aedat.read(written(tmp_path / "a.aedat", aedat31_bytes(content, overflow=1)))
    np.testing.assert_array_equal(found.t, content["t"] + 2**31)


def test_aedat4_without_the_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "aedat", None)
    path = written(tmp_path / "a.aedat4", aedat4_bytes(random_events(9, 128, 0)))
    with pytest.raises(ValueError, match=r"a\.aedat4: .*lava-mlsnn\[events\]"):
        aedat.read(path)


@settings(max_examples=60)
@given(st.data(), st.sampled_from([*WRITERS, "bin"]))
def test_damage_is_one_clear_error_or_another_recording(tmp_path_factory, draw, version):
    if version == "4":
        pytest.importorskip("aedat")
    content = random_events(60, 34, 1)
    raw = bytearray(nmnist_bytes(content) if version == "bin" else WRITERS[version](content))
    if draw.draw(st.booleans()):
        raw = raw[: draw.draw(st.integers(0, len(raw)))]
    for _ in range(draw.draw(st.integers(0, 2))):
        if raw:
            raw[draw.draw(st.integers(0, len(raw) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    path = written(tmp_path_factory.mktemp("events") / "a.rec", bytes(raw))
    try:
        found = aedat.read_nmnist(path) if version == "bin" else aedat.read(path)
        assert len(found) < 1000
    except ValueError as error:
        assert "a.rec: " in str(error)


@pytest.mark.parametrize("version", WRITERS)
def test_a_cut_recording_is_refused(version, tmp_path):
    raw = WRITERS[version](random_events(300, 128, 1))
    with pytest.raises(ValueError, match=r"a\.aedat: .*cut"):
        aedat.read(written(tmp_path / "a.aedat", raw[:-3]))


def test_a_recording_that_aborts_its_decoder_is_one_error(tmp_path):
    pytest.importorskip("aedat")
    raw = aedat4_bytes(random_events(9, 128, 1)).replace(b"</node", b"</n\xefde", 1)
    with pytest.raises(
        ValueError, match=r"a\.aedat: damaged, or decoding it takes more than 1,07\d,\d+,\d+ bytes of memory"
    ):
        aedat.read(written(tmp_path / "a.aedat", raw))


def test_a_few_kilobytes_that_decode_to_gigabytes_are_one_error(tmp_path):
    pytest.importorskip("aedat")
    path = written(tmp_path / "a.aedat", aedat4_bomb(3 << 30))
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match=r"a\.aedat: cut or damaged \(out of memory\)"):
        aedat.read(path)


def test_a_name_with_a_new_line_is_read(tmp_path):
    pytest.importorskip("aedat")
    content = random_events(9, 128, 5, 2)
    same(aedat.read(written(tmp_path / "a\nb é.aedat4", aedat4_bytes(content))), content)


def test_another_file_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"expected a file that begins with #!AER-DAT2\.0, 3\.1 or 4\.0, got b'GIF89a'"
    ):
        aedat.read(written(tmp_path / "a.aedat", b"GIF89a"))


def huge_npy(shape: str, extra: bytes = b"") -> bytes:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + extra


def test_a_declared_size_is_not_allocated(tmp_path):
    packet = b"#!AER-DAT3.1\r\n#!END-HEADER\r\n" + struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, 2**27, 2**27, 2**27)
    header = b"#!AER-DAT4.0\r\n" + struct.pack("<I", 2**31)
    files = {
        "a.npy": (huge_npy("(1000000000000,)"), _npy.read_npy),
        "b.npy": (huge_npy("(-1, 5)"), _npy.read_npy),
        "c.npy": (huge_npy("(4,)", b"x" * 20), _npy.read_npy),
        "a.aedat": (packet, aedat.read),
        "b.aedat": (header, aedat.read),
    }
    for name, (content, read) in files.items():
        path = written(tmp_path / name, content)
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match=name):
                read(path)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()


@given(st.data())
def test_damaged_numpy_files_are_one_clear_error(tmp_path_factory, draw):
    folder = tmp_path_factory.mktemp("npy")
    np.savez(folder / "a.npz", x=np.arange(9), y=np.arange(3.0))
    raw = bytearray((folder / "a.npz").read_bytes())
    raw = raw[: draw.draw(st.integers(1, len(raw)))]
    raw[draw.draw(st.integers(0, len(raw) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    path = written(folder / "b.npz", bytes(raw))
    try:
        _npy.read_npz(path, ("x", "y"))
    except ValueError as error:
        assert str(error).startswith("b.npz: ")


def test_objects_in_numpy_files_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match=r"a\.npy: Python objects"):
        _npy.read_npy(tmp_path / "a.npy")
