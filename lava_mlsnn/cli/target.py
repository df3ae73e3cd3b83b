"""Where a command writes: asked before it computes, and never over a file of another kind.

Results of the same kind are replaced, atomically: what a command wrote, it writes again. Trained networks are no such
results (:mod:`lava_mlsnn.train.folder`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..helpers.files import check_writable
from ..helpers.reading import opened, read_json

_HDF5 = b"\x89HDF\r\n\x1a\n"
_KINDS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "net": (_HDF5, (".net",)),
    "nir": (_HDF5, (".nir",)),
    "html": (b"<", (".html", ".htm")),
    "json": (b"{", (".json",)),
    "csv": (b"", (".csv",)),
    "md": (b"# ", (".md",)),
    "png": (b"\x89PNG", (".png",)),
    "svg": (b"<", (".svg",)),
    "pdf": (b"%PDF", (".pdf",)),
}
"""Kind -> how its files begin, and the endings of their names."""

_OTHERS = {ending: kind for kind, (_, endings) in _KINDS.items() for ending in endings}
_OTHERS |= {".safetensors": "model", ".ckpt": "checkpoint", ".npz": "numpy", ".journal": "study"}


def check(path: Path, kind: str, keys: Sequence[str] = (), force: bool = False) -> Path:
    """See that a file of ``kind`` may be written to ``path``, and make its folder; returns the path.

    Args:
        path: a device or pipe is what the user wants.
        kind: "net", "nir", "html", "json", "csv", "md", "png", "svg" or "pdf".
        keys: that a JSON file there has, or the first line of a CSV, if it is an earlier one of the same command.
        force: write over whatever is there.

    Raises:
        ValueError: a name or a file of another kind; says which.
        OSError: nothing can be written there; names the path.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, expected the name of a file")
    named = _OTHERS.get(path.suffix.lower(), kind)
    if named != kind:
        raise ValueError(f"{path}: a name of {named} files, expected one with {_KINDS[kind][1][0]}")
    if path.is_file() and not force and not _is(path, kind, keys):
        raise ValueError(f"{path}: holds something else than this command writes: expected another name")
    return check_writable(path)


def _is(path: Path, kind: str, keys: Sequence[str]) -> bool:
    with opened(path) as file:
        start = file.read(4096)
    if not start or not start.lstrip().startswith(_KINDS[kind][0].lstrip()):
        return not start
    if not keys or kind == "csv":
        return all(key in start.splitlines()[0].decode(errors="replace") for key in keys)
    try:
        content = read_json(path, "")
    except ValueError:
        return False
    return isinstance(content, dict) and all(key in content for key in keys)
