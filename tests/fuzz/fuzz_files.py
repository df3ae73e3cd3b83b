"""Every door of the package at which files come in: valid files, how they are read, what an error may be."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nir_cases
import numpy as np
import real_formats
import test_data_recorded
import torch
from PIL import Image
from test_netx_damage import _strip
from test_netx_hdf5 import residual
from test_netx_stock import SAMPLES, graded_chain, lif_chain, resonator_chain, sdnn_chain
from torch import nn

from lava_mlsnn import data, model, netx, sim
from lava_mlsnn.data import formats
from lava_mlsnn.data.integration import Events
from lava_mlsnn.graph.errors import NetFileError

Read = Callable[[Path], str]


@dataclass(frozen=True)
class Door:
    """One file to damage and the door that reads it.

    Args:
        name: in tallies.
        target: the file to damage, in a folder with what it needs.
        read: the door; from the file's path to what was read, as text that differs if the content does.
        accepted: exceptions that it may raise.
        sealed: whether a digest or a sum in the file guards all of its content.
        slow: how many files of other kinds are read for one of these.
    """

    name: str
    target: Path
    read: Read
    accepted: tuple[type[Exception], ...] = (ValueError,)
    sealed: bool = False
    slow: int = 1


def fingerprint(*values: Any) -> str:
    """Of arrays and anything that has a repr."""
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def doors(folder: Path) -> Iterator[Door]:
    """All doors, with files made in ``folder``."""
    os.environ["MLSNN_CACHE"] = str(folder / "cache")
    from fuzz_folders import results, sets

    for make in (_networks, _nir, _arrays, _recordings, _published, _pictures, _kept, sets, results):
        place = folder / make.__name__.strip("_")
        place.mkdir(parents=True)
        yield from make(place)


def _networks(folder: Path) -> Iterator[Door]:
    def read(path: Path) -> str:
        return netx.digest(netx.load(path))

    for make in (residual, lif_chain, sdnn_chain, graded_chain, resonator_chain):
        path = folder / f"{make.__name__}.net"
        netx.save(make(), path)
        yield Door(f"net {path.stem}", path, read, (NetFileError,), sealed=True)
        if make is not residual:
            shutil.copy(path, folder / f"stock_{path.name}")
            _strip(folder / f"stock_{path.name}")
            yield Door(f"net stock {path.stem}", folder / f"stock_{path.name}", read, (NetFileError,))
    for name in ("tiny.net", "ff_exp_mlp.net"):  # with texts of variable length
        found = next(SAMPLES.rglob(name), None)
        if found is not None:
            shutil.copy(found, folder)
            yield Door(f"net lava-dl {name}", folder / name, read, (NetFileError,))


def _nir(folder: Path) -> Iterator[Door]:
    for case in nir_cases.TABLE:
        for path in nir_cases.CASES.glob(f"{case.name}.*"):
            shutil.copy(path, folder)

        def read(path: Path, case: nir_cases.Case = case) -> str:
            return netx.digest(nir_cases.graph_of(case, path.parent))

        yield Door(f"nir {case.name}", folder / f"{case.name}.nir", read, slow=3)
    dense = netx.Connection("input", netx.Dense(np.eye(3, 4, dtype=int) * 3))
    layer = netx.Layer("out", (dense,), (3, 1, 1), netx.Readout())
    graph = netx.NetGraph(netx.Input((4, 1, 1), 1.0, 3), (layer,), timesteps=2)
    netx.to_nir(graph, folder / "own.nir")
    images = np.arange(16).reshape(4, 4, 1, 1) % 7

    def read_own(path: Path) -> str:
        return netx.digest(netx.from_nir(path, images, input_bits=3))

    yield Door("nir own", folder / "own.nir", read_own)


def data_set(name: str, **options: Any) -> str:
    found = data.load(name, **options)
    parts = found.train_images, found.train_labels, found.test_images, found.test_labels
    return fingerprint(*map(np.asarray, parts), found.labels)


def _arrays(folder: Path) -> Iterator[Door]:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (20, 1, 5, 5)).astype(np.uint8), np.arange(20) % 4
    np.savez(folder / "plain.npz", images=images, labels=labels)
    np.savez_compressed(folder / "packed.npz", x_train=images / 255, y_train=labels, x_test=images, y_test=labels)
    for name in ("plain", "packed"):
        yield Door(f"npz {name}", folder / f"{name}.npz", lambda path: data_set(str(path)))
    for packed in (False, True):
        place = real_formats.write_idx(folder / f"idx{packed}", 20, 20, packed=packed)
        ending = ".gz" if packed else ""
        for what in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
            yield Door(f"idx {what[:9]}{ending}", place / f"{what}{ending}", lambda path: data_set(str(path.parent)))


def _events(path: Path) -> str:
    found = formats.read(path)
    if not isinstance(found, Events):
        return fingerprint(np.asarray(found))
    return fingerprint(found.x, found.y, found.t, found.p, found.sensor)


def _recordings(folder: Path) -> Iterator[Door]:
    events = test_data_recorded.recorded(200)
    contents = {name: make(events, test_data_recorded.SIZE) for name, make in test_data_recorded.FORMATS.items()}
    table = np.zeros(50, [(name, np.int64) for name in "txyp"])
    contents |= {"fields.npy": test_data_recorded.npy_bytes(table)}
    contents |= {"dvs128.aedat": real_formats.aedat2_bytes(real_formats.random_events(100, 128, 0))}
    contents |= {"a.bin": real_formats.nmnist_bytes(real_formats.random_events(100, 34, 0))}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        yield Door(f"recording {name}", folder / name, _events)
    (folder / "four.aedat4").write_bytes(real_formats.aedat4_bytes(real_formats.random_events(100, 128, 0)))
    yield Door("recording aedat4", folder / "four.aedat4", _events, slow=20)
    for label in ("a", "b"):
        (folder / "classes" / label).mkdir(parents=True)
        (folder / "classes" / label / "1.dat").write_bytes(contents["a.dat"])
    (folder / "classes" / "t.csv").write_text("file,label,split\na/1.dat,cat,train\nb/1.dat,dog,test\n")
    yield Door(
        "table of recordings", folder / "classes" / "t.csv", lambda path: data_set(f"events:{path},size=4"), slow=4
    )
    yield Door(
        "folder of recordings",
        folder / "classes" / "a" / "1.dat",
        lambda path: data_set(f"events:{path.parent.parent},size=4,test=0"),
        slow=4,
    )


def _published(folder: Path) -> Iterator[Door]:
    for name, make, inner in (
        ("cifar10", real_formats.write_cifar10, "data_batch_2"),
        ("cifar100", real_formats.write_cifar100, "train"),
    ):
        plain = make(folder / name, 100 if name == "cifar100" else 20, binary=False, archive=False)
        target = next(Path(plain).rglob(inner))
        yield Door(
            f"{name} pickle", target, lambda path, name=name: data_set(name, root=path.parent.parent, complete=False)
        )
    packed = real_formats.write_cifar10(folder / "packed", 20, binary=True, archive=True)
    yield Door("cifar10 tar", Path(packed), lambda path: data_set("cifar10", root=path, complete=False))
    real_formats.write_idx(folder / "emnist", 20, 20, stem="emnist-letters-", first=1)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for path in sorted((folder / "emnist").iterdir()):
            archive.write(path, f"gzip/{path.name}")
    yield Door(
        "emnist zip", folder / "gzip.zip", lambda path: data_set("emnist", root=path, complete=False, split="letters")
    )


def _pictures(folder: Path) -> Iterator[Door]:
    rng = np.random.default_rng(0)
    for kind in ("png", "jpeg"):
        for label in ("cat", "dog"):
            (folder / kind / label).mkdir(parents=True)
            for i in range(2):
                image = Image.fromarray(rng.integers(0, 255, (6, 6, 3)).astype(np.uint8))
                image.save(folder / kind / label / f"{i}.{kind}")
        yield Door(
            f"pictures {kind}",
            folder / kind / "cat" / f"0.{kind}",
            lambda path: data_set(f"{path.parent.parent},test=0"),
        )


def _kept(folder: Path) -> Iterator[Door]:
    yield from _models(folder)
    yield from _runs(folder)
    yield from _trainings(folder)


class _Relus(nn.Module):
    """To convert: every kind of part."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 1)
        self.pool, self.c = nn.AvgPool2d(2), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.a(x))
        return self.c(self.pool(torch.relu(self.b(x) + x)).flatten(1))


