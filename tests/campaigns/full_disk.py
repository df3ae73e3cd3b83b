"""Every command that writes, on a disk of 1 MB that is full or nearly so, and in a folder that is read-only.

``python tests/campaigns/full_disk.py`` needs the right to mount. A command ends well, or with one line that names a
file of that disk; nothing half-written is left, and with more room the same command works.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import signals

COMMANDS = {
    "train": f"train mlp -m hidden=16 --epochs 1 {signals._RECIPE} --validation 0.2 --out DISK/t",
    "export": "export model.safetensors -o DISK/x.net",
    "stock": "export net.net --format stock -o DISK/x.net",
    "nir": "export net.net --format nir -o DISK/x.nir",
    "simulate": "simulate net.net --json DISK/s.json",
    "energy": "energy net.net --json DISK/e.json",
    "fit": "fit net.net --json DISK/f.json",
    "report": "report net.net -o DISK/r.html",
    "sweep": "sweep mlp -m hidden=8 -s lr=0.01..0.1 --trials 1 --epochs 1 --batch 64 --study DISK/s.journal",
    "reproduce": "reproduce paper000-fig5 --out DISK/r",
    "info": "info --json DISK/i.json",
    "data": "data list --json DISK/l.json",
    "pareto": "pareto point.json -o DISK/p.png",
    "import": "import net.nir --data digits -o DISK/x.net",
    "tutorials": "tutorials DISK/notebooks",
    "demo": "demo --out DISK/d --fused 2 --layers 1",
}
ROOMS = (0, 4_096, 40_960, 66_000, 90_112, 200_704)
"""Bytes that are free; commands ask for 65,536 before they compute."""


@contextmanager
def disk() -> Iterator[Path]:
    """An empty file system of 1 MB; PermissionError where nothing may be mounted."""
    place = Path(tempfile.mkdtemp(prefix="disk-"))
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        place.rmdir()
        raise PermissionError("nothing can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def fill(place: Path, free: int) -> None:
    """Leave about ``free`` bytes."""
    left = shutil.disk_usage(place).free - free
    (place / "filling").write_bytes(bytes(max(left, 0)))


def tried(files: Path, place: Path, command: str) -> tuple[str, str]:
    """How it ended, and what is wrong with that: "" if nothing."""
    process = signals.Started(files, command.replace("DISK", str(place)))
    process.wait(600)
    err = process.said()
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    how = f"exit code {process.returncode}{', ' + errors[0] if errors else ''}"
    if "Traceback" in err or process.returncode not in (0, 2):
        return how, f"no line: {err[-400:]}"
    if process.returncode == 2 and not (len(errors) == 1 and str(place) in errors[0]):
        return how, "the error does not name the file"
    if parts := [path.name for path in place.rglob("*") if path.name.endswith((".part", ".lock"))]:
        return how, f"left: {', '.join(parts)}"
    try:
        signals.contents(place)
    except AssertionError as error:
        return how, str(error)
    return how, ""


def full(files: Path, name: str, room: int) -> tuple[str, str]:
    """A command on a nearly full disk, and again with room."""
    with disk() as place:
        fill(place, room)
        how, wrong = tried(files, place, COMMANDS[name])
        if wrong or how == "exit code 0":
            return how, wrong
        (place / "filling").unlink()
        goes_on = " --resume" if (place / "t/last.ckpt").exists() else ""
        again, wrong = tried(files, place, COMMANDS[name] + goes_on)
        return how, wrong or ("" if again == "exit code 0" else f"with room: {again}")


def read_only(files: Path, name: str) -> tuple[str, str]:
    """A network in a folder where nothing can be written: results lie where the command is given."""
    with disk() as place, signals.temporary() as here:
        shutil.copy(files / "net.net", place / "net.net")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        how, wrong = tried(here, place, f"{name} {place}/net.net")
        there = [path.name for path in here.iterdir()]
        return f"{how}, {', '.join(there)}", wrong or ("" if there else "no result")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", help=f"of {', '.join(COMMANDS)}")
    options = parser.parse_args()
    signals.ready()
    with signals.temporary() as files:
        names, failed = options.commands or list(COMMANDS), False
        if not {*names} <= {"train", "sweep", "reproduce", "info", "data", "tutorials", "demo"}:
            signals.prepare(files)
            signals.run(files, "energy net.net --json point.json")
            signals.run(files, "export net.net --format nir -o net.nir")
        for name in names:
            for room in ROOMS:
                how, wrong = full(files, name, room)
                failed |= bool(wrong)
                print(f"{name}, {room:,} bytes free: {wrong and 'WRONG: '}{wrong or how}", flush=True)
        for name in ("simulate", "energy", "fit", "report", "export --format stock") if not options.commands else ():
            how, wrong = read_only(files, name)
            failed |= bool(wrong)
            print(f"{name}, read-only: {wrong and 'WRONG: '}{wrong or how}", flush=True)
    sys.exit(failed)
