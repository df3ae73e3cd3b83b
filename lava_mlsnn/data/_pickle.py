"""Reads the data of a pickle without executing it: numbers, strings, containers and numeric arrays, nothing else.

A pickle is a program for a small stack machine; ``pickle.load`` runs it, and it may call anything. This reader is not
that machine. It knows the operations that data need, looks up no module and calls nothing that the file names: the
names of numpy's array and dtype are compared as text, and the array is made from its bytes. Whatever else a file
contains (another name, INST, OBJ, NEWOBJ, persistent ids, extensions) is a ValueError that says which and where.

The format: ``pickletools`` of Python's library. Files of Python 2, such as CIFAR's, hold byte strings.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
NDARRAY, DTYPE = "numpy ndarray", "numpy dtype"
ENCODE = "_codecs encode"
"""What Python 3 writes around bytes in protocols 0 to 2."""
CODES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f4", "f8", "b1"}
"""Kinds of numbers that an array may hold."""


class _Mark:
    """Where a group of items begins."""


class _Name:
    """The name of something; never looked up."""

    def __init__(self, text: str) -> None:
        self.text = text


class _Numbers:
    """numpy.dtype(code, ...), to be completed by its byte order."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "<"


class _Array:
    """An array that still has no content."""

    def __init__(self) -> None:
        self.content: NDArray[Any] | None = None


def loads(data: bytes) -> Any:
    """The value that a pickle holds: str, bytes, int, float, bool, None, list, tuple, dict, numpy arrays of numbers.

    Byte strings of Python 2 come as bytes. Memory is bounded by a small multiple of ``len(data)``.

    Raises:
        ValueError: an operation or a name that data do not need, or a file that is cut or damaged.

    Example:
        >>> import pickle
        >>> loads(pickle.dumps({b"labels": [3, 1], b"data": np.arange(4, dtype=np.uint8)}, protocol=2))
        {b'labels': [3, 1], b'data': array([0, 1, 2, 3], dtype=uint8)}
        >>> loads(pickle.dumps(print))
        Traceback (most recent call last):
        ValueError: pickle: 'builtins print' is not data; arrays, numbers, strings and containers are read
    """
    reader = _Reader(data)
    try:
        return _finished(reader.run(), {}, 0)
    except (IndexError, KeyError, TypeError, AttributeError, struct.error, UnicodeError, RecursionError) as error:
        raise ValueError(
            f"pickle: damaged near byte {reader.at} of {len(data)} ({type(error).__name__}: {error})"
        ) from None


def _finished(value: Any, seen: dict[int, Any], depth: int) -> Any:
    """Placeholders replaced by arrays; an object that occurs often is visited once."""
    if isinstance(value, _Array):
        if value.content is None:
            raise ValueError("pickle: an array without content")
        return value.content
    if isinstance(value, _Name | _Numbers | _Mark):
        raise ValueError("pickle: a name or a dtype stands where data are expected")
    if not isinstance(value, list | tuple | dict):
        return value
    if id(value) in seen:
        return seen[id(value)]
    if depth > 20:
        raise ValueError("pickle: containers more than 20 deep")
    found: Any = value
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _finished(item, seen, depth + 1)
    elif isinstance(value, list):
        value[:] = [_finished(item, seen, depth + 1) for item in value]
    else:
        found = tuple(_finished(item, seen, depth + 1) for item in value)
    seen[id(value)] = found
    return found


