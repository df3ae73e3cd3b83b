"""What is read back, damaged at random: refused with the file's name, made again, or equal; never another result.

``python tests/campaigns/resume_files.py --count 3000 --seed 0`` prints the tally of each kind of file.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch

from lava_mlsnn import data, netx, sim, train
from lava_mlsnn.data import cache
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
from lava_mlsnn.train import checkpoint, study

EQUAL, REFUSED, AGAIN, OLDER = "equal", "refused by name", "made again with a warning", "as before its last lines"
ACCEPTED = (EQUAL, REFUSED, AGAIN, OLDER)


@dataclass
class Kind:
    """Files that belong together, and how they are read.

    Args:
        files: of which one is damaged at a time.
        read: what they hold, comparable by ``==``.
        older: whether a cut at the end of a line may be taken for an earlier state.
    """

    files: list[Path]
    read: Callable[[], Any]
    older: Callable[[Any, Any], bool] = lambda found, expected: False


def damaged(content: bytes, how: random.Random) -> bytes:
    """Another content: bytes changed, cut, inserted, removed, doubled or swapped."""
    place, length = how.randrange(len(content)), how.choice((1, 1, 2, 8, 64, 500))
    part, rest = content[place : place + length], content[place + length :]
    other = how.choice(
        (
            content[:place] + bytes([content[place] ^ 1 << how.randrange(8)]) + content[place + 1 :],
            content[:place] + how.randbytes(len(part)) + rest,
            content[:place] + bytes(len(part)) + rest,
            content[:place] + rest,
            content[:place] + part + part + rest,
            content[:place] + how.randbytes(length) + part + rest,
            content[:place],
            content + how.randbytes(length),
            rest[:length] + content[length:place] + part + rest[length:],
        )
    )
    lines = content.splitlines(keepends=True)
    if len(lines) > 3 and how.random() < 0.2:  # whole lines, with their digests
        a, b = how.sample(range(len(lines)), 2)
        lines[a], lines[b] = how.choice(((lines[b], lines[a]), (b"", lines[b]), (lines[a] * 2, lines[b])))
        other = b"".join(lines)
    return other


def judged(kind: Kind, path: Path, expected: Any) -> str:
    """How the damaged files are taken."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = kind.read()
        except ValueError as error:
            return REFUSED if any(file.name in str(error) for file in kind.files) else f"refused, no name: {error}"
        except Exception as error:
            return f"{type(error).__name__} ({path.name}): {str(error)[:80]}"
    if found != expected:
        return OLDER if kind.older(found, expected) else f"SILENT DIFFERENCE ({path.name})"
    return AGAIN if any("made again" in str(warning.message) for warning in said) else EQUAL


def campaign(kind: Kind, count: int, seed: int) -> Counter[str]:
    """Damage ``count`` times and read."""
    how, tally = random.Random(seed), Counter[str]()
    whole = {path: path.read_bytes() for path in kind.files}
    expected = kind.read()
    for path, old in whole.items():
        path.write_bytes(old)  # pieces are removed when they have been used
    for _ in range(count):
        path = how.choice(kind.files)
        content = damaged(whole[path], how)
        if content == whole[path]:
            continue
        path.write_bytes(content)
        tally[judged(kind, path, expected)] += 1
        for restored, old in whole.items():
            restored.write_bytes(old)
    return tally


def pieces(folder: Path) -> Kind:
    """Of an interrupted run."""
    dense = Connection(("input",), Dense(np.arange(-12, 12).reshape(4, 6)))
    graph = NetGraph(Input((6, 1, 1), bits=4), (Layer("a", (dense,), (4, 1, 1), MultiLevel(3, 20)),), timesteps=2)
    images = np.random.default_rng(0).integers(0, 16, (11, 6, 1, 1)).astype(np.uint8)
    path = folder / "a.partial.npz"

    def read() -> Any:
        run = sim.run_resumable(graph, images, path, piece=3)
        return run.output.tolist(), run.activity.to_dict()

    def stop(done: int, total: int) -> None:
        if done > 6:
            raise InterruptedError

    try:
        sim.run_resumable(graph, images, path, piece=3, progress=stop)
    except InterruptedError:
        return Kind([path], read)
    raise AssertionError("it was to be interrupted")


