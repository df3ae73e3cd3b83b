"""Recordings of event cameras: AEDAT 2.0, 3.1 and 4, and the five-byte events of N-MNIST.

**AEDAT 2.0** (jAER; CIFAR10-DVS as published): text lines that begin with ``#``, the first ``#!AER-DAT2.0``; then
8 bytes per event, big-endian: address uint32, time uint32 in microseconds. DVS128 addresses: bit 0 polarity, bits 1-7
column, bits 8-14 row. Published recordings are turned: the frames of the literature (and tonic's AEDAT 4 files) are at
(127 - row, 127 - column) with the opposite polarity. DAVIS addresses, told by ``AEChip`` in the header: bit 31 set for
what is no event of a pixel, bits 22-30 row and 12-21 column, both counted from the far end, bit 11 polarity.

**AEDAT 3.1** (cAER; DVS128 Gesture as published): text lines up to ``#!END-HEADER``; then packets of a 28-byte header,
little-endian (type int16, source int16, size of an event, offset of its time, time overflow, capacity, number, valid:
int32), and capacity events. Type 1 is polarity: data uint32 (bit 0 valid, bit 1 polarity, bits 2-16 row, bits 17-31
column) and time int32; time overflow counts 2^31 microseconds. Events that are not valid are left out.

**AEDAT 4** (DV; CIFAR10-DVS as tonic provides it): flatbuffers, mostly compressed; read by the package ``aedat`` (extra
``events``), see :mod:`._aedat4`.

**N-MNIST** (.bin): 5 bytes per event: column, row, polarity (bit 7) and bits 22-16 of the time, bits 15-8, bits 7-0;
time in microseconds. Row 240 is no event: from there on 2^13 is added to the times.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np

from ..helpers.reading import opened, read_file
from . import _aedat4
from .integration import Events

LIMIT = 1 << 30
"""Bytes of one recording; the largest of DVS128 Gesture has some 10^8."""

DAVIS = {b"240": (180, 240), b"346": (260, 346)}
"""(H, W) of the cameras."""


def read(path: Path) -> Events:
    """Events of a recording in any of the AEDAT formats; ValueError names the file and what is wrong."""
    try:
        with opened(path) as file:
            first = file.readline(64)
        if first.startswith(b"#!AER-DAT4"):
            found = _aedat4.read(path)
            (width, height), (x, y, t, p) = found[:2, 0].tolist(), found[:, 1:]
            return Events(x, y, t, p, (height, width) if width and height else None)
        if first.startswith(b"#!AER-DAT3.1"):
            return _read31(read_file(path, LIMIT))
        if first.startswith(b"#!AER-DAT2.0"):
            return _read2(read_file(path, LIMIT))
        raise ValueError(f"expected a file that begins with #!AER-DAT2.0, 3.1 or 4.0, got {first[:16]!r}")
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def read_nmnist(path: Path) -> Events:
    """Events of an N-MNIST file; ValueError names the file and what is wrong."""
    content = read_file(path, LIMIT)
    if len(content) % 5:
        raise ValueError(f"{path.name}: {len(content):,} bytes, expected a multiple of 5: cut or damaged")
    raw = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    overflow = raw[:, 1] == 240
    time = ((raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]) + (np.cumsum(overflow) << 13)
    real = raw[~overflow]
    return Events(real[:, 0], real[:, 1], time[~overflow], real[:, 2] >> 7, counter=23)


def nmnist_bytes(events: Events) -> bytes:
    """The content of an N-MNIST file; ValueError for events that do not fit it: row 240, or 2^23 us, or more."""
    for name, limit in (("x", 256), ("y", 240), ("t", 1 << 23), ("p", 2)):
        values = getattr(events, name)
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < limit:
            raise ValueError(
                f"events: {name} of {values.min()} .. {values.max()}, expected 0 .. {limit - 1} in .bin files"
            )
    columns = (events.x, events.y, events.p << 7 | events.t >> 16, events.t >> 8 & 255, events.t & 255)
    return np.stack(columns, axis=1).astype(np.uint8).tobytes()


def _read2(content: bytes) -> Events:
    start = 0
    while content[start : start + 1] == b"#":
        end = content.find(b"\n", start)
        if end < 0:
            raise ValueError("no end of the header: cut or damaged")
        start = end + 1
    body = memoryview(content)[start:]
    if len(body) % 8:
        raise ValueError(f"{len(body):,} bytes of events, expected a multiple of 8: cut or damaged")
    pairs = np.frombuffer(body, ">u4").reshape(-1, 2).astype(np.int64)
    address = pairs[:, 0]
    chip = re.search(rb"^#.*AEChip:.*davis(\d{3})", content[:start], re.IGNORECASE | re.MULTILINE)
    if chip and chip.group(1) in DAVIS:
        height, width = DAVIS[chip.group(1)]
        pairs = pairs[address >> 31 == 0]
        column, row, polarity = (pairs[:, 0] >> low & mask for low, mask in ((12, 0x3FF), (22, 0x1FF), (11, 1)))
        return Events(width - 1 - column, height - 1 - row, pairs[:, 1], polarity, (height, width), counter=32)
    if len(address) and int(address.max()) >> 15:
        raise ValueError(f"address {int(address.max()):#x}, expected 15 bits: not a DVS128 or DAVIS, or damaged")
    column, row = address >> 1 & 127, address >> 8 & 127
    return Events(127 - row, 127 - column, pairs[:, 1], 1 - (address & 1), (128, 128), counter=32)


def _read31(content: bytes) -> Events:
    marker = content.find(b"#!END-HEADER")
    start = content.find(b"\n", marker) + 1
    if marker < 0 or start == 0:
        raise ValueError("no #!END-HEADER: cut or damaged")
    parts = []
    while start < len(content):
        if len(content) - start < 28:
            raise ValueError(f"{len(content) - start} bytes left at byte {start}, expected a header of 28: cut")
        kind, _, size, _, overflow, capacity, number, _ = struct.unpack_from("<hhiiiiii", content, start)
        start += 28
        if size <= 0 or not 0 <= number <= capacity or start + size * capacity > len(content):
            raise ValueError(f"packet at byte {start - 28}: {capacity} events of {size} bytes: cut or damaged")
        if kind == 1:
            if size != 8:
                raise ValueError(f"packet at byte {start - 28}: polarity events of {size} bytes, expected 8")
            raw = np.frombuffer(content, "<u4", 2 * number, start).reshape(-1, 2).astype(np.int64)
            raw = raw[raw[:, 0] & 1 == 1]
            parts.append(np.c_[raw[:, 0], raw[:, 1] + (overflow << 31)])
        start += size * capacity
    data = np.concatenate([np.zeros((0, 2), np.int64), *parts])
    word = data[:, 0]
    return Events(word >> 17 & 0x7FFF, word >> 2 & 0x7FFF, data[:, 1], word >> 1 & 1)
