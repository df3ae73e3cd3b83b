from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lava_mlsnn.helpers.files import atomic_write, replacing, write_json

LIMITED = """
import resource, sys
from lava_mlsnn.helpers.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    atomic_write(sys.argv[1], b"x" * 10_000)
except OSError as error:
    print(type(error).__name__, error.errno, error)
"""

KILLED = """
import os, signal, sys
from lava_mlsnn.helpers.files import replacing
with replacing(sys.argv[1]) as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)


def names(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir())


def test_text_bytes_and_json(tmp_path: Path):
    assert atomic_write(tmp_path / "a", "µ\n") == tmp_path / "a" and (tmp_path / "a").read_bytes() == b"\xc2\xb5\n"
    atomic_write(str(tmp_path / "a"), b"\x00")
    assert (tmp_path / "a").read_bytes() == b"\x00"
    assert write_json({"a": 1.5}, tmp_path / "new/b.json").read_text(encoding="utf-8") == '{\n "a": 1.5\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json({"a": float("nan")}, tmp_path / "new/b.json")
    assert names(tmp_path) == ["a", "new"] and names(tmp_path / "new") == ["b.json"]


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    path = atomic_write(tmp_path / "a", "old")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), replacing(path) as part:
            part.write_text("half")
            assert path.read_text() == "old" and part.parent == tmp_path
            raise error
    assert names(tmp_path) == ["a"] and path.read_text() == "old"


def test_the_old_file_stands_until_the_new_one_is_complete(tmp_path: Path):
    path = atomic_write(tmp_path / "a", "old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_file_too_large_for_the_disk_is_one_error_that_names_it(tmp_path: Path):
    path = atomic_write(tmp_path / "a", "old")
    done = python(LIMITED, path)
    assert done.stdout.strip() == f"OSError {errno.EFBIG} {path}: cannot be written: File too large", done.stderr
    assert names(tmp_path) == ["a"] and path.read_text() == "old"


def test_a_missing_folder_and_a_folder_in_its_place(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no/a: cannot be written: No such file or directory"):
        atomic_write(tmp_path / "no/a", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="folder: cannot be written: Is a directory"):
        atomic_write(tmp_path / "folder", "")
    assert names(tmp_path) == ["folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="a: cannot be written: Permission denied"):
        atomic_write(tmp_path / "a", "")


def test_an_error_about_another_file_stays_as_it_is(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a") as part:
        part.write_bytes((tmp_path / "source").read_bytes())
    assert caught.value.filename == str(tmp_path / "source") and names(tmp_path) == []


def test_what_a_killed_process_left_goes_with_the_next_write_to_that_path(tmp_path: Path):
    path, other = tmp_path / "a [1].net", tmp_path / "b.net"
    assert python(KILLED, path).returncode == -9 and python(KILLED, other).returncode == -9
    assert len(names(tmp_path)) == 2 and not path.exists()
    with replacing(path) as running:  # of a process that lives
        running.write_text("mine")
        atomic_write(path, "first")
        assert running.exists() and path.read_text() == "first"
    left = names(tmp_path)
    assert path.read_text() == "mine" and len(left) == 2 and left[0].startswith(".b.net.")
    atomic_write(other, "")
    assert names(tmp_path) == [path.name, other.name]


def test_links_are_followed_and_pipes_are_filled(tmp_path: Path):
    path = atomic_write(tmp_path / "a", "old")
    (tmp_path / "link").symlink_to("a")
    atomic_write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and path.read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    atomic_write(tmp_path / "pipe", "through")
    reader.join(10)
    assert read == ["through"] and (tmp_path / "pipe").is_fifo()


def test_permissions_are_those_of_any_new_file_and_long_names_work(tmp_path: Path):
    path, plain = atomic_write(tmp_path / ("ö" * 127), ""), tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


WRITERS = """
import resource, sys
from pathlib import Path

import numpy as np

from lava_mlsnn import model, netx, report, sim
from lava_mlsnn.data import cache
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph

folder = Path(sys.argv[1])
random = np.random.default_rng(0)
dense = Dense(random.integers(-9, 10, (100, 100)))
graph = NetGraph(Input((100, 1, 1)), (Layer("a", (Connection("input", dense),), (100, 1, 1), MultiLevel(1, 100)),))
images = random.integers(0, 255, (400, 100, 1, 1))
activity = sim.run(graph, images[:2], engine="reference").activity
content = report.results("t", [report.network_record("n", graph, activity, {})], report.provenance("c"))
frames = (np.zeros((2, 50, 50, 1), np.uint8) for _ in range(9))
writers = {
    "a.net": lambda path: netx.save(graph, path),
    "a.nir": lambda path: netx.to_nir(graph, path),
    "a.safetensors": lambda path: model.save(model.create("mlp", in_shape=(1, 8, 8), num_classes=10), path),
    "a.npz": lambda path: sim.run_resumable(graph, images, path, piece=200, engine="reference"),
    "a.png": lambda path: report.picture(content, path),
    "frames.npy": lambda path: cache.frames(folder / "cache", (9, 2, 50, 50, 1), lambda: frames, dict),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for name, write in writers.items():
    try:
        write(folder / name)
        print(name, "was written")
    except OSError as error:
        print(error)
"""


def test_whatever_the_library_writes_survives_a_full_disk(tmp_path: Path):
    pytest.importorskip("nir")
    done = python(WRITERS, tmp_path)
    assert done.returncode == 0, done.stderr
    written = ["a.net", "a.nir", "a.safetensors", "a.npz", "a.png", "cache/frames.npy"]
    lines = [line for line in done.stdout.splitlines() if "written" in line]  # packages print warnings, too
    assert lines == [f"{tmp_path}/{name}: cannot be written: File too large" for name in written]
    assert names(tmp_path) == []
