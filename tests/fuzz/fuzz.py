"""Damaged files at every door: read as before, read as other content, or refused by an accepted error; nothing else.

``python tests/fuzz/fuzz.py --count 200000 --seed 1 [--only TEXT]`` prints a tally and what should not have
happened; it exits with 1 if there was any of that. Each input has a seed of its own, ``SEED:NUMBER``, which ``--first``
repeats. Files are read in a child process with limits on memory and time, so that crashes, hangs and floods are seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz_files import Door

TESTS = Path(__file__).parents[1]

MEMORY = 1 << 30
"""What reading a file may add to the process, in bytes."""

SECONDS, PATIENCE = 5, 60
"""Processor time, and time, that a file may take; the signal that ends a hang kills the process."""

Finding = tuple[int, str, str, str]
"""Number of the input, door, what became of it, detail."""


MISPLACED = 50
"""Of so many inputs one is no file."""


def attempt(door: Door, whole: str, others: tuple[type[Exception], ...] = ()) -> tuple[str, str]:
    """What became of a damaged file, and what should not have happened; ``others`` are errors of what is no file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = door.read(door.target)
    except (*door.accepted, *others) as error:
        said = str(error)
        if type(error) not in door.accepted and not isinstance(error, others):
            return "WRONG", f"{type(error).__name__}, no plain {door.accepted[0].__name__}: {said[:300]}"
        if not said.isprintable():
            return "WRONG", f"terminal escapes: {said[:300]!r}"
        if "weights_only" in said or "allow_pickle" in said:
            return "WRONG", f"unsafe advice: {said[:300]}"
        if "more memory than" in said or "allocate" in said:
            return "WRONG", f"found no memory: {said[:300]}"
        return "refused", ""
    except BaseException as error:
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        place = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else ""
        return "WRONG", f"{type(error).__name__}: {error!s:.300} ({place})"
    if found == whole:
        return "equal", ""
    return ("WRONG", "other content passed its digest") if door.sealed else ("different", "")


def limited() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)


def child(table: list[tuple[Door, bytes, str]], numbers: range, seed: int, out: int, scratch: Path) -> None:
    """Read the inputs; each is announced before it is tried."""
    from fuzz_mutators import mutated
    from fuzz_structure import misplaced, remove

    limited()
    cumulative = []
    total = 0.0
    for door, _, _ in table:
        total += 1 / door.slow
        cumulative.append(total)
    with os.fdopen(out, "w") as pipe:
        for number in numbers:
            rng = random.Random(f"{seed}:{number}")
            door, content, whole = rng.choices(table, cum_weights=cumulative)[0]
            pipe.write(json.dumps([number, door.name]) + "\n")
            pipe.flush()
            elsewhere = rng.randrange(MISPLACED) == 0
            if elsewhere:
                misplaced(door.target, rng)
            else:
                door.target.write_bytes(mutated(content, rng, scratch))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(PATIENCE)
            start = time.process_time()
            kind, detail = attempt(door, whole, (OSError,) if elsewhere else ())
            spent = time.process_time() - start
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
            remove(door.target)
            door.target.write_bytes(content)
            shutil.rmtree(os.environ["MLSNN_CACHE"], ignore_errors=True)
            pipe.write(json.dumps([number, door.name, kind, detail, round(spent, 3)]) + "\n")
            pipe.flush()


def campaign(table: list[tuple[Door, bytes, str]], numbers: range, seed: int, scratch: Path) -> Iterator[list[Any]]:
    """[number, door, what became of it, detail, seconds] of each input; a child that dies is replaced."""
    from fuzz_structure import remove

    while numbers:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            code = 1
            try:
                child(table, numbers, seed, writing, scratch)
                code = 0
            except BrokenPipeError:  # enough inputs
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writing)
        announced: list[Any] = []
        with os.fdopen(reading) as pipe:
            for line in pipe:
                record = json.loads(line)
                if len(record) > 2:
                    numbers = range(record[0] + 1, numbers.stop)
                    yield record
                    announced = []
                else:
                    announced = record
        _, status = os.waitpid(pid, 0)
        if announced:
            how = signal.Signals(status & 127).name if status & 127 else f"exit {status >> 8}"
            numbers = range(announced[0] + 1, numbers.stop)
            yield [*announced, "WRONG", f"the process ended: {how}", 0.0]
            for door, content, _ in table:
                remove(door.target)
                door.target.write_bytes(content)
        elif status and numbers:
            raise SystemExit(f"the child ended with {status}")


def tally(found: dict[str, Counter[str]]) -> str:
    kinds = ("equal", "different", "refused", "WRONG")
    lines = [f"{'':34}" + "".join(f"{kind:>11}" for kind in kinds)]
    total: Counter[str] = Counter()
    for name in sorted(found):
        total += found[name]
        lines.append(f"{name:34}" + "".join(f"{found[name][kind]:11}" for kind in kinds))
    lines.append(f"{'all':34}" + "".join(f"{total[kind]:11}" for kind in kinds))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--only", default="", help="doors whose name holds this text")
    given = parser.parse_args(arguments)
    sys.path[:0] = [str(TESTS / room) for room in ("", "netx", "nir", "data")]
    from fuzz_files import doors

    wrong, slowest = 0, [0.0, ""]
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = [door for door in doors(Path(folder)) if given.only in door.name]
            table = [(door, door.target.read_bytes(), door.read(door.target)) for door in chosen]
        for door, content, _ in table:  # reading may remove a file, such as a partial result
            door.target.write_bytes(content)
        print(f"{len(table)} doors", flush=True)
        found: dict[str, Counter[str]] = {door.name: Counter() for door, _, _ in table}
        start = time.monotonic()
        numbers = range(given.first, given.first + given.count)
        for number, name, kind, detail, spent in campaign(table, numbers, given.seed, Path(folder) / "scratch"):
            found[name][kind] += 1
            slowest = max(slowest, [spent, f"{name} {number}"])
            if kind == "WRONG":
                wrong += 1
                print(f"WRONG {number} {name}: {detail}", flush=True)
            if (number + 1 - given.first) % 5000 == 0:
                print(tally(found), flush=True)
            if given.seconds is not None and time.monotonic() - start > given.seconds:
                break
        print(tally(found))
        print(f"slowest: {slowest[0]:.2f} s of processor time, {slowest[1]}; {time.monotonic() - start:.0f} s in all")
        print(f"{sum(map(Counter.total, found.values()))} inputs, {wrong} wrong", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