def _models(folder: Path) -> Iterator[Door]:
    def read(path: Path) -> str:
        net = model.load(path)
        return fingerprint(net.config, net.notes, *(t.numpy() for t in net.state_dict().values()))

    for name, options in (
        ("mlp", {"hidden": (4, 4), "in_shape": (1, 3, 3)}),
        ("cnn", {"width": 2, "in_shape": (1, 8, 8)}),
        ("s_resnet38", {"width": 2, "in_shape": (1, 8, 8), "blocks": (1, 1, 1), "levels": 1}),
        ("sparse_resnet18", {"width": 2, "in_shape": (1, 8, 8), "blocks": (1, 1)}),
    ):
        path = folder / f"{name}.safetensors"
        model.save(model.create(name, num_classes=3, **options), path, {"accuracy": 0.5})
        yield Door(f"model {name}", path, read, slow=2)
    images, labels = np.arange(8 * 16, dtype=np.uint8).reshape(8, 1, 4, 4), np.arange(8) % 3
    few = data.Dataset("few", images, labels, images, labels, input_scale=1 / 128, bits=7, labels=("a", "b", "c"))
    path = folder / "converted.safetensors"
    model.save(model.convert(_Relus(), few, 4), path)
    yield Door("model converted", path, read)


def _runs(folder: Path) -> Iterator[Door]:
    from lava_mlsnn.cli import fit
    from lava_mlsnn.sim import resume

    dense = netx.Connection("input", netx.Dense([[1, 2], [3, 4]]))
    graph = netx.NetGraph(netx.Input((2, 1, 1)), (netx.Layer("out", (dense,), (2, 1, 1), netx.Readout()),))
    images = np.arange(12, dtype=np.uint8).reshape(6, 2, 1, 1)
    whole, path = sim.run(graph, images), folder / "run.partial.npz"

    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 2:
            raise StopError

    with suppress(StopError):
        sim.run_resumable(graph, images, path, piece=2, progress=stop)

    def read(path: Path) -> str:
        return resume_fingerprint(sim.run_resumable(graph, images, path, piece=2))

    def resume_fingerprint(run: sim.Run) -> str:
        return fingerprint(run.output, run.activity.to_dict(), dict(run.overflows))

    assert resume.PIECE and read(path) == resume_fingerprint(whole)
    with suppress(StopError):
        sim.run_resumable(graph, images, path, piece=2, progress=stop)
    yield Door("partial result", path, read, sealed=True)
    (folder / "run.json").write_text(json.dumps({"activity": whole.activity.to_dict()}))
    yield Door("counts", folder / "run.json", lambda path: fingerprint(fit._read(path).to_dict()))


