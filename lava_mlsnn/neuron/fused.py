"""One step of the neuron in one compiled pass over memory: most of the time of training at T = 1 goes there.

The same operations in the same order and in float32, so the same bits, as the passes of
:mod:`lava_mlsnn.neuron.passes`, which are the reference and cover everything else: other dtypes and devices, several
steps, states, several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from ..helpers import compiling
from .surrogate import Table

__all__ = ["fire", "look_up", "suits"]

_LEAST = 1 << 12
"""Fewer neurons are not worth the call of a compiled function."""
_CHUNK = 1 << 15
"""Neurons per chunk of an in-place pass: compiled loops are fast only from one buffer into another."""


def suits(x: torch.Tensor) -> bool:
    """Whether the compiled functions apply: float32 on one core."""
    return (
        x.dtype == torch.float32
        and x.device.type == "cpu"
        and x.numel() >= _LEAST
        and torch.get_num_threads() == 1
        and not torch.compiler.is_compiling()
    )


def fire(
    x: torch.Tensor,
    z: torch.Tensor,
    gain: float,
    vth: float,
    levels: int,
    unit: float,
    whole: bool,
    table: Table | None = None,
    code: torch.Tensor | None = None,
) -> None:
    """Write the neuron's output to ``z``, which may be ``x`` itself, and the table indices to ``code``.

    Shape:
        all (neurons,), dense.
    """
    f = np.float32
    arrays, numbers = [x.detach().numpy(), z.numpy()], [f(gain), f(vth), f(levels), f(unit)]
    step = _compiled(_whole if whole else _fire)
    if code is not None and table is not None:
        low, high = table.low * table.bins, table.high * table.bins
        arrays.append(code.numpy())
        numbers += [f(table.bins), f(low), f(high), arrays[-1].dtype.type(-int(low) - table.wrap)]
        step = _compiled(_fire_and_place)
    if x.data_ptr() != z.data_ptr():
        step(*arrays, *numbers)
        return
    buffer = np.empty(_CHUNK, np.float32)
    for start in range(0, len(x), _CHUNK):
        source, target, *places = (array[start : start + _CHUNK] for array in arrays)
        step(source, buffer[: len(source)], *places, *numbers)
        target[:] = buffer[: len(source)]


def look_up(code: torch.Tensor, values: torch.Tensor, wrap: int, grad_z: torch.Tensor, grad_x: torch.Tensor) -> None:
    """grad_x = grad_z values[code + wrap]. All but the values of shape (neurons,), dense."""
    _compiled(_look_up)(code.numpy(), values.numpy(), wrap, grad_z.numpy(), grad_x.numpy())


def _fire(x: Any, z: Any, gain: Any, vth: Any, levels: Any, unit: Any) -> None:
    zero = np.float32(0)
    for i in range(len(x)):
        u = x[i] * gain / vth
        s = zero if u < zero else u  # NaN stays NaN
        s = levels if s > levels else s
        z[i] = np.floor(s) / unit


def _whole(x: Any, z: Any, gain: Any, vth: Any, levels: Any, unit: Any) -> None:
    zero = np.float32(0)
    for i in range(len(x)):
        u = np.rint(x[i] * gain) / vth
        s = zero if u < zero else u
        s = levels if s > levels else s
        z[i] = np.floor(s) / unit


def _fire_and_place(
    x: Any, z: Any, code: Any, gain: Any, vth: Any, levels: Any, unit: Any, bins: Any, low: Any, high: Any, offset: Any
) -> None:
    zero = np.float32(0)
    for i in range(len(x)):
        u = x[i] * gain / vth
        s = zero if u < zero else u
        s = levels if s > levels else s
        z[i] = np.floor(s) / unit
        place = u * bins
        place = place if place > low else low  # NaN becomes low: a place that exists
        place = high if place > high else place
        code[i] = np.int32(place) + offset


def _look_up(code: Any, values: Any, wrap: int, grad_z: Any, grad_x: Any) -> None:
    for i in range(len(code)):
        grad_x[i] = grad_z[i] * values[np.int64(code[i]) + wrap]


@cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    import numba

    compiling.watch()
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        compiled: Callable[..., None] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write a cache: a read-only installation and no home
        compiled = numba.njit(**options)(function)
    return compiled
