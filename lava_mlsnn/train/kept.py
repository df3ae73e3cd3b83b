"""Finished trainings on disk: read if they are there, resumed if they were interrupted, never mistaken for one another.

The name of a training's folder ends in a digest of what decides its result. The folder holds model.safetensors,
metrics.csv, tensorboard/, what ``measure`` writes and, last, outcome.json: key and record, digests of the networks'
files, and one of all that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from .. import model
from ..helpers.doors import door
from ..helpers.files import atomic_write
from ..helpers.lock import locked
from ..helpers.reading import read_json
from ..helpers.sealed import file_digest, json_digest
from .folder import FILE, LOCK, MODEL_FILE
from .lightning_import import pl
from .training import Training

OUTCOME = "outcome.json"
NETWORKS = (".safetensors", ".net")
"""Endings of the files that are read again, whose digests an outcome states."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A finished training.

    Args:
        training: what was trained.
        folder: its files.
        record: what :meth:`Training.run` recorded, and "key".
    """

    training: Training
    folder: Path
    record: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of the key: 64 hexadecimal digits."""
        return json_digest(self.record["key"])

    def net(self) -> model.Network:
        """The trained network."""
        return model.load(self.folder / MODEL_FILE)


def folder_of(training: Training, root: str | Path, measured: str, label: str | None = None) -> Path:
    """Where a training is kept: ``root / DATASET-LABEL-DIGEST``."""
    digest = json_digest(_key(training, measured))
    return Path(root) / f"{training.dataset.name}-{label or training.model}-{digest[:10]}"


def keep(
    training: Training,
    root: str | Path,
    measure: Callable[[model.Network, Path], Mapping[str, Any]],
    measured: str,
    *,
    label: str | None = None,
    progress: bool | Console = False,
    callbacks: Sequence[pl.Callback] = (),
) -> Kept:
    """The training as it is kept under ``root``, done and measured first if it is not there yet.

    A folder with a checkpoint but without an outcome is one that was interrupted: it is resumed.

    Args:
        training: what to train.
        root: folder of all trainings.
        measure: called with the trained network and its folder; returns what is to be recorded, JSON-ready.
        measured: name of ``measure``, part of the key: other measurements of the same training have other folders.
        label: what progress and the folder call it; the model's name by default.
        progress: see :func:`lava_mlsnn.train.fit`.
        callbacks: of the training; they decide nothing of its result, or ``measured`` tells of them.

    Raises:
        ValueError: an outcome or a network beside it that is damaged, was edited, or is one of another training.
        BlockingIOError: another process works on this training.

    Example:
        >>> import tempfile
        >>> from lava_mlsnn import data, train
        >>> recipe = train.recipe("digits", epochs=1, quantized_epochs=0, batch=256)
        >>> training = Training("mlp", {"hidden": (8,)}, data.load("digits"), recipe)
        >>> def accuracies(net, folder):
        ...     return {"accuracy": train.accuracies(net, training.dataset)}
        >>> with tempfile.TemporaryDirectory() as root:
        ...     first, second = (keep(training, root, accuracies, "accuracies") for _ in range(2))
        >>> first.record == second.record, first.folder.name
        (True, 'digits-mlp-...')
    """
    folder = folder_of(training, root, measured, label)
    path, key = folder / OUTCOME, _key(training, measured)
    with door(path):
        record = _read(path, key)
    if record is None:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / LOCK, "training"):
            how: dict[str, Any] = {"progress": progress, "name": label, "callbacks": callbacks}
            _, found = training.run(lambda net: measure(net, folder), out=folder, resume=None, force=True, **how)
            record = json.loads(json.dumps({"key": key, **found}, allow_nan=False))
            files = {file.name: file_digest(file) for file in sorted(folder.iterdir()) if file.suffix in NETWORKS}
            content = {**record, "files": files}
            atomic_write(path, json.dumps({**content, "digest": json_digest(content)}, indent=1) + "\n")
    with suppress(OSError):  # also of a folder that is kept where nothing can be written
        (folder / FILE).unlink(missing_ok=True)  # not needed behind an outcome
    return Kept(training, folder, record)


def _key(training: Training, measured: str) -> dict[str, Any]:
    return {**training.key, "measured": measured}


def _read(path: Path, key: dict[str, Any]) -> dict[str, Any] | None:
    """The record of an outcome, None if there is none."""
    if not os.path.lexists(path):
        return None
    advice = "delete its folder to train again"
    try:
        content = read_json(path, "of a training")
    except ValueError as error:
        raise ValueError(f"{error}; {advice}") from None
    if not isinstance(content, dict) or content.get("key") != key:
        raise ValueError(f"{path}: a record of another training: expected that of the folder's name")
    if content.pop("digest", None) != json_digest(content):
        raise ValueError(
            f"{path}: damaged, or edited by hand: its content has the digest {json_digest(content)}, which it does not "
            f"state; {advice}"
        )
    for name, digest in content.pop("files", {}).items():  # there are none in outcomes of earlier versions
        file = path.with_name(name)
        if not file.is_file() or file_digest(file) != digest:
            raise ValueError(f"{file}: missing, damaged, or another file than when the training ended; {advice}")
    return content
