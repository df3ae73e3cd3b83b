"""Event Stream files (``.es``), version 2: events of a DVS, and the changes (not the exposures) of an ATIS.

Source: the specification of neuromorphic-paris/event_stream. ``Event Stream``, three bytes of version, a byte of type
(1 DVS, 2 ATIS), width and height (uint16, little-endian); then events of five bytes: time since the last event and
flags, column, row (uint16 each). DVS: time (bits 7-1), polarity (bit 0), and a byte 0xff adds 127 to the time. ATIS:
time (7-2), polarity (1), whether it is an exposure (0), and a byte 0b111111nn adds 63 n. The lowest row is row 0 there
and the last one here.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..helpers.reading import read_file
from .integration import Events

LIMIT = 1 << 30
"""Bytes of one recording."""

Numbers = NDArray[np.int64]

WINDOW = 256
"""Events that are looked at together; between two overflows there are seldom more."""


def read(path: Path) -> Events:
    """Events of a file; ValueError names it and what is wrong."""
    content = read_file(path, LIMIT)
    if content[:12] != b"Event Stream" or len(content) < 20:
        raise ValueError(f"{path.name}: expected a file that begins with 'Event Stream', got {content[:12]!r}")
    if content[12] != 2 or content[15] not in (1, 2):
        raise ValueError(
            f"{path.name}: version {content[12]}, type {content[15]}; expected version 2 of DVS or ATIS events"
        )
    width, height = struct.unpack_from("<HH", content, 16)
    shift, step = (1, 127) if content[15] == 1 else (2, 63)
    starts, counts, added = _pieces(path.name, content[20:], 0xFF if shift == 1 else 0xFC, step)
    number = np.arange(int(counts.sum()))
    place = np.repeat(starts - 5 * (np.cumsum(counts) - counts), counts) + 5 * number
    raw = np.frombuffer(content, np.uint8, offset=20).astype(np.int64)
    first = raw[place]
    time = np.cumsum(first >> shift) + np.repeat(added, counts)
    x, y = (raw[place + i] | raw[place + i + 1] << 8 for i in (1, 3))
    events = Events(x, height - 1 - y, time, first >> (shift - 1) & 1, (height, width))
    return events if shift == 1 else events[first & 1 == 0]


def _pieces(name: str, body: bytes, lowest: int, step: int) -> tuple[Numbers, Numbers, Numbers]:
    """Pieces of events without an overflow between them: where each starts, how many, what overflows have added so far.

    Bytes from ``lowest`` on are overflows in the place of an event.
    """
    marks = body.translate(bytes(value >= lowest for value in range(256)))
    starts, counts, added = [], [], []
    at = total = 0
    while at < len(body):
        if marks[at]:
            end = marks.find(0, at)
            end = len(body) if end < 0 else end
            run = body[at:end]
            total += step * (len(run) if lowest == 0xFF else sum(byte & 3 for byte in run))
            at = end
            continue
        window = marks[at : at + 5 * WINDOW : 5]
        count = window.find(1)
        count = len(window) if count < 0 else count
        if at + 5 * count > len(body):
            raise ValueError(
                f"{name}: {len(body) - at - 5 * count + 5} bytes at its end, expected events of 5: cut or damaged"
            )
        starts.append(at)
        counts.append(count)
        added.append(total)
        at += 5 * count
    return np.array(starts, np.int64), np.array(counts, np.int64), np.array(added, np.int64)
