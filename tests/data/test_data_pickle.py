"""The reader of pickled data: what CIFAR needs is read, nothing is ever executed, damage is one clear error."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_formats import Python2Pickle

from lava_mlsnn.data import _pickle, cifar

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.binary(max_size=300) | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.binary(max_size=5) | st.text(max_size=5) | st.integers(0, 300), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from([3, 4]))
def test_plain_data_come_back_as_pickle_reads_them(value, protocol):
    assert _pickle.loads(pickle.dumps({"a": value, b"b": 1}, protocol)) == {"a": value, "b": 1}


@given(
    st.sampled_from(["u1", "<i4", ">i4", "<f8", "b1"]),
    st.lists(st.integers(0, 4), min_size=0, max_size=3),
    st.booleans(),
    st.sampled_from([3, 4]),
)
def test_arrays_come_back_as_pickle_reads_them(dtype, shape, fortran, protocol):
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape), dtype, order="F" if fortran else "C")
    found = _pickle.loads(pickle.dumps({"data": array}, protocol))["data"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_a_batch_of_python_2_is_read_as_pickle_reads_it():
    data = np.random.RandomState(0).randint(0, 256, (300, 3072)).astype(np.uint8)
    content = {
        "batch_label": "x" * 300,
        "labels": list(range(256)) + [300] * 44,
        "data": data,
        "filenames": ["a.png"] * 300,
    }
    raw = Python2Pickle().dumps(content)
    expected, found = pickle.loads(raw, encoding="bytes"), _pickle.loads(raw)
    assert [key.encode() for key in found] == list(expected) == [b"batch_label", b"labels", b"data", b"filenames"]
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key.decode()], value)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def attacks(path: Path) -> dict[str, bytes]:
    """Pickles that make a file when they are executed, each by another operation."""
    command = f"touch {path}".encode()
    text = b"S'" + command + b"'\n"
    unicode = b"\x8c" + bytes([len(command)]) + command
    return {
        "protocol 0": pickle.dumps(Evil(path), 0),
        "protocol 2": pickle.dumps(Evil(path), 2),
        "protocol 4": pickle.dumps(Evil(path), 4),
        "GLOBAL REDUCE": b"cos\nsystem\n(" + text + b"tR.",
        "STACK_GLOBAL REDUCE": b"\x8c\x02os\x8c\x06system\x93" + unicode + b"\x85R.",
        "INST": b"(" + text + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + text + b"o.",
        # subprocess.Popen is a class, so that it can be made by NEWOBJ
        "NEWOBJ": b"csubprocess\nPopen\n(](S'touch'\nS'" + str(path).encode() + b"'\netb.",
        "NEWOBJ plain": b"\x80\x02csubprocess\nPopen\n)\x81}b.",
        "NEWOBJ_EX": b"\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)}\x92.",
        "BUILD": b"\x80\x02cnumpy\ndtype\n}S'a'\ncos\nsystem\nsb.",
        "REDUCE through a container": b"\x80\x02](cos\nsystem\n(" + text + b"tRe.",
        "two dots in a name": b"\x80\x04\x8c\x05numpy\x8c\x0elib.os.system\x93" + unicode + b"\x85R.",
        "numpy's own loader": b"cnumpy\nload\n(" + text + b"tR.",
        "eval": b"c__builtin__\neval\n(S'open(\"" + str(path).encode() + b'","w")\'\ntR.',
        "builtins": b"cbuiltins\nexec\n(S'open(\"" + str(path).encode() + b'","w")\'\ntR.',
        "extension": b"\x80\x02\x82\x01.",
        "persistent id": b"Pabc\n.",
        "binary persistent id": b"\x80\x02U\x03abcQ.",
        "next buffer": b"\x80\x05\x97.",
    }


@pytest.mark.parametrize("how", list(attacks(Path("x"))))
def test_no_pickle_is_executed(how, tmp_path):
    made = tmp_path / "made"
    with pytest.raises(ValueError, match="pickle: "):
        _pickle.loads(attacks(made)[how])
    assert not made.exists()


@pytest.mark.parametrize("how", ["GLOBAL REDUCE", "STACK_GLOBAL REDUCE", "INST", "OBJ", "protocol 2"])
def test_the_attacks_are_real(how, tmp_path):
    made = tmp_path / "made"
    pickle.loads(attacks(made)[how])
    assert made.exists()


def test_calls_with_allowed_names_are_only_those_of_arrays():
    for raw in (
        b"cnumpy\ndtype\n(S'O'\nI0\nI1\ntR.",  # Python objects
        b"cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR.",
        b"cnumpy\nndarray\n(I1\ntR.",
        b"c_codecs\nencode\n(Vabc\nVutf7\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR.",
        b"cnumpy\ndtype\n.",
    ):
        with pytest.raises(ValueError, match="pickle: "):
            _pickle.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc.",
        b"B" + struct.pack("<I", 2**32 - 1) + b"abc.",
        b"T" + struct.pack("<i", -1) + b"abc.",
        b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b"\x82.",  # a memo of four billion places
    ],
)
def test_a_declared_size_is_not_allocated(raw):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="pickle: "):
            _pickle.loads(raw)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_lists_that_hold_others_many_times_or_themselves_are_not_followed():
    many: list = []
    for _ in range(50):
        many = [many] * 50
    circle: list = []
    circle.append(circle)
    for value in (many, circle):
        found = _pickle.loads(pickle.dumps({"data": value, "labels": value, "label_names": [value] * 10}, 2))
        assert len(found["data"]) == len(value)
        batch = pickle.dumps({"data": np.zeros((50, 3072), np.uint8), "labels": value}, 2)
        with pytest.raises(ValueError, match="expected labels, a list of numbers"):
            cifar.parse(cifar.VERSIONS["cifar10"][0], "data_batch_1", batch)
        copy = cifar.Copy("cifar10", cifar.VERSIONS["cifar10"][0], Path("x"))
        with pytest.raises(ValueError, match=r"batches\.meta: names of classes that are no strings"):
            cifar.class_names(copy, {"batches.meta": pickle.dumps({"label_names": [value] * 10}, 2)})


def pairs(how: str) -> bytes:
    """A key whose hash takes 2^60 steps: pairs of one tuple, made by each way to have a tuple twice."""
    again = {
        "DUP": b"2",
        "memo": b"q\x01h\x01",
        "list": b"(eq\x01h\x01",
        "state": b"Nbq\x01h\x01",
        "None": b"N0q\x01h\x01",
    }
    return b"\x80\x02})" + (again[how] + b"\x86") * 60 + b"Ns."


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (pairs("DUP"), "operation DUP"),
        (pairs("memo"), "a tuple or a long string that is used again"),
        (pairs("list"), "keeps what no operation before it made"),
        (pairs("state"), "keeps what no operation before it made"),
        (pairs("None"), "operation POP"),
        (b"\x80\x02})" + b"\x85" * 2_000_000 + b"Ns.", "1,000 tuples"),
        (b"\x80\x02}" + b"]" * 1_000_000 + b".", "1,000,000 operations"),
        (
            b"\x80\x02}K\x01]X" + struct.pack("<I", 1001) + b"x" * 1001 + b"q\x01" + b"h\x01a" * 10 + b"s.",
            "a long string",
        ),
    ],
)
def test_what_costs_more_than_its_place_in_the_file_is_refused(raw, message):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            _pickle.loads(raw)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_large_file_of_python_3_is_read():
    """Each byte string is a call with a tuple there."""
    value = {b"filenames": [b"%05d.png" % i for i in range(50_000)], b"data": np.arange(50_000, dtype=np.uint8)}
    found = _pickle.loads(pickle.dumps(value, 2))
    assert found["filenames"] == value[b"filenames"] and np.array_equal(found["data"], value[b"data"])


@pytest.mark.parametrize(
    "name", ["numpy\ndtype", "numpy.core.multiarray\n_reconstruct", "_codecs\nencode", "numpy\nndarray"]
)
@pytest.mark.parametrize("state", [b"}S'code'\nI1\ns", b"N}S'code'\nI1\ns\x86", b")"])
def test_no_file_sets_an_attribute_of_what_its_names_stand_for(name, state):
    before = {found: dict(vars(found)) for found in (_pickle._Numbers, _pickle._Array, _pickle._Bytes)}
    with pytest.raises(ValueError, match="pickle: "):
        _pickle.loads(b"\x80\x02}(K\x01c" + name.encode() + b"\n" + state + b"bu.")
    assert {found: dict(vars(found)) for found in before} == before


BATCH = Python2Pickle().dumps(
    {"labels": [1, 2, 3], "data": np.arange(12, dtype=np.uint8).reshape(3, 4), "f": ["a", "b"]}
)


@given(st.data())
def test_damage_is_one_clear_error_or_another_value(draw):
    raw = bytearray(BATCH)
    if draw.draw(st.booleans()):
        raw = raw[: draw.draw(st.integers(0, len(raw) - 1))]
    for _ in range(draw.draw(st.integers(0, 3))):
        if raw:
            raw[draw.draw(st.integers(0, len(raw) - 1))] = draw.draw(st.integers(0, 255))
    try:
        _pickle.loads(bytes(raw))
    except ValueError as error:
        assert str(error)


def test_the_writer_of_the_tests_writes_the_operations_of_python_2():
    names = {operation.name for operation, _, _ in pickletools.genops(BATCH)}
    assert {"SHORT_BINSTRING", "BINSTRING", "GLOBAL", "REDUCE", "BUILD", "BINPUT"} <= names
    assert not any("UNICODE" in name or "BYTES" in name for name in names)
