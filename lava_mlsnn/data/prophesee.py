"""Recordings of Prophesee's cameras: EVT 2.0 and EVT 3.0 (``.raw``) and DAT (``.dat``).

Source: Prophesee's documentation of its data formats. Every file begins with text lines ``% key value``.

**EVT 2.0**: words of 32 bits, little-endian; bits 31-28 are the type. Types 0 and 1 are events of polarity 0 and 1:
time bits 5-0 (27-22), column (21-11), row (10-0). Type 8: time bits 33-6 (27-0) of the events that follow.

**EVT 3.0**: words of 16 bits; bits 15-12 are the type. 8 and 6: time bits 23-12 and 11-0; 0: row (10-0); 2: an event,
polarity (11) and column (10-0); 3: polarity and first column of vectors; 4 and 5: a vector, one event for each bit of
12 or 8 that is set, after which the first column moves on by as many. The time overflows every 16.8 seconds.

**DAT**: after the text, two bytes, the type of events (0 or 12) and their size (8); then time uint32, and uint32 with
column (13-0), row (27-14) and polarity (28); in version 1 column (8-0), row (16-9), polarity (17).

Words of other types (triggers, monitoring) are left out, and so are events before the first time. **EVT 2.1** is
refused: there is no second reader to compare with.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..helpers.reading import read_file
from . import clock
from .integration import Events

LIMIT = 1 << 30
"""Bytes of one recording."""

Words = NDArray[np.int64]


def read_raw(path: Path) -> Events:
    """Events of an EVT 2.0 or 3.0 file; ValueError names the file and what is wrong."""
    text, body = _split(path)
    version = re.search(r"(?:evt |format EVT)(\d)\.?(\d)?", text)  # "evt 2.1" or "format EVT21"
    found = version.expand(r"\1.\2").removesuffix(".0").removesuffix(".") if version else "none"
    if found == "2.1":
        raise ValueError(
            f"{path.name}: EVT 2.1, whose words of 64 bits hold up to 32 events and are not read here, since no other "
            "reader is at hand to compare with: convert the file to EVT 2.0 or 3.0 with Prophesee's tools"
        )
    if found not in ("2", "3"):
        raise ValueError(f"{path.name}: EVT version {found} in its header, expected 2.0 or 3.0")
    return _evt2(path, body, _sensor(text)) if found == "2" else _evt3(path, body, _sensor(text))


def read_dat(path: Path) -> Events:
    """Events of a DAT file; ValueError names the file and what is wrong."""
    text, body = _split(path)
    if not text or len(body) < 2 or body[0] not in (0, 12) or body[1] != 8:
        kind = f"type {body[0]} and size {body[1]}" if text and len(body) > 1 else "no header"
        raise ValueError(f"{path.name}: {kind}, expected a DAT file of events of type 0 or 12 and size 8")
    words = _words(path, body[2:], "<u4", 2).reshape(-1, 2)
    time, place = words[:, 0], words[:, 1]
    if re.search(r"^% *Version +1\b", text, re.MULTILINE | re.IGNORECASE):
        return Events(place & 0x1FF, place >> 9 & 0xFF, time, place >> 17 & 1, _sensor(text), counter=32)
    return Events(place & 0x3FFF, place >> 14 & 0x3FFF, time, place >> 28 & 1, _sensor(text), counter=32)


def _split(path: Path) -> tuple[str, memoryview]:
    """The lines that begin with "%", and what follows."""
    content = read_file(path, LIMIT)
    start = 0
    while content[start : start + 1] == b"%":
        end = content.find(b"\n", start)
        if end < 0:
            raise ValueError(f"{path.name}: no end of the header: cut or damaged")
        is_last = content[start:end].strip().lower() == b"% end"
        start = end + 1
        if is_last:
            break
    return content[:start].decode("latin-1"), memoryview(content)[start:]


def _sensor(text: str) -> tuple[int, int] | None:
    """(H, W) that a header tells in one of several ways."""
    geometry = re.search(r"geometry[ =:]+(\d+)x(\d+)", text, re.IGNORECASE)
    width = re.search(r"\bwidth[ =:]+(\d+)", text, re.IGNORECASE)
    height = re.search(r"\bheight[ =:]+(\d+)", text, re.IGNORECASE)
    if geometry:
        return int(geometry.group(2)), int(geometry.group(1))
    return (int(height.group(1)), int(width.group(1))) if width and height else None


def _words(path: Path, body: memoryview, dtype: str, each: int = 1) -> Words:
    size = np.dtype(dtype).itemsize * each
    if len(body) % size:
        raise ValueError(f"{path.name}: {len(body):,} bytes of events, expected a multiple of {size}: cut or damaged")
    return np.frombuffer(body, dtype).astype(np.int64)


def _last(where: NDArray[np.bool_]) -> Words:
    """For each word, the place of the last one before it, or itself, that is marked; -1 for none."""
    return np.maximum.accumulate(np.where(where, np.arange(len(where)), -1))


def _evt2(path: Path, body: memoryview, sensor: tuple[int, int] | None) -> Events:
    words = _words(path, body, "<u4")
    kind = words >> 28
    last = _last(kind == 8)
    chosen = (kind <= 1) & (last >= 0)
    time = (words[last] & 0xFFFFFFF) << 6
    one = words[chosen]
    return Events(one >> 11 & 0x7FF, one & 0x7FF, time[chosen] | (one >> 22 & 63), one >> 28, sensor, counter=34)


def _evt3(path: Path, body: memoryview, sensor: tuple[int, int] | None) -> Events:
    words = _words(path, body, "<u2")
    kind, value = words >> 12, words & 0xFFF
    high = _last(kind == 8)
    low = _last((kind == 6) | _new_high(kind, value))  # a new time begins at its lowest
    row, base = _last(kind == 0), _last(kind == 3)
    width = np.where(kind == 4, 12, np.where(kind == 5, 8, 0))
    before = np.cumsum(width) - width
    chosen = ((kind == 2) | ((width > 0) & (base >= 0))) & (high >= 0) & (row >= 0)
    at = np.flatnonzero(chosen)
    if not len(at):
        return Events(at, at, at, at, sensor)
    rounds = _high_times(kind, value)
    time = (rounds[high[at]] << 12) + np.where(kind[low[at]] == 6, value[low[at]], 0)
    is_vector = kind[at] != 2
    first = np.where(is_vector, (value[base[at]] & 0x7FF) + before[at] - before[base[at]], value[at] & 0x7FF)
    polarity = np.where(is_vector, value[base[at]], value[at]) >> 11
    bits = np.where(is_vector, value[at] & ((1 << np.maximum(width[at], 1)) - 1), 1)
    event, place = np.nonzero(bits[:, None] >> np.arange(12) & 1)
    return Events((first[event] + place), value[row[at]][event] & 0x7FF, time[event], polarity[event], sensor)


def _new_high(kind: Words, value: Words) -> NDArray[np.bool_]:
    """Words that change the high part of the time; the camera also repeats it."""
    at = np.flatnonzero(kind == 8)
    found = np.zeros(len(kind), bool)
    found[at] = np.concatenate([[True], np.diff(value[at]) != 0])[: len(at)]
    return found


def _high_times(kind: Words, value: Words) -> Words:
    """The high part of the time without its overflows, at the words that tell it."""
    at = np.flatnonzero(kind == 8)
    found = np.zeros(len(kind), np.int64)
    found[at] = clock.unwrap(value[at], 12)
    return found