def _few() -> data.Dataset:
    digits = data.load("digits")
    pairs = {"train": 40, "test": 20}
    parts = {f"{p}_{w}": getattr(digits, f"{p}_{w}")[:n] for p, n in pairs.items() for w in ("images", "labels")}
    return data.Dataset("few", **parts, input_scale=1 / 16, bits=5, labels=digits.labels)


def _training() -> train.Training:
    recipe = train.recipe("digits", epochs=1, quantized_epochs=1, batch=20)
    return train.Training("mlp", {"hidden": (4,)}, _few(), recipe)


def checkpoints(folder: Path) -> Kind:
    """Of a training."""
    training = _training()
    training.fit(out=folder)
    wanted = checkpoint.identity(training.network(), training.dataset, training.recipe, 0, "32")

    def read() -> Any:
        content = checkpoint.AtomicIO().load_checkpoint(checkpoint.find(folder, wanted))
        tensors = {name: tensor.tolist() for name, tensor in content.pop("state_dict").items()}
        return tensors, repr(content)

    return Kind([folder / checkpoint.FILE], read)


def outcomes(folder: Path) -> Kind:
    """A kept training: its record and its networks."""
    training = _training()

    def measure(net: Any, place: Path) -> dict[str, Any]:
        netx.save(netx.quantize(net), place / "network.net")
        return {"accuracy": train.accuracies(net, training.dataset)}

    def read() -> Any:
        kept = train.keep(training, folder, measure, "accuracies")
        weights = {name: tensor.tolist() for name, tensor in kept.net().state_dict().items()}
        return dict(kept.record), weights, netx.digest(netx.load(kept.folder / "network.net"))

    place = train.keep(training, folder, measure, "accuracies").folder
    return Kind([place / name for name in ("outcome.json", "model.safetensors", "network.net")], read)


def frames(folder: Path) -> Kind:
    """In the cache."""
    samples = np.random.default_rng(0).integers(0, 9, (5, 2, 4, 4, 3)).astype(np.uint8)
    place = folder / "0123"

    def read() -> Any:
        found, about = cache.frames(place, samples.shape, lambda: iter(samples), lambda: {"tally": {"cut": 0}})
        return found.tolist(), about

    read()
    return Kind([place / cache.FRAMES, place / cache.ABOUT], read)


def journals(folder: Path) -> Kind:
    """Of a sweep; a journal that ends earlier is that of an earlier moment."""
    path = folder / "a.journal"

    def trials() -> Any:
        storage = study.journal(optuna, path)
        if not storage.get_all_studies():
            return []
        found = optuna.load_study(study_name="sweep", storage=storage).get_trials()
        return [(t.number, t.state.name, t.value, t.params, t.intermediate_values) for t in found]

    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("lr", 0, 1)
        trial.report(value / 2, 1)
        return value

    def older(found: Any, expected: Any) -> bool:
        return whole.startswith(path.read_bytes())

    made = optuna.create_study(study_name="sweep", storage=study.journal(optuna, path))
    made.optimize(objective, n_trials=5)
    whole = path.read_bytes()
    return Kind([path], trials, older)


KINDS = {f.__name__: f for f in (pieces, checkpoints, outcomes, frames, journals)}


@contextmanager
def made(name: str) -> Iterator[Kind]:
    """The files of a kind in a temporary folder."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    try:
        yield KINDS[name](folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for kind_name in KINDS:
        with made(kind_name) as one:
            print(kind_name, dict(campaign(one, options.count, options.seed).most_common()), flush=True)
