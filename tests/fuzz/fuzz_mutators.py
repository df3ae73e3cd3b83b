"""Damage of every kind: of bytes, inside of containers, of numbers that stand in text, of the structure of HDF5."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
from pathlib import Path

import h5py
import netx_damage
from fuzz_structure import structural

BYTES = (0, 1, 0x1B, 0x7F, 0x80, 0xFF)
LARGE = (0, -1, 2**7, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32, 2**40, 2**62, 2**63, 2**64 - 1)
WORDS = (
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"1e999",
    b"NaN",
    b"-1",
    b"true",
    b"\xff\xfe",
    b"\x1b[2J",
    b"../../x",
    b"[" * 3000,
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to eight small accidents, more often near the start or the end, where the structure is."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not out:
            break
        limit = rng.choice((len(out), len(out), min(len(out), 4096), min(len(out), 512)))
        at = rng.randrange(limit)
        if rng.randrange(6) == 0:
            at = len(out) - 1 - at
        kind = rng.randrange(10)
        if kind < 2:
            out[at] ^= 1 << rng.randrange(8)
        elif kind < 4:
            out[at] = rng.choice((*BYTES, rng.randrange(256)))
        elif kind == 4:
            out[at : at + rng.choice((2, 4, 8))] = rng.choice((b"\xff", b"\x00", b"\x7f")) * rng.choice((2, 4, 8))
        elif kind == 5:
            size, other = rng.randrange(1, 65), rng.randrange(limit)
            out[at : at + size] = out[other : other + size]
        elif kind == 6:
            del out[at : at + rng.randrange(1, 9)]
        elif kind == 7:
            out[at:at] = bytes(rng.choice((*BYTES, rng.randrange(256))) for _ in range(rng.choice((1, 1, 4, 64))))
        elif kind == 8:
            size, order = rng.choice((2, 4, 8)), rng.choice(("little", "big"))
            out[at : at + size] = (rng.choice(LARGE) % 256**size).to_bytes(size, order)
        else:
            del out[rng.randrange(len(out)) :]
    return bytes(out)


def reworded(data: bytes, rng: random.Random) -> bytes:
    """A number or a word of a text (a table, JSON, a header) is another one, larger than meant or of no sense."""
    places = [m.span() for m in re.finditer(rb'-?\d+(?:\.\d+)?|"[^"\n]{0,80}"|\btrue\b|\bnull\b', data[:1_000_000])]
    if not places:
        return damaged(data, rng)
    start, end = rng.choice(places)
    old = data[start:end]
    if old[:1] == b'"':
        new = rng.choice((*WORDS, b'"\\u001b[31m"', b'"' + b"a" * 70_000 + b'"', b'"x"'))
    else:
        new = rng.choice(
            (str(rng.choice(LARGE)).encode(), str(rng.choice(LARGE)).encode(), b"9" * 400, rng.choice(WORDS))
        )
    return data[:start] + new + data[end:]


def inside(data: bytes, rng: random.Random) -> bytes:
    """Damage of what a container holds, so that its sums are right again; of other files damage as it comes."""
    if data[:2] == b"\x1f\x8b":
        return gzip.compress(plainly(gzip.decompress(data), rng), 1)
    if data[:2] == b"PK":
        return _zipped(data, rng)
    size = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and size < len(data) - 8:  # safetensors
        header = _header(data[8 : 8 + size], rng)
        return len(header).to_bytes(8, "little") + header + data[8 + size :]
    return plainly(data, rng)


def plainly(data: bytes, rng: random.Random) -> bytes:
    """Damage of bytes or, where there is a text in front, of its words."""
    return (reworded if data[:1] in b'{["%#0123456789tfx' and rng.randrange(2) else damaged)(data, rng)


def _header(text: bytes, rng: random.Random) -> bytes:
    """A header of JSON, or the JSON in its values, reworded."""
    header = json.loads(text)
    notes = header.get("__metadata__", {})
    if notes and rng.randrange(4):
        key = rng.choice(sorted(notes))
        notes[key] = reworded(notes[key].encode(), rng).decode("utf-8", "replace")
        return json.dumps(header).encode()
    return reworded(text, rng)


def _zipped(data: bytes, rng: random.Random) -> bytes:
    """One member of a zip archive damaged, missing, renamed, twice, or very many zeros."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    at, kind, out = rng.randrange(len(members)), rng.randrange(8), io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for i, (info, content) in enumerate(members):
            fresh = zipfile.ZipInfo(info.filename)
            fresh.compress_type = info.compress_type
            if i == at and kind == 0:
                continue
            if i == at and kind == 1:
                fresh.filename = rng.choice(("../../x", "/x", "\x1b[2J", "x" * 60_000, "é", fresh.filename.upper()))
            elif i == at and kind == 2:
                fresh.compress_type = zipfile.ZIP_DEFLATED
                content = content[: rng.randrange(128)] + bytes(rng.choice((1 << 16, 1 << 24, 1 << 26)))
            elif i == at:
                content = inside(content, rng) if content else b"\0"
            new.writestr(fresh, content)
    return out.getvalue()


def hdf5(data: bytes, rng: random.Random, path: Path) -> bytes:
    """A change of datasets, attributes, links or types of an HDF5 file; ``path`` is used meanwhile."""
    path.write_bytes(data)
    changes = [c for c in netx_damage.CHANGES if c is not netx_damage.layers or b"layer" in data]
    try:
        with h5py.File(path, "r+") as file:
            rng.choice(changes)(file, rng)
    except Exception:  # a change that this file does not take
        return damaged(data, rng)
    return path.read_bytes()


def mutated(data: bytes, rng: random.Random, scratch: Path) -> bytes:
    """A damaged copy of a file's content, by a way that suits it."""
    kind = rng.randrange(5)
    changed = structural(data, rng, scratch) if kind == 4 else None
    if changed is not None:
        return changed
    if data[:4] == b"\x89HDF":
        return hdf5(data, rng, scratch) if kind < 2 else _in_heap(data, rng) if kind == 2 else damaged(data, rng)
    return damaged(data, rng) if kind == 0 else inside(data, rng)


def _in_heap(data: bytes, rng: random.Random) -> bytes:
    """A byte of the global heap, where HDF5 keeps texts of variable length, or any byte where there is none."""
    heap = data.find(b"GCOL")
    if heap < 0:
        return damaged(data, rng)
    out = bytearray(data)
    out[heap + rng.randrange(int.from_bytes(data[heap + 8 : heap + 16], "little"))] = rng.choice((*BYTES, 0xC3, 8))
    return bytes(out)