class _Reader:
    """The stack, the memo and the place in the file."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            code = self.take(1)[0]
            if code == ord("."):
                if len(self.stack) != 1:
                    raise ValueError(f"pickle: {len(self.stack)} values at its end, expected 1")
                return self.stack[0]
            operation = OPERATIONS.get(code)
            if operation is None:
                raise ValueError(f"pickle: operation {code:#04x} at byte {self.at - 1} is not data; refused")
            operation(self)

    def take(self, count: int) -> memoryview:
        """The next bytes; a length beyond the end of the file is an error before anything is allocated."""
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(
                f"pickle: cut or damaged, {count} bytes expected at byte {self.at}, {len(self.data) - self.at} left"
            )
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, layout: str) -> Any:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        for end in range(self.at, min(self.at + 4096, len(self.data))):
            if self.data[end] == 10:
                found = bytes(self.take(end - self.at))
                self.at += 1
                return found
        raise ValueError(f"pickle: no end of the line that begins at byte {self.at}")

    def group(self) -> list[Any]:
        """Items above the last mark, which goes too."""
        for place in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[place], _Mark):
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise ValueError(f"pickle: no mark before byte {self.at}")

    def name(self, text: str) -> None:
        if text not in (*RECONSTRUCT, NDARRAY, DTYPE, ENCODE):
            raise ValueError(f"pickle: {text!r} is not data; arrays, numbers, strings and containers are read")
        self.stack.append(_Name(text))

    def stack_name(self) -> None:
        module, name = self.pop(2)
        self.name(f"{module} {name}")

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError(f"pickle: nothing to take at byte {self.at}")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def remember(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def recall(self, key: int) -> None:
        self.stack.append(self.memo[key])

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise ValueError(f"pickle: items for a {type(target).__name__} at byte {self.at}, expected a list")
        target.extend(items)

    def assign(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise ValueError(f"pickle: keys for a {type(target).__name__} at byte {self.at}, expected a dict")
        target.update(_mapping(items))

    def call(self) -> None:
        """REDUCE: the two calls that an array consists of, done here."""
        function, arguments = self.pop(2)
        text = function.text if isinstance(function, _Name) else type(function).__name__
        if text in RECONSTRUCT and arguments[0].text == NDARRAY:
            self.stack.append(_Array())
        elif text == DTYPE:
            code = _text(arguments[0])
            if code not in CODES:
                raise ValueError(f"pickle: arrays of {code!r}, expected numbers")
            self.stack.append(_Numbers(code))
        elif text == ENCODE and _text(arguments[1]) == "latin1":
            self.stack.append(arguments[0].encode("latin-1"))
        else:
            raise ValueError(f"pickle: a call of {text} at byte {self.at} is not data; refused")

    def build(self) -> None:
        """BUILD: the state of a dtype (its byte order) or of an array (version, shape, dtype, Fortran order, bytes)."""
        (state,) = self.pop(1)
        target = self.stack[-1]
        if isinstance(target, _Numbers):
            target.order = _text(state[1])
            if target.order not in "<>|=" or state[3] is not None or state[4] is not None:
                raise ValueError(f"pickle: a dtype with order {target.order!r} or with fields, expected plain numbers")
        elif isinstance(target, _Array):
            target.content = _array(*state[1:])
        else:
            raise ValueError(f"pickle: a state for a {type(target).__name__} at byte {self.at} is not data; refused")


def _mapping(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("pickle: a key without a value")
    for key in items[::2]:
        if not isinstance(key, str | bytes | int):
            raise ValueError(f"pickle: a key of type {type(key).__name__}, expected a string or a number")
    return dict(zip(items[::2], items[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _array(shape: Any, numbers: Any, fortran: Any, content: Any) -> NDArray[Any]:
    if not isinstance(numbers, _Numbers) or not isinstance(shape, tuple):
        raise ValueError("pickle: an array without shape or dtype")
    if isinstance(content, str):  # how Python 3 writes bytes in protocol 2
        content = content.encode("latin-1")
    if not isinstance(content, bytes):
        raise ValueError(f"pickle: an array of {type(content).__name__}, expected bytes")
    dtype = np.dtype(numbers.order + numbers.code)
    size = dtype.itemsize
    for length in shape:
        if not isinstance(length, int) or length < 0:
            raise ValueError(f"pickle: an array of shape {shape}")
        size *= length
    if size != len(content):
        raise ValueError(f"pickle: {len(content)} bytes for an array of shape {shape} and {dtype}, expected {size}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _push(value: Callable[[_Reader], Any]) -> Callable[[_Reader], None]:
    return lambda reader: reader.stack.append(value(reader))


def _sized(layout: str, make: Callable[[memoryview], Any]) -> Callable[[_Reader], None]:
    return _push(lambda reader: make(reader.take(reader.number(layout))))


def _decoded(view: memoryview) -> str:
    return str(view, "utf-8", "surrogatepass")


def _quoted(reader: _Reader) -> bytes:
    line = reader.line()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise ValueError(f"pickle: no quotes around the string before byte {reader.at}")
    decoded: bytes = codecs.escape_decode(line[1:-1])[0]
    return decoded


def _integer_line(reader: _Reader) -> int | bool:
    line = reader.line()
    return line == b"01" if line in (b"00", b"01") else int(line[:20])


OPERATIONS: dict[int, Callable[[_Reader], Any]] = {
    ord(code): operation
    for code, operation in {
        # structure
        "\x80": lambda r: r.take(1),
        "\x95": lambda r: r.take(8),
        "(": _push(lambda r: _Mark()),
        "0": lambda r: r.pop(1),
        # memo
        "p": lambda r: r.remember(int(r.line())),
        "q": lambda r: r.remember(r.number("<B")),
        "r": lambda r: r.remember(r.number("<I")),
        "\x94": lambda r: r.remember(len(r.memo)),
        "g": lambda r: r.recall(int(r.line())),
        "h": lambda r: r.recall(r.number("<B")),
        "j": lambda r: r.recall(r.number("<I")),
        # numbers
        "N": _push(lambda r: None),
        "\x88": _push(lambda r: True),
        "\x89": _push(lambda r: False),
        "I": _push(_integer_line),
        "J": _push(lambda r: r.number("<i")),
        "K": _push(lambda r: r.number("<B")),
        "M": _push(lambda r: r.number("<H")),
        "\x8a": _sized("<B", lambda view: int.from_bytes(view, "little", signed=True)),
        "G": _push(lambda r: r.number(">d")),
        # strings
        "S": _push(_quoted),
        "U": _sized("<B", bytes),
        "T": _sized("<i", bytes),
        "C": _sized("<B", bytes),
        "B": _sized("<I", bytes),
        "\x8e": _sized("<Q", bytes),
        "V": _push(lambda r: r.line().decode("raw-unicode-escape")),
        "\x8c": _sized("<B", _decoded),
        "X": _sized("<I", _decoded),
        "\x8d": _sized("<Q", _decoded),
        # containers
        "]": _push(lambda r: []),
        "}": _push(lambda r: {}),
        ")": _push(lambda r: ()),
        "l": _push(lambda r: r.group()),
        "t": _push(lambda r: tuple(r.group())),
        "d": _push(lambda r: _mapping(r.group())),
        "\x85": _push(lambda r: tuple(r.pop(1))),
        "\x86": _push(lambda r: tuple(r.pop(2))),
        "\x87": _push(lambda r: tuple(r.pop(3))),
        "a": lambda r: r.extend(r.pop(1)),
        "e": lambda r: r.extend(r.group()),
        "s": lambda r: r.assign(r.pop(2)),
        "u": lambda r: r.assign(r.group()),
        # arrays
        "c": lambda r: r.name(f"{r.line().decode('ascii')} {r.line().decode('ascii')}"),
        "\x93": lambda r: r.stack_name(),
        "R": lambda r: r.call(),
        "b": lambda r: r.build(),
    }.items()
}
"""Operation code -> what it does; anything absent is refused."""
