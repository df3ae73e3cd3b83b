"""Commands that are interrupted (SIGINT) or killed (SIGKILL) at random moments, then given again: the same results.

``python tests/campaigns/signals.py --moments 3 --seed 0 [COMMAND ...]`` prints a line per moment, and tallies. After
each signal no process is left, nothing new lies in /dev/shm, and whatever stands under a final name can be read; after
SIGINT there is one line and exit code 130. Afterwards, nothing of the broken run is left beside the results.

Where others use /dev/shm, give it one of its own: ``unshare -m sh -c 'mount -t tmpfs none /dev/shm; python ...'``.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from lava_mlsnn import cli, data, model, netx, sim, train
from lava_mlsnn.helpers import starting
from lava_mlsnn.helpers.sealed import unsealed

PATIENCE = 60
"""Seconds that a signaled process may take to end."""

VOLATILE = ("seconds", "digest")
"""Times, and what depends on them: an outcome has a digest of itself (those of networks are compared as files)."""

LEFT = (".part", ".partial.npz", ".lock")


@dataclass(frozen=True)
class Job:
    """A command and how it goes on.

    Args:
        command: arguments of mlsnn, in a folder that holds the nets of :func:`prepare`.
        goes_on: what is added the second time, told the folder.
        same: whether the results of two folders are the same; None for "all files are".
    """

    command: str
    goes_on: Callable[[Path], str] = lambda folder: ""
    same: Callable[[Path, Path], str] | None = None


def _resume(folder: Path) -> str:
    return "--resume" if (folder / "t/last.ckpt").exists() else ""


def _trials(folder: Path, other: Path) -> str:
    """Searches draw at random: as many trials."""
    trials = (_json(place / "s.journal.json")["trials"] for place in (folder, other))
    counts = [sum(trial["value"] is not None for trial in found) for found in trials]
    return "" if min(counts) >= 2 else f"finished trials: {counts}"


_RECIPE = "--quantized-epochs 1 --batch 64"
_SWEEP = f"sweep mlp -m hidden=8 -s lr=0.01..0.1 --trials 2 --epochs 2 {_RECIPE} --study s.journal"
JOBS = {
    "train": Job(f"train mlp -m hidden=16 --epochs 4 {_RECIPE} --validation 0.2 --out t", _resume),
    "simulate": Job("simulate big.net --data many.npz"),
    "fused": Job("simulate net.net --lava fused --samples 40"),
    "layers": Job("simulate net.net --lava layers --samples 6"),
    "export": Job("export model.safetensors -o x.net"),
    "sweep": Job(_SWEEP, same=_trials),
    "reproduce": Job("reproduce paper002-table7 --seeds 0 --epochs 1 --quantized-epochs 0 --out r"),
    "report": Job("report big.net --data many.npz"),
    "demo": Job("demo --out d --fused 2 --layers 1"),
}


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder; one of tempfile would be removed at the exit of a forked process, too."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def prepare(folder: Path) -> None:
    """A small trained network for the commands that read one, and a larger one with thousands of images."""
    run(folder, f"train mlp -m hidden=16 --epochs 1 {_RECIPE} --out made")
    run(folder, "export made/model.safetensors -o net.net")
    run(folder, f"train sparse_resnet18 -m width=24 -m blocks=1,1 --epochs 1 {_RECIPE} --out large")
    run(folder, "export large/model.safetensors -o big.net")
    (folder / "made/model.safetensors").rename(folder / "model.safetensors")
    digits = data.load("digits")
    images, labels = (np.concatenate([getattr(digits, f"test_{what}")] * 9) for what in ("images", "labels"))
    np.savez(folder / "many.npz", images=images, labels=labels)
    for name in ("made", "large"):
        shutil.rmtree(folder / name)
    for path in folder.glob("*.json"):
        path.unlink()


class Started:
    """A command in a process of its own, forked from this one, which has imported everything.

    Starting Python and importing torch would take most of the time, and most of the random moments.
    """

    def __init__(self, folder: Path, command: str) -> None:
        self.streams = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._run(folder, command.split())

    def _run(self, folder: Path, arguments: list[str]) -> None:
        code: Any = 1
        try:
            os.setsid()  # what it starts can be found
            for number, stream in enumerate(self.streams, 1):
                os.dup2(stream.fileno(), number)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            starting.begin()
            os.chdir(folder)
            cli.app(arguments)
        except SystemExit as error:
            code = error.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)

    def poll(self) -> int | None:
        """Its exit code, None as long as it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, seconds: float) -> bool:
        """Whether it has ended after so many seconds at most."""
        deadline = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.returncode is not None

    def said(self) -> str:
        """Its standard error."""
        self.streams[1].seek(0)
        return self.streams[1].read()


def ready() -> None:
    """Import what commands import, compile what the engine compiles, and have the demo's trainings end soon."""
    for name in ("netx", "sim", "proc", "report", "papers", "energy", "loihi2"):
        importlib.import_module(f"lava_mlsnn.{name}")
    importlib.import_module("optuna")
    torch.set_num_threads(1)
    train.RECIPES["digits"] = train.recipe("digits", epochs=2, quantized_epochs=1, batch=128)
    for name, experiment in train.EXPERIMENTS.items():
        train.EXPERIMENTS[name] = replace(experiment, options={**experiment.options, "width": 4})
    dense = netx.Connection("input", netx.Dense([[1, 2], [3, 4]]))
    graph = netx.NetGraph(netx.Input((2, 1, 1)), (netx.Layer("a", (dense,), (2, 1, 1), netx.MultiLevel(4, 8)),))
    sim.run(graph, np.ones((3, 2, 1, 1), np.uint8), threads=1)


