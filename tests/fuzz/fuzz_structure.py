"""Damage that knows what it damages: fields of JSON, lines of lists, members of archives, cells of tables, places."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import socket
import sqlite3
import warnings
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import netx_damage

NUMBERS = (-1, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"))
VALUES: tuple[Any, ...] = (None, True, *NUMBERS, "", "x", [], {}, [[]])
CELLS = (None, -1, 2**62, 1e308, "", "x", b"\xff", "[" * 5000, '{"a": 1}', "RUNNING", "COMPLETE", "\x1b[31m", "a\0b")
NAMES = ("a\0b", "a\nb", "\u202egpj.exe", "..", "../../x", "/dev/zero", "x" * 300, "\x1b[31m", "\ud800", "é", " ", "-1")
SHAPES = ("pipe", "folder", "zero", "nothing", "loop", "socket", "sparse", "empty", "itself")


def structural(data: bytes, rng: random.Random, path: Path) -> bytes | None:
    """A copy with its structure changed; None for what has none that is known here."""
    if data[:4] == b"\x89HDF":
        return _hdf5(data, rng, path)
    if data[:6] == b"SQLite":
        return _database(data, rng, path)
    if data[:2] == b"PK":
        return _archive(data, rng)
    size = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and size < len(data) - 8:  # safetensors
        header = _document(data[8 : 8 + size], rng)
        return None if header is None else len(header).to_bytes(8, "little") + header + data[8 + size :]
    if data[:1] in b"{[":
        return _document(data, rng)
    return _lines(data, rng) if b"\n" in data and data[:512].isascii() and b"\0" not in data[:512] else None


def _document(data: bytes, rng: random.Random) -> bytes | None:
    """One field of JSON: twice, of another type, renamed, swapped with another, or very deep."""
    try:
        content = json.loads(data)
    except ValueError:
        return _lines(data, rng)  # several documents
    places: list[tuple[Any, Any]] = []

    def walk(item: Any) -> None:
        inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        for key, value in inner:
            places.append((item, key))
            walk(value)

    walk(content)
    if not places:
        return None
    (place, key), (other, second) = rng.choice(places), rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        place[key], other[second] = other[second], place[key]
    elif kind == 1 and isinstance(place, dict):
        place[rng.choice(NAMES)] = place.pop(key)
    elif kind == 2:
        del place[key]
    elif kind == 3:
        place[key] = "REPLACED"
        return json.dumps(content).encode().replace(b'"REPLACED"', b"[" * 5000 + b"]" * 5000)
    elif kind == 4 and isinstance(place, dict):
        place["DOUBLE"] = rng.choice((place[key], *VALUES))
        return json.dumps(content).encode().replace(b'"DOUBLE"', json.dumps(key).encode())
    else:
        place[key] = rng.choice((*VALUES, *NAMES))
    try:
        return json.dumps(content).encode()
    except (ValueError, RecursionError):  # two fields that hold each other
        return None


def _lines(data: bytes, rng: random.Random) -> bytes:
    """A line twice, missing, elsewhere, very long, or with a strange name in a cell."""
    lines = data.split(b"\n")
    at, other, kind = rng.randrange(len(lines)), rng.randrange(len(lines)), rng.randrange(6)
    if kind == 0:
        lines.insert(other, lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines[at] = lines[at] * 100_000 if len(lines[at]) < 200 else lines[at] * 9
    else:
        mark = next((m for m in (b",", b"\t", b"/", b"=", b" ") if m in lines[at]), b",")
        cells = lines[at].split(mark)
        cells[rng.randrange(len(cells))] = rng.choice(NAMES).encode("utf-8", "surrogatepass")
        lines[at] = mark.join(cells)
    return b"\n".join(lines)


def _archive(data: bytes, rng: random.Random) -> bytes:
    """Two members of one name, members with each other's names, a header that says otherwise than the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    at, other, kind, out = rng.randrange(len(members)), rng.randrange(len(members)), rng.randrange(4), io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as new:
        warnings.simplefilter("ignore")  # of names that are there
        for i, (info, content) in enumerate(members):
            name = info.filename
            if kind == 0 and i in (at, other):
                name = members[other if i == at else at][0].filename
            new.writestr(zipfile.ZipInfo(name), content, info.compress_type)
            if kind == 1 and i == at:
                with_other = members[other][1] if rng.randrange(2) else bytes(len(content))
                new.writestr(zipfile.ZipInfo(name), with_other, info.compress_type)
            elif kind == 2 and i == at:
                new.writestr(zipfile.ZipInfo(rng.choice(NAMES).replace("\ud800", "?")), content)
    made = bytearray(out.getvalue())
    if kind == 3:
        header = made.find(b"PK\x01\x02")
        made[header + rng.choice((20, 24, 28, 42)) + rng.randrange(4)] ^= 1 << rng.randrange(8)
    return bytes(made)


def _hdf5(data: bytes, rng: random.Random, path: Path) -> bytes | None:
    """Two datasets have each other's places, or one is there twice, in another type or as another's attribute."""
    path.write_bytes(data)
    try:
        with h5py.File(path, "r+") as file:
            names = netx_damage._datasets(file)
            one, other = rng.choice(names), rng.choice(names)
            kind = rng.randrange(5)
            if kind == 0 and one != other:
                file.move(one, "swapped")
                file.move(other, one)
                file.move("swapped", other)
            elif kind == 1:
                file.copy(one, f"{one}{rng.choice(('2', 'é', ' ', '.'))}")
            elif kind == 2:
                value = file[one][()]
                del file[one]
                file.create_dataset(one, data=value, dtype=rng.choice(("f2", ">i4", "u8", "f8", "bool", "c8", "i1")))
            elif kind == 3:
                file[one].attrs[rng.choice(NAMES[1:6])] = "x" * rng.choice((1, 60_000))
            else:
                file[one.rpartition("/")[0] or "/"].attrs["x"] = file[other].ref
    except Exception:  # a change that this file does not take
        return None
    return path.read_bytes()


def _database(data: bytes, rng: random.Random, path: Path) -> bytes | None:
    """A cell of a table of SQLite holds something else, or a row, a column or a table is missing."""
    path.write_bytes(data)
    try:
        with closing(sqlite3.connect(path)) as base:
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            table = rng.choice(tables)
            columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
            column, kind = rng.choice(columns), rng.randrange(8)
            if kind == 0:
                base.execute(f"DROP TABLE {table}")
            elif kind == 1:
                base.execute(f"DELETE FROM {table}")
            elif kind == 2:
                base.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO other")
            else:
                base.execute(f"UPDATE {table} SET {column} = ?", (rng.choice(CELLS),))
            base.commit()
    except (sqlite3.Error, UnicodeError):
        return None
    finally:
        for rest in path.parent.glob(f"{path.name}-*"):
            rest.unlink()
    return path.read_bytes()


def misplaced(path: Path, rng: random.Random) -> None:
    """Something else in the place of a file: what a reader waits for, never reaches the end of, or does not find."""
    remove(path)
    kind = rng.choice(SHAPES)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "x").write_bytes(b"x")
    elif kind == "socket":
        with closing(socket.socket(socket.AF_UNIX)) as other:
            short = Path(f"/tmp/{os.getpid()}.socket")
            other.bind(str(short))
            shutil.move(short, path)
    elif kind == "sparse":
        with open(path, "wb") as file:
            file.truncate(1 << 42)
    elif kind == "empty":
        path.touch()
    else:
        path.symlink_to({"zero": "/dev/zero", "nothing": "/nothing", "loop": path, "itself": path.parent}[kind])


def remove(path: Path) -> None:
    """Whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
