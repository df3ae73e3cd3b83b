"""Recordings of events in any format, by the ending of their names.

==================  ==============================================================================================
``.aedat .aedat4``  AEDAT 2.0, 3.1, 4, see :mod:`.aedat`
``.raw .dat``       Prophesee's EVT 2.0, EVT 3.0 and DAT, see :mod:`.prophesee`
``.es``             Event Stream, see :mod:`.eventstream`
``.bin``            N-MNIST's and N-Caltech101's five bytes per event, see :mod:`.aedat`
``.h5 .hdf5``       Prophesee's (``CD/events``) and DSEC's (``events/x`` ...) kind of HDF5
``.csv .txt``       a table; its first line names the columns t, x, y, p, or they are recognized by their content
``.npy .npz``       fields or arrays t, x, y, p, a table (n, 4), or frames, see :func:`.ready.read_arrays`
==================  ==============================================================================================

Times are whole microseconds; in tables and HDF5, times with fractions are seconds. Polarities -1 and 1 become 0 and 1.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers import extras
from ..helpers.doors import door
from ..helpers.hdf5 import check_type, read_image
from ..helpers.reading import read_file
from . import aedat, eventstream, prophesee
from ._npy import LIMIT, RATIO, read_npy
from .integration import Events
from .ready import read_arrays

EVENT = 32
"""Bytes of an event in memory."""

NAMES = {
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity", "polarities", "on"),
}
"""What columns are called."""

ECF = 0x8ECF
"""Number of the HDF5 filter with which Prophesee compresses events."""

ORDERS = ("txyp", "xypt", "xytp")
"""Orders of columns without names."""


def read(path: Path) -> Events | NDArray[Any]:
    """Events of a recording, or ready frames (T, 2, H, W); ValueError names the file and what is wrong."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path.name}: expected a recording that ends in one of {', '.join(READERS)}")
    with door(path):
        return reader(path)


def _array(path: Path) -> Events | NDArray[Any]:
    if path.suffix.lower() == ".npy":
        table = read_npy(path)
        if table.dtype.names is None and table.ndim == 2:
            return _by_columns(path.name, table)
    return read_arrays(path)


# -- tables ------------------------------------------------------------------------------------------------------------


def _text(path: Path) -> Events:
    content = read_file(path, LIMIT)
    lines = content[: 1 << 16].splitlines(keepends=True)
    skipped = 0
    while lines and (lines[0].strip().startswith(b"#") or not lines[0].strip()):
        skipped += len(lines.pop(0))
    first = lines[0].decode("utf-8", "replace").strip() if lines else ""
    separator = next((mark for mark in (",", ";") if mark in first), None)
    names = [cell.strip().strip('"').lower() for cell in first.split(separator)]
    is_header = any(re.search("[a-df-z_]", cell) for cell in names)
    body = content[skipped + (len(lines[0]) if is_header else 0) :]
    if not body.strip():
        return Events(*np.zeros((4, 0), np.int64))
    try:
        table = np.loadtxt(io.BytesIO(body), np.float64, delimiter=separator, ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}; expected a table of numbers t, x, y, p") from None
    if not is_header:
        return _by_columns(path.name, table)
    return _named(path.name, {name: table[:, i] for i, name in enumerate(names[: table.shape[1]])})


def _named(name: str, columns: Mapping[str, Any]) -> Events:
    """Events of columns or arrays that are called by one of several names."""
    found = {key: next((columns[n] for n in names if n in columns), None) for key, names in NAMES.items()}
    missing = [key for key, values in found.items() if values is None]
    if missing:
        raise ValueError(
            f"{name}: no {', '.join(missing)}; expected t, x, y, p, found {', '.join(columns) or 'nothing'}"
        )
    return _events(name, *(np.asarray(found[key]) for key in "xytp"))


def _by_columns(name: str, table: NDArray[Any]) -> Events:
    """Events of a table (n, 4) without names: polarities, places and growing times tell the columns apart."""
    if table.ndim != 2 or table.shape[1] != 4 or table.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {table.dtype} {table.shape}, expected numbers (n, 4)")
    fitting = [order for order in ORDERS if _fits(table, order)]
    growing = [order for order in fitting if (np.diff(table[:, order.index("t")]) >= 0).all()]
    chosen = fitting if len(fitting) == 1 else growing
    if len(chosen) != 1 and len(table):
        raise ValueError(
            f"{name}: columns that could be {' or '.join(fitting) or 'no events'}; name them in a first line"
        )
    order = chosen[0] if len(table) else ORDERS[0]
    return _events(name, *(table[:, order.index(key)] for key in "xytp"))


def _fits(table: NDArray[Any], order: str) -> bool:
    x, y, p = (table[:, order.index(key)] for key in "xyp")
    places = all((values >= 0).all() and (values < 1 << 16).all() and (values % 1 == 0).all() for values in (x, y))
    return places and bool(np.isin(p, (-1, 0, 1)).all())


