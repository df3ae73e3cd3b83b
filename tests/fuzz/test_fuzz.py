"""A minute of damaged files at every door; ``tests/fuzz/fuzz.py`` tries as many as one likes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("nir")
pytest.importorskip("optuna")

import fuzz
from fuzz_files import Door

from lava_mlsnn.graph.errors import NetFileError
from lava_mlsnn.helpers import reading

ROUNDS = int(os.environ.get("MLSNN_FUZZ_ROUNDS", "1500"))
"""Damaged files; many thousands are asked for by MLSNN_FUZZ_ROUNDS."""


@pytest.mark.timeout(600)
def test_damaged_files_are_what_they_were_or_refused_at_every_door():
    command = [sys.executable, fuzz.__file__, "--count", str(ROUNDS), "--seed", "20", "--seconds", "90"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=580)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    lines = re.findall(r"^(\S.*?) +(\d+) +(\d+) +(\d+) +(\d+)$", run.stdout, re.MULTILINE)
    rows = {name: [int(count) for count in counts] for name, *counts in lines}
    equal, different, refused, wrong = rows.pop("all")
    assert wrong == 0 and equal > 9 and different > 9 and refused > 50
    kinds = {name.split()[0] for name in rows}
    wanted = "net nir npz idx recording table folder cifar10 cifar100 emnist pictures model checkpoint outcome journal"
    wanted += " partial counts speech tinyimagenet gestures cache nested records result manifest study options"
    assert {*wanted.split()} <= kinds


def outcome(tmp_path, read, content=b"a b c", **settings):
    """What the campaign makes of one input at a door."""
    target = tmp_path / "x.txt"
    target.write_bytes(content)
    door = Door("x", target, read, **settings)
    os.environ["MLSNN_CACHE"] = str(tmp_path / "cache")
    (_, _, kind, detail, _), *more = fuzz.campaign([(door, content, "whole")], range(1), 0, tmp_path / "scratch")
    assert not more and target.read_bytes() == content
    return kind, detail


def raising(error):
    def read(path):
        raise error

    return read


@pytest.mark.parametrize(
    ("read", "settings", "kind", "detail"),
    [
        (lambda path: "whole", {}, "equal", ""),
        (lambda path: "other", {}, "different", ""),
        (lambda path: "other", {"sealed": True}, "WRONG", "passed its digest"),
        (raising(ValueError("x.txt: no")), {}, "refused", ""),
        (raising(ValueError("x.txt: no")), {"accepted": (NetFileError,)}, "WRONG", "ValueError: x.txt: no"),
        (raising(KeyError("no")), {}, "WRONG", "KeyError: 'no'"),
        (raising(UnicodeDecodeError("utf-8", b"", 0, 1, "no")), {}, "WRONG", "UnicodeDecodeError"),
        (raising(MemoryError("no")), {}, "WRONG", "MemoryError"),
        (raising(ValueError("x.txt: \x1b[2J")), {}, "WRONG", "terminal escapes"),
        (raising(ValueError("x.txt: give allow_pickle=True")), {}, "WRONG", "unsafe advice"),
        (raising(ValueError("x.txt: it takes more memory than there is")), {}, "WRONG", "found no memory"),
        (lambda path: str(len(bytearray(3 << 30))), {}, "WRONG", "MemoryError"),
        (lambda path: os._exit(3), {}, "WRONG", "exit 3"),
        (lambda path: os.abort(), {}, "WRONG", "SIGABRT"),
    ],
)
def test_the_campaign_sees_what_should_not_happen(tmp_path, capsys, monkeypatch, read, settings, kind, detail):
    monkeypatch.setenv("MLSNN_CACHE", "")
    found = outcome(tmp_path, read, **settings)
    assert found[0] == kind and detail in found[1], found


def test_the_campaign_ends_what_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setenv("MLSNN_CACHE", "")
    monkeypatch.setattr(fuzz, "SECONDS", 0.3)
    assert outcome(tmp_path, lambda path: [None for _ in iter(int, 1)]) == ("WRONG", "the process ended: SIGPROF")
    monkeypatch.setattr(fuzz, "PATIENCE", 1)
    assert outcome(tmp_path, lambda path: time.sleep(100)) == ("WRONG", "the process ended: SIGALRM")


def test_inputs_repeat(tmp_path):
    """The same seed and number damage a file in the same way."""
    import random

    from fuzz_mutators import mutated

    content = Path(__file__).read_bytes()
    made = [mutated(content, random.Random(f"1:{i % 50}"), tmp_path / "x") for i in range(100)]
    assert made[:50] == made[50:] and len(set(made)) > 40


def test_other_things_are_put_in_the_place_of_files(tmp_path, monkeypatch):
    """A pipe, a folder, a device, a loop of links ...: what is no file is refused, what is empty or zeros is not."""
    monkeypatch.setenv("MLSNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fuzz, "MISPLACED", 1)
    target = tmp_path / "x.txt"
    target.write_bytes(b"a b c")
    door = Door("x", target, lambda path: reading.opened(path).read(9).hex())
    found = list(fuzz.campaign([(door, b"a b c", "")], range(60), 0, tmp_path / "scratch"))
    assert {kind for _, _, kind, _, _ in found} == {"refused", "different", "equal"}
    assert target.read_bytes() == b"a b c"


def test_structures_are_changed(tmp_path):
    """Of each kind of container another one is made, which still is one."""
    import random
    import sqlite3
    import zipfile

    import h5py
    from fuzz_structure import structural

    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    with h5py.File(tmp_path / "hdf5", "w") as file:
        file["a"], file["b"] = [1, 2], [3]
    with sqlite3.connect(tmp_path / "base") as base:
        base.execute("CREATE TABLE t (a, b)")
        base.execute("INSERT INTO t VALUES (1, 2)")
    base.close()
    (tmp_path / "json").write_text('{"a": 1, "b": [2, {"c": 3}]}')
    (tmp_path / "list").write_text("a,1\nb,2\n")
    for name in ("zip", "hdf5", "base", "json", "list"):
        content = (tmp_path / name).read_bytes()
        made = {structural(content, random.Random(i), tmp_path / "scratch") for i in range(40)} - {None, content}
        assert len(made) > 9, name
        assert {one[:2] for one in made} == {content[:2]} or name in ("json", "list")
    assert structural(b"\x00\x01", random.Random(0), tmp_path / "scratch") is None
