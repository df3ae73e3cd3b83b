"""Changes to the structure of a network file, each said to matter or not: what matters must not pass unseen."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

SILENT = ("Ts", "theta", "scaleRho", "tauRho")
"""Keys whose value means nothing to inference."""

NEUTRAL = ("gradedSpike", "refDelay", "wgtExp", "activation")
"""Keys that only say what is so without them."""

OPTIONAL = ("kernelSize", "inChannels", "outChannels", "inFeatures", "outFeatures", "simulation")
"""Keys that a stock file may lack."""


def _datasets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def _numbers(file: h5py.File) -> list[str]:
    return [name for name in _datasets(file) if file[name].dtype.kind in "iufb"]


def _leaf(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _sigma(file: h5py.File, name: str) -> bool:
    """A sigma decoder has no threshold, although stock writes one."""
    return _leaf(name) == "vThMant" and "sigma_output" in file[name].parent


def _replace(file: h5py.File, name: str, **dataset: object) -> None:
    del file[name]
    file.create_dataset(name, **dataset)


def delete(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    names: list[str] = []
    file.visit(names.append)
    name = rng.choice(names)
    leaf, stock = _leaf(name), "format" not in file.attrs
    silent = leaf in (*SILENT, *NEUTRAL) or (stock and leaf in OPTIONAL)
    silent = silent or (stock and leaf == "tSample" and file[name][()] == 1)
    del file[name]
    return f"delete {name}", silent


def number(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    name = rng.choice(_numbers(file))
    value = np.array(file[name], dtype=np.float64)
    at = tuple(rng.randrange(n) for n in value.shape)
    old = value[at]
    new = rng.choice([old + 1, old - 1, -old, 2 * old, old + 0.5, 1e9, -1e9, 2.0**40, 0.0, np.nan, np.inf, 1e300, 63.0])
    value[at] = new
    _replace(file, name, data=value)
    return f"{name}{list(at)}: {old} -> {new}", bool(new == old) or _leaf(name) in SILENT or _sigma(file, name)


def dtype(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    name = rng.choice(_numbers(file))
    value = file[name][()]
    kind = rng.choice([np.float64, np.float32, np.int64, np.int32, np.int8, np.uint8, np.uint64, np.longdouble, ">f8"])
    with np.errstate(all="ignore"):
        new = np.asarray(value).astype(kind)
    same = bool(np.array_equal(new.astype(np.float64), np.asarray(value, np.float64)))
    _replace(file, name, data=new)
    return f"{name}: as {np.dtype(kind)}", same or _leaf(name) in SILENT or _sigma(file, name)


def strange_type(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    name = rng.choice(_datasets(file))
    kind = rng.randrange(7)
    silent = _leaf(name) in SILENT or _sigma(file, name)
    if kind == 0:
        _replace(file, name, data=np.array([1 + 2j]))
    elif kind == 1:
        _replace(file, name, data=np.zeros(2, dtype=[("a", "i4"), ("b", "f4")]))
    elif kind == 2:
        _replace(file, name, shape=(2,), dtype=h5py.vlen_dtype(np.int32))
    elif kind == 3:
        _replace(file, name, data=np.array([file["layer"].ref], dtype=h5py.ref_dtype))
    elif kind == 4:
        _replace(file, name, data=h5py.Empty("f4"))
    elif kind == 5:
        _replace(file, name, data="é" * rng.choice([1, 10, 70000]))
    else:
        _replace(file, name, data=np.frombuffer(b"\xff\xfe\x00\x01", dtype="V4"))
    return f"{name}: type {kind}", silent


def shape(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    name = rng.choice(_numbers(file))
    old = np.asarray(file[name])
    new = rng.choice([old[..., None], old[None], old.T, old.reshape(-1), old.reshape(-1)[:-1], np.stack([old, old])])
    _replace(file, name, data=new)
    said = np.unique(new)
    same = np.array_equal(said, np.unique(old)) and (len(said) == 1 or new.size == old.size)
    return f"{name}: shape {old.shape} -> {new.shape}", same or _leaf(name) in SILENT


def huge(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    """A dataset that says it is huge: never written, or zeros that deflate a thousandfold."""
    name = rng.choice(_datasets(file))
    kind = rng.choice(["f4", "i1", "S65536"])
    if rng.randrange(2):
        _replace(file, name, shape=rng.choice([(2**20, 2**20), (2**40,), (3, 2**40)]), dtype=kind, chunks=True)
    else:
        dtype = np.dtype(kind if kind != "S65536" else "S1024")
        _replace(file, name, data=np.zeros(2**12, dtype), compression=9, chunks=(2**12,))
    return f"{name}: huge", _leaf(name) in SILENT


def swap_kind(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    names: list[str] = []
    file.visit(names.append)
    name = rng.choice(names)
    was_group = isinstance(file[name], h5py.Group)
    silent = _leaf(name) in SILENT
    del file[name]
    if was_group:
        file.create_dataset(name, data=np.int64(1))
    else:
        file.create_group(name)
    return f"{name}: a {'dataset' if was_group else 'group'} now", silent


def link(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    """Cycles, dangling links, data in other files."""
    names: list[str] = []
    file.visit(names.append)
    name = rng.choice(names)
    silent = _leaf(name) in SILENT
    kind = rng.randrange(5)
    if kind == 0:
        del file[name]
        file[name] = h5py.SoftLink("/layer/0/shape")
    elif kind == 1:
        del file[name]
        file[name] = h5py.ExternalLink("/etc/passwd", "/layer")
    elif kind == 2:
        del file[name]
        file[name] = file["layer"] if name != "layer" else file["/"]
    elif kind == 3:
        del file[name]
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
        file.create_virtual_dataset(name, layout)
    else:
        del file[name]
        file.create_dataset(name, (4,), "u1", external=[("/etc/hostname", 0, 4)])
    return f"{name}: link {kind}", silent


def extra(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    groups = ["/"]
    file.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
    group = file[rng.choice(groups)]
    name = rng.choice(["delay", "weight_exp", "messageBits", "7777", "bias2", "weight_rec", "neuron2", "éñ"])
    if name in group:
        return "nothing", True
    if rng.randrange(2):
        group.create_dataset(name, data=np.int64(3))
    else:
        group.create_group(name)
    return f"extra {group.name}/{name}", False


def text(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    names = [name for name in _datasets(file) if h5py.check_string_dtype(file[name].dtype)]
    name = rng.choice(names)
    old = file[name][()]
    words = [b"conv", b"dense", b"pool", b"concat", b"skip", b"input", b"flatten", b"", b"LIF", b"CUBA", b"SDNN", b"RF"]
    words += [b"stem", b"add", b"out", b"nowhere", b"\xff\xfe", b"a/b", b"identity", b"MULTILEVEL", b"corrected"]
    new = np.array(rng.choice(words), dtype="S16")
    if isinstance(old, np.ndarray):
        values = old.astype("S16")
        values[rng.randrange(len(values)) if len(values) else ...] = new
        new = values
    before = [v.decode() if isinstance(v, bytes) else str(v) for v in np.atleast_1d(old).tolist()]
    after = [v.decode("latin1") for v in np.atleast_1d(new).tolist()]
    same = before == after or {*before, *after} <= {"CUBA", "LOIHI"}
    silent = (
        same
        or (_leaf(name) == "activation" and file[name].parent.parent.name == "/layer/0")
        or (_leaf(name) == "activation" and "sigma_output" in file[name].parent)
    )
    _replace(file, name, data=new)
    return f"{name}: {before} -> {after}", silent


def layers(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    """Layers swapped, copied, renumbered."""
    group = file["layer"]
    a, b = rng.sample(sorted(group), 2)
    kind = rng.randrange(4)
    if kind == 0:
        group.move(a, "x")
        group.move(b, a)
        group.move("x", b)
    elif kind == 1:
        group.copy(a, str(len(group)))
    elif kind == 2:
        group.move(a, f"0{a}")
    else:
        del group[a]
        group[a] = group[b]
    return f"layers {a}, {b}: {kind}", False


def attribute(file: h5py.File, rng: random.Random) -> tuple[str, bool]:
    name = rng.choice(["format", "format_version", "digest"])
    value = rng.choice([b"x", 2, -1, 10**9, np.zeros(5), "é", h5py.Empty("f4")])
    file.attrs[name] = value
    return f"attribute {name}: {value!r}", name == "digest"


CHANGES: tuple[Callable[[h5py.File, random.Random], tuple[str, bool]], ...] = (
    delete,
    number,
    number,
    number,
    dtype,
    strange_type,
    shape,
    huge,
    swap_kind,
    link,
    extra,
    text,
    layers,
    attribute,
)


def change(path: Path, seed: int) -> tuple[str, bool]:
    """Change the file at ``path``; what was done, and whether the network it describes may still be the same."""
    rng = random.Random(seed)
    with h5py.File(path, "r+") as file:
        return rng.choice(CHANGES)(file, rng)
