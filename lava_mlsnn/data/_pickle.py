"""Reads the data of a pickle and calls nothing that the file names: numbers, strings, containers, numeric arrays.

A pickle is a program. Python's own ``Unpickler`` runs it here with stand-ins for the few names that arrays need, and
with no others. Before that, one pass over the operations refuses whatever data do not need, and what would cost memory
or time out of proportion to the file: a size or a place of the memo beyond the file, very many objects, a long string
that is used again (it could be encoded again and again), and a tuple that is (the hash of tuples in tuples takes
exponential time).
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 1_000_000
"""Operations of one file; CIFAR-100's training file has about 250,000."""

MOST_TUPLES = 1000
"""Of one file, not counting arguments of calls. The hash of a very deep tuple would overflow the stack."""

LONGEST_SHARED = 1000
"""Characters of a string that occurs more than once."""

NDARRAY = "numpy ndarray"
CODES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f4", "f8", "b1"}
"""Kinds of numbers that an array may hold."""

_STRINGS = {f"{size}{kind}" for size in ("", "SHORT_", "BIN", "SHORT_BIN") for kind in ("STRING", "BYTES", "UNICODE")}
_STRINGS |= {"BINBYTES8", "BINUNICODE8"}
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_EMPTY = {"EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT"}
_MAKE = {*_STRINGS, *_TUPLES, *_EMPTY, "LIST", "DICT", "GLOBAL", "STACK_GLOBAL", "REDUCE"}
_PUT, _GET = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}, {"GET", "BINGET", "LONG_BINGET"}
_FILL = {"MARK", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD", "STOP"}
_NUMBERS = {"NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "BINFLOAT"}
_KNOWN = {"PROTO", "FRAME", *_MAKE, *_PUT, *_GET, *_FILL, *_NUMBERS}


def loads(data: bytes) -> dict[str, Any]:
    """The dict that a pickle holds: str, bytes, int, float, bool, None, list, tuple, dict, arrays of numbers by name.

    Keys come as str, other byte strings of Python 2, such as those of CIFAR's files, as bytes. Memory is bounded by a
    small multiple of ``len(data)`` and some 200 MB.

    Raises:
        ValueError: an operation or a name that data do not need, another value than a dict, or a file that is cut or
            damaged.

    Example:
        >>> loads(pickle.dumps({b"labels": [3, 1], b"data": np.arange(4, dtype=np.uint8)}, protocol=2))
        {'labels': [3, 1], 'data': array([0, 1, 2, 3], dtype=uint8)}
        >>> loads(pickle.dumps(print))
        Traceback (most recent call last):
        ValueError: pickle: 'builtins print' is not data; arrays, numbers, strings and containers are read
    """
    try:
        _check(data)
        found = _Reader(data).load()
        if not isinstance(found, dict):
            raise ValueError(f"expected a dict, got {type(found).__name__}")
        return {_text(key): item.array() if isinstance(item, _Array) else item for key, item in found.items()}
    except Exception as error:  # whatever the damage makes of a program
        detail = str(error) if type(error) is ValueError else f"cut or damaged ({type(error).__name__}: {error})"
        raise ValueError(f"pickle: {detail}") from None


def _check(data: bytes) -> None:
    """ValueError for operations that data do not need or that cost more than their place in the file."""
    memo: dict[int, bool] = {}
    tuples, made = 0, ""
    last: Any = None
    for number, (operation, argument, at) in enumerate(pickletools.genops(data)):
        name = operation.name
        if name not in _KNOWN:
            raise ValueError(f"operation {name} at byte {at} is not data; refused")
        tuples += (name in _TUPLES) - (name == "REDUCE")
        if number >= MOST or tuples > MOST_TUPLES:
            raise ValueError(f"expected at most {MOST:,} operations and {MOST_TUPLES:,} tuples, byte {at} has more")
        if name in {"FRAME", *_PUT} and argument is not None and argument > (MOST if name in _PUT else len(data)):
            raise ValueError(f"{name} {argument} at byte {at} of {len(data)}: cut or damaged")
        if name in _PUT:
            if made not in _MAKE:
                raise ValueError(f"{name} at byte {at} keeps what no operation before it made: damaged")
            shareable = made not in _TUPLES and not (made in _STRINGS and len(last) > LONGEST_SHARED)
            memo[len(memo) if argument is None else argument] = shareable
        elif name in _GET and not memo.get(argument or 0, True):
            raise ValueError(f"a tuple or a long string that is used again at byte {at} is not data; refused")
        elif name not in ("PROTO", "FRAME"):
            made, last = name, argument


class _Reader(pickle.Unpickler):
    """Python's, with stand-ins for the names that arrays need and for no others.

    Each stand-in is a class with ``__setstate__``, so that no file can set an attribute of it.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        text = f"{module} {name}"
        if text not in _NAMES:
            raise ValueError(f"{text!r} is not data; arrays, numbers, strings and containers are read")
        return _NAMES[text]


class _Numbers:
    """numpy.dtype: made of a code, completed by its byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = _text(code), "<"
        if self.code not in CODES:
            raise ValueError(f"arrays of {self.code!r}, expected numbers")

    def __setstate__(self, state: Any) -> None:
        self.order = _text(state[1])
        if self.order not in ("<", ">", "|", "=") or state[3] is not None or state[4] is not None:
            raise ValueError(f"a dtype with order {self.order!r} or with fields, expected plain numbers")


class _Array:
    """numpy.ndarray: made empty by ``_reconstruct``, completed by version, shape, dtype, Fortran order and bytes."""

    def __init__(self, kind: Any, *_: Any) -> None:
        self.state: tuple[Any, ...] | None = None
        if kind is not NDARRAY:
            raise ValueError("an array of another kind than numpy's")

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> NDArray[Any]:
        if self.state is None:
            raise ValueError("an array without content")
        _, shape, numbers, fortran, content = self.state
        if not isinstance(numbers, _Numbers) or not isinstance(shape, tuple) or not isinstance(content, bytes):
            raise ValueError("an array without shape, dtype or bytes")
        if not all(isinstance(length, int) and length >= 0 for length in shape):
            raise ValueError("an array of a shape that is no sizes")
        dtype = np.dtype(numbers.order + numbers.code)
        size = math.prod(shape) * dtype.itemsize
        if size != len(content):
            raise ValueError(f"{len(content)} bytes for an array of shape {shape} and {dtype}, expected {size}")
        return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


class _Bytes:
    """``_codecs.encode(text, "latin1")``: how Python 3 writes bytes in protocols 0 to 2."""

    def __new__(cls, text: Any, code: Any) -> Any:
        if _text(code) != "latin1":
            raise ValueError(f"bytes written as {_text(code)!r}, expected latin1")
        return text.encode("latin-1")

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a state for bytes")


_NAMES = {
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy._core.multiarray _reconstruct": _Array,
    NDARRAY: NDARRAY,
    "numpy dtype": _Numbers,
    "_codecs encode": _Bytes,
}


def _text(value: Any) -> str:
    if not isinstance(value, str | bytes | int):
        raise ValueError(f"a {type(value).__name__}, expected a string or a number")  # its text may be endless
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