def _trainings(folder: Path) -> Iterator[Door]:
    from lava_mlsnn import train
    from lava_mlsnn.train import checkpoint, kept, sweep
    from lava_mlsnn.train.study import journal
    from lava_mlsnn.train.training import Training

    digits = data.load("digits")
    small = replace(digits, train_images=digits.train_images[:64], train_labels=digits.train_labels[:64])
    recipe = train.recipe("digits", epochs=1, quantized_epochs=0, batch=64)
    net = train.create("mlp", small, hidden=(4,))
    train.fit(net, small, recipe, out=folder / "training", progress=False)
    wanted = checkpoint.identity(net, small, recipe, 0, "32")

    def read_checkpoint(path: Path) -> str:
        found = checkpoint.find(path.parent, wanted)
        return fingerprint(checkpoint._read(Path(found))["callbacks"]["History"]["epochs"])

    path = folder / "training" / checkpoint.FILE
    if path.is_file():
        read_checkpoint(path)
        yield Door("checkpoint", path, read_checkpoint, sealed=True, slow=3)
    training = Training("mlp", {"hidden": (4,)}, small, recipe)
    done = kept.keep(training, folder / "kept", lambda net, folder: {"accuracy": 0.5}, "half")

    def never(net: Any, folder: Path) -> Any:
        raise AssertionError("trained again")

    def read_outcome(path: Path) -> str:
        return fingerprint(kept.keep(training, path.parents[1], never, "half").record)

    yield Door("outcome", done.folder / kept.OUTCOME, read_outcome, sealed=True)
    one = sweep.Sweep("mlp", {"hidden": (4,)}, "digits", recipe, study=str(folder / "s.journal"))
    tools = sweep._optuna()
    tools.logging.set_verbosity(tools.logging.WARNING)
    study = tools.create_study(study_name="sweep", storage=journal(tools, Path(one.study)))
    study.optimize(lambda trial: trial.suggest_float("lr", 0.1, 1.0), n_trials=2)

    def read_journal(path: Path) -> str:
        storage = journal(tools, path)
        found = tools.create_study(study_name="sweep", storage=storage, load_if_exists=True)
        return fingerprint([(t.number, t.params, t.values, str(t.state)) for t in found.get_trials()])

    yield Door("journal", folder / "s.journal", read_journal, slow=2)
