"""Events or frames that another program has written with numpy, as ``.npy`` or ``.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import integration
from ._npy import read_npy, read_npz
from .integration import Events


def ready_frames(content: NDArray[Any], steps: int, sensor: tuple[int, int], size: int | None) -> NDArray[np.int64]:
    """Frames (T, 2, H, W) that another program has made, as (2, H', W', T); ValueError if they are not as asked for."""
    if content.shape != (steps, 2, *sensor):
        raise ValueError(f"frames {content.shape}, expected (T, 2, H, W) = {(steps, 2, *sensor)}")
    whole = content.astype(np.int64)
    if (whole != content).any() or (whole < 0).any():
        raise ValueError("frames that are not numbers of events (whole, 0 or more)")
    height, width = integration.check_frames(steps, "number", sensor, size)
    if (height, width) == sensor:
        return np.moveaxis(whole, 0, -1)
    rows, columns = np.arange(sensor[0]) * height // sensor[0], np.arange(sensor[1]) * width // sensor[1]
    small = np.eye(height)[rows].T @ whole @ np.eye(width)[columns]  # exact: whole numbers below 2^53
    return np.moveaxis(small, 0, -1).astype(np.int64)


def read_arrays(path: Path) -> Events | NDArray[Any]:
    """Events or frames that another program has written as ``.npy`` or ``.npz``; ValueError names the file.

    ``.npz`` with t, x, y, p (SpikingJelly's events) or with ``frames`` (T, 2, H, W); ``.npy`` with fields t, x, y, p
    (tonic's events) or frames (T, 2, H, W).
    """
    if path.suffix == ".npz":
        found = read_npz(path, ("t", "x", "y", "p", "frames"))
        if "frames" in found:
            return found["frames"]
        if set(found) < set("txyp"):
            raise ValueError(f"{path.name}: expected arrays t, x, y, p or frames, found {', '.join(found) or 'none'}")
        return _events(path, found)
    array = read_npy(path)
    if array.dtype.names:
        if not set("txyp") <= set(array.dtype.names):
            raise ValueError(f"{path.name}: expected fields t, x, y, p, found {', '.join(array.dtype.names)}")
        return _events(path, array)
    if array.ndim != 4 or array.dtype.kind not in "biuf":
        raise ValueError(f"{path.name}: {array.dtype} {array.shape}, expected frames (T, 2, H, W) or events")
    return array


def _events(path: Path, columns: Any) -> Events:
    x, y, t, p = (_whole(path, name, columns[name]) for name in "xytp")
    return Events(x, y, t, p)


def _whole(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        raise ValueError(f"{path.name}: {name} is {values.dtype} {values.shape}, expected numbers (n,)")
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (np.abs(values) < 2.0**62).all()):
        raise ValueError(f"{path.name}: {name} holds values that are no times or places")
    return values.astype(np.int64)
