"""Files are read as they are: pipes, devices and folders in their place are refused at once, whoever put them there."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lava_mlsnn.helpers import reading


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind("socket")
        for path, kind in ((pipe, "a pipe"), ("/dev/zero", "a pipe"), ("socket", "a pipe"), (tmp_path, "a directory")):
            with pytest.raises(ValueError, match=f"{Path(path).name}: expected a file, found {kind}"):
                reading.opened(path)
    with pytest.raises(FileNotFoundError):
        reading.opened(tmp_path / "nothing")


def test_a_pipe_that_takes_the_place_of_a_file_meanwhile(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = os.stat(__file__)
    monkeypatch.setattr(reading.os, "stat", lambda path: file)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError, match="pipe: expected a file, found a pipe"):
        reading.opened(pipe)  # would wait for a writer
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_larger_than_expected(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(5))
    assert reading.read_file(path, 5) == bytes(5)
    with pytest.raises(ValueError, match="x: 5 bytes, expected at most 4"):
        reading.read_file(path, 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [('{"a": 1, "b": {"c": 1, "c": 2}}', "it has 'c' twice"), ("[" * 100_000, "recursion"), ("\xff", "line 1")],
)
def test_json_that_is_none(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"x\.json: expected JSON of a test \(.*{why}"):
        reading.read_json(path, "of a test")
