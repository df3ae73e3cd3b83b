"""Mends what keeps lava-nc 0.10.0 and lava-dl 0.6.0 from running on Python 3.11 to 3.13 with current numpy and torch.

Lava is archived and its metadata stops at Python 3.10 and numpy 1.26. The code itself runs on newer ones except for six
small breaks, listed in :data:`MENDS`. ``import lava_mlsnn`` calls :func:`apply`, which imports nothing of Lava: it arms
a finder that, when one of the few affected modules is imported, replaces a line or two of its source text. No file is
edited, numpy is not patched, and line numbers stay those of the file. Where nothing is broken, as on Python 3.10 with
Lava's own pins, no finder is armed.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import platform
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType

from .install import KNOWN, watch

__all__ = ["KNOWN", "MENDS", "Edit", "Mend", "apply", "summary"]


@dataclass(frozen=True)
class Edit:
    """Replace the text ``old``, found exactly ``count`` times in the source of ``module``, by ``new``."""

    module: str
    old: str
    new: str
    count: int = 1


@dataclass(frozen=True)
class Mend:
    """One break and its mend.

    Attributes:
        letter: short name, A to F.
        what: what fails, and when.
        needed: whether it fails on this Python with the packages installed here.
        edits: the text replaced; empty for E, whose module is left out where it cannot be imported.
    """

    letter: str
    what: str
    needed: Callable[[], bool]
    edits: tuple[Edit, ...] = ()


def _version(distribution: str) -> tuple[int, int]:
    """(major, minor) of an installed distribution; (0, 0) where it is missing. Reads metadata, imports nothing."""
    try:
        numbers = re.findall(r"\d+", importlib.metadata.version(distribution))
    except importlib.metadata.PackageNotFoundError:
        return (0, 0)
    return (int(numbers[0]), int(numbers[1]))


def _new_numpy() -> bool:
    return _version("numpy") >= (2, 4)


def _numpy_2() -> bool:
    return _version("numpy") >= (2, 0)


def _doubtful_vision() -> bool:
    """True where object_detection may fail: cv2 or torchvision missing, or a torch that Lava was never built for."""
    missing = any(importlib.util.find_spec(name) is None for name in ("cv2", "torchvision"))
    return missing or _version("torch") >= (2, 4)


_OPTIONAL = "lava.lib.dl.slayer.object_detection"

MENDS = (
    Mend(
        "A",
        "dataclass fields with a mutable default (Python 3.11)",
        lambda: sys.version_info >= (3, 11),
        (
            Edit("lava.magma.compiler.var_model", "import dataclass, InitVar", "import dataclass, field, InitVar"),
            Edit("lava.magma.compiler.var_model", " = ByteEncoder()", " = field(default_factory=ByteEncoder)", 8),
        ),
    ),
    Mend(
        "B",
        "np.reshape(newshape=...) from conv to dense (numpy 2.4)",
        _new_numpy,
        (
            Edit(
                "lava.magma.core.process.ports.ports", "partial(np.reshape, newshape=", "partial(np.reshape, shape=", 2
            ),
        ),
    ),
    Mend(
        "C",
        "int() of a one-element array in the netx reader (numpy 2.4)",
        _new_numpy,
        (
            Edit("lava.lib.dl.netx.hdf5", "int(layer_config['weight'])", "int(layer_config['weight'].item())"),
            Edit("lava.lib.dl.netx.hdf5", "int(layer_config['bias'])", "int(layer_config['bias'].item())"),
        ),
    ),
    Mend(
        "D",
        "the same in lava.proc.clp and lava.proc.graded (numpy 2.4)",
        _new_numpy,
        (
            Edit("lava.proc.clp.nsm.models", "= self.next_alloc_id\n", "= np.asarray(self.next_alloc_id).item()\n"),
            Edit("lava.proc.graded.models", "int(np.log2(val))", "int(np.log2(val).item())"),
            Edit("lava.proc.graded.models", "int(s_fp)", "int(np.asarray(s_fp).item())"),
        ),
    ),
    Mend("E", "slayer needs its object_detection, left out where cv2 or torchvision fail", _doubtful_vision),
    Mend(
        "F",
        "sizes of a convolution above 127, computed in the 8 bits of its stride (numpy 2.0)",
        _numpy_2,
        (
            Edit(
                "lava.proc.conv.models",
                " = LavaPyType(np.ndarray, np.int8, precision=8)",
                " = LavaPyType(np.ndarray, np.int32, precision=8)",
                5,
            ),
        ),
    ),
)
"""Every known break, in the order of its letter."""

_as_unknown: dict[str, str] = {}  # module -> why its source was not mended


class _MendingLoader(importlib.machinery.SourceFileLoader):
    """Loads one module from its file with some text replaced, never from cached bytecode."""

    def __init__(self, name: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(name, path)
        self.edits = edits

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        text = importlib.util.decode_source(self.get_data(path))
        unexpected = [edit for edit in self.edits if text.count(edit.old) != edit.count]
        if unexpected:  # another version: what is not understood is not touched
            found = text.count(unexpected[0].old)
            _as_unknown[fullname] = f"{unexpected[0].old!r} stands there {found} times instead of {unexpected[0].count}"
            return self.source_to_code(text, path)
        for edit in self.edits:
            text = text.replace(edit.old, edit.new)
        return self.source_to_code(text, path)


class _OptionalLoader(importlib.abc.Loader):
    """Loads a module that others import but few need; where it fails, an empty one that says why stands in."""

    def __init__(self, real: importlib.abc.Loader) -> None:
        self.real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        before = set(vars(module))
        try:
            self.real.exec_module(module)
        except Exception as error:  # a binary that does not fit fails in any way: ImportError, OSError, RuntimeError
            for name in set(vars(module)) - before:
                delattr(module, name)
            for name in [name for name in sys.modules if name.startswith(f"{module.__name__}.")]:
                del sys.modules[name]
            self._explain(module, f"{type(error).__name__}: {error}")

    @staticmethod
    def _explain(module: ModuleType, reason: str) -> None:
        # AttributeError, as hasattr() and pickle look through all loaded modules and expect no other.
        def absent(name: str) -> object:
            raise AttributeError(f"{module.__name__}.{name}: left out, as it cannot be imported here ({reason})")

        module.__dict__["__getattr__"] = absent


class _Finder(importlib.abc.MetaPathFinder):
    """Stands first in sys.meta_path and answers for the affected modules alone."""

    def __init__(self, mends: Sequence[Mend]) -> None:
        self.edits: dict[str, list[Edit]] = {}
        for edit in (edit for mend in mends for edit in mend.edits):
            self.edits.setdefault(edit.module, []).append(edit)
        self.optional = {_OPTIONAL} if any(not mend.edits for mend in mends) else set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.edits and fullname not in self.optional:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is None or spec.loader is None:
            return spec
        if fullname in self.optional:
            spec.loader = _OptionalLoader(spec.loader)
        elif isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _MendingLoader(fullname, spec.loader.path, self.edits[fullname])
        else:
            _as_unknown[fullname] = f"it is loaded by {type(spec.loader).__name__}, not from a source file"
        return spec


_armed: tuple[Mend, ...] | None = None


def apply() -> tuple[Mend, ...]:
    """Arm the mends that this Python and these packages need; called by ``import lava_mlsnn``, a second call is free.

    Returns:
        The armed mends, empty where Lava runs as it is.

    Warns:
        RuntimeWarning: an affected module of Lava was imported before, so that it can no longer be mended.
    """
    global _armed
    if _armed is None:
        watch()
        _armed = tuple(mend for mend in MENDS if mend.needed())
        for module in {edit.module for mend in _armed for edit in mend.edits} & sys.modules.keys():
            _as_unknown[module] = "it was imported before lava_mlsnn"
            warnings.warn(f"{module} is imported already: import lava_mlsnn before lava", RuntimeWarning, stacklevel=2)
        if _armed:
            sys.meta_path.insert(0, _Finder(_armed))
    return _armed


def _installed(distribution: str) -> str:
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return f"no {distribution}"
    known = KNOWN.get(distribution, version)
    return f"{distribution} {version}" + ("" if version == known else f" (not known; known is {known})")


def summary() -> str:
    """One line: the versions met and what is mended on them.

    >>> print(summary().split(", ")[0])
    lava-nc 0.10.0
    """
    versions = ", ".join([*map(_installed, (*KNOWN, "numpy", "torch")), f"Python {platform.python_version()}"])
    mends = "; ".join(f"{mend.letter}: {mend.what}" for mend in apply()) or "nothing"
    unknown = "".join(f"; not mended: {module}, {why}" for module, why in sorted(_as_unknown.items()))
    return f"{versions}; mended at import: {mends}{unknown}"