def _events(name: str, x: Any, y: Any, t: Any, p: Any) -> Events:
    for key, values in {"x": x, "y": y, "t": t, "p": p}.items():
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            raise ValueError(f"{name}: {key} is {values.dtype} {values.shape}, expected numbers (n,)")
        if values.dtype.kind == "f" and not (np.abs(values) < 2.0**52).all():
            raise ValueError(f"{name}: {key} holds values that are no places or times")
    if t.dtype.kind == "f":
        t = np.rint(t * 1e6 if (t % 1 != 0).any() else t)
    p = np.asarray(p).astype(np.int64)
    try:
        return Events(x.astype(np.int64), y.astype(np.int64), t.astype(np.int64), np.where(p < 0, 0, p))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


# -- HDF5 --------------------------------------------------------------------------------------------------------------


def _hdf5(path: Path) -> Events:
    import h5py

    try:
        with h5py.File(io.BytesIO(read_image(path)), "r") as file:
            most = max(LIMIT, RATIO * path.stat().st_size) // EVENT
            columns = _columns(file, most)
            events = _named(path.name, columns)
            offset = file.get("t_offset")  # DSEC's
            shift = int(_content(offset, most).item()) if isinstance(offset, h5py.Dataset) else 0
            if "geometry" in file.attrs:
                check_type("geometry", file.attrs.get_id("geometry"))
            geometry = re.fullmatch(r"(\d+)x(\d+)", str(file.attrs.get("geometry", "")))
    except (FileNotFoundError, PermissionError):
        raise
    except ValueError as error:
        raise ValueError(f"{path.name}: {str(error).removeprefix(f'{path.name}: ')}") from None
    except Exception as error:  # whatever h5py makes of damage
        raise ValueError(f"{path.name}: cut or damaged ({error})") from None
    sensor = (int(geometry.group(2)), int(geometry.group(1))) if geometry else None
    return Events(events.x, events.y, events.t + shift, events.p, sensor)


def _columns(file: Any, most: int) -> dict[str, NDArray[Any]]:
    """Name -> numbers of the events in a file, whichever way it holds them."""
    import h5py

    for place in ("CD/events", "events", "/"):
        at = file
        for step in place.strip("/").split("/") if place != "/" else ():
            link = at.get(step, getlink=True) if isinstance(at, h5py.Group) and step in at else None
            at = at[step] if isinstance(link, h5py.HardLink) else None
        if isinstance(at, h5py.Dataset) and at.dtype.names:
            table = _content(at, most)
            return {name.lower(): table[name] for name in table.dtype.names or ()}
        if isinstance(at, h5py.Group):
            known = [name for names in NAMES.values() for name in names]
            inner = [
                name for name in at if name.lower() in known and isinstance(at.get(name, getlink=True), h5py.HardLink)
            ]
            if len(inner) >= 4:
                return {name.lower(): _content(at[name], most) for name in inner}
    raise ValueError("expected events in CD/events (x, y, p, t), or in events/x, y, p, t")


def _content(dataset: Any, most: int) -> NDArray[Any]:
    """All of a dataset, if it has a size that is likely and its filters are there."""
    import h5py

    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} lies in another file; refused")
    check_type(str(dataset.name), dataset)
    if dataset.ndim > 1 or dataset.size is None or dataset.size > most or dataset.dtype.itemsize > EVENT:
        raise ValueError(f"{dataset.name} of {dataset.dtype} {dataset.shape}, expected (n,) of at most {most:,} events")
    filters = dataset.id.get_create_plist()
    for i in range(filters.get_nfilters()):
        code, _, _, words = filters.get_filter(i)
        if not h5py.h5z.filter_avail(code) and not _registered(code):
            how = (
                f"the filter {words.decode('latin-1') or code}, which is not installed: {extras.command('hdf5plugin')}"
            )
            if code == ECF:
                how = "Prophesee's codec ECF, which h5py and hdf5plugin have not: convert it with Prophesee's tools"
            raise ValueError(f"{dataset.name} is compressed with {how}")
    content: NDArray[Any] = dataset[()]
    return content


def _registered(code: int) -> bool:
    """Whether the package hdf5plugin, which registers its filters when it is imported, brings a filter."""
    import h5py

    try:
        extras.load("hdf5plugin", "compressed HDF5")
    except ImportError:
        return False
    return bool(h5py.h5z.filter_avail(code))


READERS: dict[str, Callable[[Path], Events | NDArray[Any]]] = {
    ".aedat": aedat.read,
    ".aedat4": aedat.read,
    ".raw": prophesee.read_raw,
    ".dat": prophesee.read_dat,
    ".es": eventstream.read,
    ".bin": aedat.read_nmnist,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".csv": _text,
    ".txt": _text,
    ".npy": _array,
    ".npz": _array,
}
