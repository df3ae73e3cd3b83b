"""Load damaged files in a process of its own, so that a crash, a hang or a flood of memory is seen and told.

``python netx_fuzz.py SEED COUNT FILE ...`` overwrites, cuts, swaps and repeats bytes of the files. It prints the number
of each case before it is tried and what came of it, and ends with the growth of its memory.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

MEMORY = 1 << 30
"""What loading may add to the interpreter, in bytes."""

SECONDS = 5
"""Processor time that one file may take; the signal that ends a hang kills the process."""


def damage(data: bytes, rng: random.Random) -> bytes:
    """One to eight small accidents, more often near the start, where the structure is."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not out:
            break
        limit = rng.choice((len(out), len(out), min(len(out), 4096), min(len(out), 512)))
        at = rng.randrange(limit)
        kind = rng.randrange(8)
        if kind < 2:
            out[at] ^= 1 << rng.randrange(8)
        elif kind < 4:
            out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 4:
            size = rng.choice((2, 4, 8))
            out[at : at + size] = rng.choice((b"\xff", b"\x00", b"\x7f"))[:1] * size
        elif kind == 5:
            size, other = rng.randrange(1, 65), rng.randrange(limit)
            out[at : at + size] = out[other : other + size]
        elif kind == 6:
            del out[at : at + rng.randrange(1, 9)]
        else:
            del out[rng.randrange(len(out)) :]
    return bytes(out)


def load(path: Path) -> str:
    """What became of one file: "graph" and its digest, "refused", or what should not have happened."""
    from lava_mlsnn import netx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", netx.WeightWarning)
            graph = netx.load(path, input_shape=None)
    except netx.NetFileError:
        return "refused"
    except BaseException as error:
        return f"WRONG {type(error).__name__}: {error}"[:300]
    return f"graph {netx.digest(graph)}"


def main(seed: int, count: int, *files: str) -> None:
    from lava_mlsnn import netx

    originals = [Path(file).read_bytes() for file in files]
    for file in files:
        netx.load(file)  # imports and caches are not the load's memory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.net"
        for index in range(seed, seed + count):
            rng = random.Random(index)
            which = rng.randrange(len(originals))
            path.write_bytes(damage(originals[which], rng))
            print(index, flush=True)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            start = time.process_time()
            result = load(path)
            slowest = max(slowest, time.process_time() - start)
            signal.setitimer(signal.ITIMER_PROF, 0)
            kind = result.split()[0]
            found[kind] += 1
            if kind == "WRONG":
                print(json.dumps({"case": index, "result": result}), flush=True)
            elif kind == "graph":
                print(json.dumps({"case": index, "file": which, "digest": result.split()[1]}), flush=True)
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(json.dumps({"found": found, "slowest": slowest, "growth": growth}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