def few_digits() -> None:
    """A tenth of the digits, for a command that takes all of them several times."""
    digits, module = data.load("digits"), importlib.import_module("lava_mlsnn.data.digits")
    names = [f"{side}_{what}" for side in ("train", "test") for what in ("images", "labels")]
    few = replace(digits, **{name: getattr(digits, name)[::10] for name in names})
    module.load = lambda: few


def run(folder: Path, command: str) -> float:
    """To its end; its seconds."""
    began = time.monotonic()
    process = Started(folder, command)
    if not process.wait(900) or process.returncode:
        raise AssertionError(f"{command}: exit code {process.returncode}: {process.said()[-500:]}")
    return time.monotonic() - began


def left_over(session: int) -> list[str]:
    """Processes of a session, after at most three seconds; they are ended."""
    deadline = time.monotonic() + 3
    while True:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        if not found or time.monotonic() > deadline:
            names = [f"{process.pid} {process.name()}" for process in found]
            for process in found:
                with suppress(psutil.Error):
                    process.kill()
            return names
        time.sleep(0.1)


def _json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    for name in VOLATILE:
        content.pop(name, None)
    return content


READERS: dict[str, Callable[[Path], Any]] = {
    ".json": _json,
    ".net": lambda path: netx.digest(netx.load(path)),
    ".safetensors": lambda path: {name: t.tolist() for name, t in model.load(path).state_dict().items()},
    ".ckpt": lambda path: len(unsealed(path)) > 0,
    ".html": lambda path: path.read_text(encoding="utf-8").split("</html>")[1],
    ".png": lambda path: path.read_bytes().split(b"IEND")[1],
    ".csv": lambda path: path.read_text(),
    ".md": lambda path: path.read_text(),
}


def contents(folder: Path) -> dict[str, Any]:
    """What can be read of the results; an error names the file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in READERS and not hidden:
            try:
                found[str(path.relative_to(folder))] = READERS[path.suffix](path)
            except Exception as error:
                raise AssertionError(f"half written: {path.name}: {type(error).__name__} {error}") from None
    return found


def difference(job: Job, folder: Path, whole: Path) -> str:
    """Of the results of two folders, in words."""
    mine, theirs = contents(folder), contents(whole)
    if job.same is not None:
        return job.same(folder, whole)
    names = sorted(mine.keys() ^ theirs.keys()) or [name for name in mine if mine[name] != theirs[name]]
    return f"results differ: {', '.join(names)}" if names else ""


def moment(job: Job, files: Path, whole: Path, after: float, number: int) -> str:
    """One interruption ``after`` seconds and what follows; "" or what is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="moment-"))
    shutil.copytree(files, folder, dirs_exist_ok=True)
    shared = set(os.listdir("/dev/shm"))
    try:
        process = Started(folder, job.command)
        if not process.wait(after):
            (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # as a terminal does
        if not process.wait(PATIENCE):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)
            return f"goes on in spite of the signal: {process.said()[-300:]}"
        code, err = process.returncode, process.said()
        if (names := left_over(process.pid)) or (names := sorted(set(os.listdir("/dev/shm")) - shared)):
            return f"left: {', '.join(names)}"
        if number == signal.SIGINT and code not in (0, 130):
            return f"exit code {code} after SIGINT: {err[-300:]}"
        if code == 130 and ("Traceback" in err or err.count("interrupted:") != 1):
            return f"more or less than a line: {err[-300:]}"
        contents(folder)
        run(folder, f"{job.command} {job.goes_on(folder)}" if not _finished(job, folder) else "info")
        names = sorted(path.name for path in folder.rglob("*"))
        remains = [name for name in names if name.endswith(LEFT) or name.lstrip(".").startswith("owner-")]
        return f"remains: {', '.join(remains)}" if remains else difference(job, folder, whole)
    except AssertionError as error:
        return str(error)
    finally:
        shutil.rmtree(folder)


def _finished(job: Job, folder: Path) -> bool:
    return job.command.startswith("train") and (folder / "t/result.json").exists()


def campaign(name: str, files: Path, moments: int, seed: int, say: Callable[[str], None] = print) -> Counter[str]:
    """Signals at random moments of one command, SIGINT and SIGKILL in turns."""
    job, how, tally = JOBS[name], random.Random(f"{name} {seed}"), Counter[str]()
    if name in ("demo", "reproduce"):
        few_digits()
    with temporary() as place:
        whole = place / "whole"
        shutil.copytree(files, whole)
        seconds = run(whole, job.command)
        for turn in range(moments):
            number = (signal.SIGINT, signal.SIGKILL)[turn % 2]
            after = how.uniform(0.15, seconds)
            wrong = moment(job, files, whole, after, number)
            say(f"{name}: {number.name} after {after:.2f} of {seconds:.2f} s: {wrong or 'equal'}")
            tally["equal" if not wrong else "WRONG"] += 1
    return tally


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", help=f"of {', '.join(JOBS)}")
    parser.add_argument("--moments", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ready()
    with temporary() as made:
        names, total = options.commands or list(JOBS), Counter[str]()
        if not {*names} <= {"train", "sweep", "reproduce", "demo"}:
            prepare(made)
        for chosen in names:
            tally = campaign(chosen, made, options.moments, options.seed)
            print(chosen, dict(tally), flush=True)
            total += tally
    sys.exit(1 if total["WRONG"] else 0)
