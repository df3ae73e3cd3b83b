"""Guarded reading of HDF5: every size is checked before memory is taken, every key must be asked for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import PathLike, fspath, path
from typing import Any

import h5py
import numpy as np

from ..graph.errors import NetFileError, StockWarning
from ..graph.neurons.base import as_each
from ..helpers.check import IntArray, int_array
from ..helpers.doors import printable
from ..helpers.hdf5 import (
    H5PY_ERRORS,
    MAX_ELEMENTS,
    UnsafeError,
    check_link,
    check_place,
    check_size,
    check_type,
    read_image,
)

MAX_TEXT = 2**16
"""Longest text, in bytes."""


@dataclass
class _Budget:
    """Numbers that may still be read from this file, and whether it must be free of what stock ignores."""

    elements: int = MAX_ELEMENTS
    strict: bool = True


class Node:
    """One group of a file. Reading marks a key as known; :meth:`done` refuses what nobody asked for."""

    def __init__(self, group: h5py.Group, where: str, budget: _Budget) -> None:
        self.where = where
        self._group = group
        self._budget = budget
        self._known: set[str] = set()
        with _guard(where):
            self._keys = list(group.keys())
        for key in self._keys:
            if not isinstance(key, str) or not key.isprintable():
                raise self.error(f"name {key!r}: expected printable text")

    def error(self, message: str) -> NetFileError:
        """The error to raise, with the file and the layer in front of the message."""
        return NetFileError(f"{self.where}: {message}")

    def departs(self, message: str, kind: type[Warning] = StockWarning) -> None:
        """What stock NetX ignores or changes on loading: a warning, or in strict reading the error."""
        if self._budget.strict:
            raise self.error(message)
        warnings.warn(f"{self.where}: {message}", kind, stacklevel=3)

    def lenient(self, strict: bool) -> None:
        """Let :meth:`departs` warn from now on, unless ``strict``."""
        self._budget.strict = strict

    def keys(self) -> list[str]:
        """Names of everything in this group."""
        return self._keys

    def has(self, key: str) -> bool:
        """Whether the key is there; looking does not make it known."""
        return key in self._keys

    def is_dataset(self, key: str) -> bool:
        """Whether the key is a dataset of this file; looking does not make it known."""
        with _guard(f"{self.where}: {key!r}"):
            return self.has(key) and self._group.get(key, getclass=True) is h5py.Dataset

    def done(self, hint: str = "") -> None:
        """Refuse keys that were not read: they may change what the network means."""
        unknown = [key for key in self._keys if key not in self._known]
        if unknown:
            raise self.error(f"unknown key {', '.join(map(repr, unknown))}; known here: {_listing(self._known)}{hint}")

    def ignore(self, *keys: str) -> None:
        """Accept keys whose value does not matter."""
        self._known.update(keys)

    def node(self, key: str, where: str | None = None) -> Node:
        """A group within this one."""
        item = self._item(key)
        if not isinstance(item, h5py.Group):
            raise self.error(f"{key!r}: expected a group, found a dataset")
        return Node(item, where or f"{self.where}: {key}", self._budget)

    def array(self, key: str) -> np.ndarray:
        """A numeric dataset, after its declared size has been checked against what the file stores."""
        dataset = self._dataset(key)
        if dataset.dtype.kind not in "iufb" or dataset.dtype.itemsize > 8:
            raise self.error(f"{key!r}: expected numbers, found dtype {dataset.dtype}")
        count = self._check_size(key, dataset)
        self._budget.elements -= count
        if self._budget.elements < 0:
            raise self.error(f"{key!r}: shape {dataset.shape} takes the file beyond {MAX_ELEMENTS} numbers")
        with _guard(f"{self.where}: {key!r}"):
            value = np.asarray(dataset[()])
        if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            raise self.error(f"{key!r}: found a value that is not finite")
        return value

    def scalar(self, key: str) -> Any:
        """One number, stored with shape () or (1,)."""
        value = self.array(key)
        if value.shape not in ((), (1,)):
            raise self.error(f"{key!r}: expected one number, found shape {value.shape}")
        return value.reshape(())[()]

    def integer(self, key: str, low: int = -(2**31), high: int = 2**31 - 1) -> int:
        """One integer within ``low`` .. ``high``."""
        value = self.scalar(key)
        if value != int(value) or not low <= value <= high:
            raise self.error(f"{key!r}: expected an integer in {low} .. {high}, found {value}")
        return int(value)

    def each(self, key: str, low: int, high: int, channels: int) -> int | IntArray:
        """One integer, or int32 (channels,) where they differ."""
        value = self.array(key)
        if value.shape not in ((), (1,), (channels,)):
            raise self.error(f"{key!r}: expected one number or {channels}, found shape {value.shape}")
        outside = value[(value % 1 != 0) | (value < low) | (value > high)]
        if outside.size:
            raise self.error(f"{key!r}: expected integers in {low} .. {high}, found {outside.flat[0]}")
        return as_each(value.reshape(-1)[0] if value.size == 1 else value, key, low, high)

    def cut(self, key: str) -> IntArray:
        """A dataset as int32; fractions, which stock NetX cuts off, are a departure."""
        value = self.array(key)
        whole = np.trunc(value) if value.dtype.kind == "f" else value
        if np.any(broken := whole != value):
            first = value[broken].flat[0]
            self.departs(
                f"{key!r}: {np.count_nonzero(broken)} numbers that are not whole, such as {first:g}: stock NetX cuts "
                "off what is behind the point"
            )
        try:
            return int_array(whole, key)
        except ValueError as error:
            raise self.error(str(error)) from None

    def whole(self, key: str) -> IntArray:
        """A dataset of whole numbers, as int32."""
        try:
            return int_array(self.array(key), key)
        except NetFileError:
            raise
        except ValueError as error:
            raise self.error(str(error)) from None

    def real(self, key: str) -> float:
        """One finite number."""
        return float(self.scalar(key))

    def flag(self, key: str) -> bool:
        """True or False, or 0 or 1."""
        return bool(self.integer(key, 0, 1))

    def integers(self, key: str, lengths: tuple[int, ...], low: int = 0) -> tuple[int, ...]:
        """A short vector of integers >= ``low``; a single number counts as a vector of one."""
        value = np.atleast_1d(self.array(key))
        if value.ndim != 1 or len(value) not in lengths:
            raise self.error(f"{key!r}: expected {' or '.join(map(str, lengths))} integers, found shape {value.shape}")
        if np.any(value != np.trunc(value)) or np.any(value < low) or np.any(value >= 2**31):
            raise self.error(f"{key!r}: expected integers in {low} .. {2**31 - 1}, found {value.tolist()}")
        return tuple(int(v) for v in value)

    def text(self, key: str) -> str:
        """One text, stored with shape () or (1,)."""
        values = self.texts(key, scalar=True)
        if len(values) != 1:
            raise self.error(f"{key!r}: expected one text, found {len(values)}")
        return values[0]

    def texts(self, key: str, scalar: bool = False) -> tuple[str, ...]:
        """A vector of texts."""
        dataset = self._dataset(key)
        if dataset.ndim > 1 or (dataset.ndim == 0 and not scalar):
            raise self.error(f"{key!r}: expected a vector of texts, found shape {dataset.shape}")
        string = h5py.check_string_dtype(dataset.dtype)
        if string is None or (string.length or 0) > MAX_TEXT:
            raise self.error(f"{key!r}: expected text, found dtype {dataset.dtype}")
        self._budget.elements -= self._check_size(key, dataset) * max(1, string.length or 0)
        if string.length is None and dataset.size > 1:
            raise self.error(f"{key!r}: expected a vector of texts of fixed length (numpy 'S'), found variable ones")
        if self._budget.elements < 0:
            raise self.error(f"{key!r}: text of shape {dataset.shape} takes the file beyond {MAX_ELEMENTS} characters")
        with _guard(f"{self.where}: {key!r}"):
            values = np.atleast_1d(np.asarray(dataset[()]))
        try:
            texts = tuple((v if isinstance(v, bytes) else str(v).encode()).decode("utf-8") for v in values.tolist())
        except UnicodeDecodeError:
            raise self.error(f"{key!r}: expected UTF-8 text, found {values.tolist()!r}") from None
        return texts

    def _item(self, key: str) -> Any:
        if key not in self._keys:
            raise self.error(f"{key!r} is missing")
        self._known.add(key)
        with self._checking(key):
            check_link(self._group, key)
            return self._group[key]

    def _dataset(self, key: str) -> h5py.Dataset:
        item = self._item(key)
        if not isinstance(item, h5py.Dataset):
            raise self.error(f"{key!r}: expected a dataset, found a group")
        with self._checking(key):
            check_place(key, item)
        return item

    def _check_size(self, key: str, dataset: h5py.Dataset) -> int:
        """Number of elements, provided that the file really stores them."""
        with self._checking(key):
            return check_size(key, dataset)

    @contextmanager
    def _checking(self, key: str) -> Iterator[None]:
        """What a check or h5py finds wrong with a key, as a NetFileError."""
        with _guard(f"{self.where}: {key!r}"):
            try:
                yield
            except UnsafeError as error:
                raise self.error(str(error)) from None


def _listing(keys: set[str]) -> str:
    return ", ".join(sorted(keys)) or "nothing"


@contextmanager
def open_root(file: str | PathLike[str]) -> Iterator[tuple[Node, dict[str, Any]]]:
    """The root group and its attributes; every failure becomes a NetFileError.

    The file is read at once and looked at in memory: nothing is locked, nothing stays open, and neither a handle that
    somebody left open (stock NetX leaves its own) nor a writer beside us gets in the way.

    Raises:
        FileNotFoundError: there is no such file.
        NetFileError: it is not a readable network file.
    """
    where = printable(path.basename(fspath(file)))
    try:
        image = read_image(file)
    except ValueError as error:
        raise NetFileError(str(error)) from None
    with _guard(where):
        handle = h5py.File(h5py.h5f.open_file_image(image))
    del image
    try:
        yield Node(handle, where, _Budget()), _attributes(handle, where)
    finally:
        with suppress(*H5PY_ERRORS):
            handle.close()


ATTRIBUTES = ("format", "format_version", "digest")


def _attributes(handle: h5py.File, where: str) -> dict[str, Any]:
    """Those of ATTRIBUTES that the root has: single numbers or short texts."""
    attributes: dict[str, Any] = {}
    with _guard(f"{where}: attributes"):
        for name in ATTRIBUTES:
            if name not in handle.attrs:
                continue
            kind = handle.attrs.get_id(name)
            if kind.shape != () or kind.dtype.itemsize > MAX_TEXT:
                raise NetFileError(f"{where}: attribute {name!r}: expected one value, found shape {kind.shape}")
            check_type(name, kind)
            value = handle.attrs[name]
            attributes[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return attributes


@contextmanager
def _guard(where: str) -> Iterator[None]:
    """What h5py raises on a damaged file, as a NetFileError."""
    try:
        yield
    except NetFileError:
        raise
    except H5PY_ERRORS as error:
        raise NetFileError(f"{where}: damaged: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
