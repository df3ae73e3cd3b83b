"""Checkpoints: written completely or not at all, read without executing anything, resumed by the same training only.

A resumed training ends with the weights that it would have had without the interruption. So a checkpoint states which
training it belongs to (network, images, recipe, seed, precision, teacher), and any other training refuses it; and it
states a digest of its content, so that a damaged one is refused, too.

A recipe with more epochs goes on from there all the same: its plan (which epochs are integer, how the learning rate
falls) then holds from the next epoch on. The result is not that of a training that had the plan from its first epoch;
the record says after how many epochs it was made longer.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..data import Dataset
from ..helpers.doors import door, reason
from ..helpers.files import replacing
from ..helpers.sealed import seal, unsealed
from .content import digest, network_digest
from .folder import FILE, check_resumable
from .lightning_import import TorchCheckpointIO
from .recipe import Recipe

KEY = "lava-mlsnn training"
FORMAT = 2
LENGTHS = ("epochs", "quantized_epochs")
"""Of a recipe: what a resumed training may have more of."""

_SHOWN = 4


def identity(
    net: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    precision: str,
    start: str | None = None,
    teacher: nn.Module | None = None,
) -> dict[str, Any]:
    """What a checkpoint states about its training, JSON-ready; ``start`` is a digest of where its weights come from."""
    config = getattr(net, "config", None) or {"text": repr(net)}
    content = {
        "format": FORMAT,
        "model": config,
        "recipe": recipe.to_dict(),
        "seed": seed,
        "precision": precision,
        "data": {"name": dataset.name, "images": list(dataset.train_images.shape), "digest": digest(dataset, "train")},
        **({} if start is None else {"start": start}),
        **({} if teacher is None else {"teacher": network_digest(teacher)}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def find(out: str | Path | None, wanted: dict[str, Any]) -> str:
    """Path of the checkpoint in a folder.

    Raises:
        ValueError: there is none, or it is damaged, of another program or of another training; the message says which.
    """
    path = check_resumable(out)
    with door(path):
        _check(path, _read(path)[KEY], wanted)
    return str(path)


def _check(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if found["format"] != FORMAT:
        raise ValueError(f"{path}: checkpoint format {found['format']}, this library resumes format {FORMAT}")
    if all(wanted["recipe"][name] >= found["recipe"][name] for name in LENGTHS):
        wanted = {**wanted, "recipe": {**wanted["recipe"], **{name: found["recipe"][name] for name in LENGTHS}}}
    differences = list(_differences(found, wanted))
    if differences:
        more = f"; {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise ValueError(
            f"{path}: a checkpoint of another training: {'; '.join(differences[:_SHOWN])}{more}. "
            "Expected the same network, images, recipe, seed, precision and teacher, or more epochs; force (--force) "
            "begins anew"
        )


def epochs_done(out: str | Path) -> int:
    """Epochs of the checkpoint in a folder, 0 if there is none that can be read."""
    try:
        return len(_read(Path(out) / FILE)["callbacks"]["History"]["epochs"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(io.BytesIO(unsealed(path)), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch does not say how it refuses what it would have to execute
        why = reason(error).removeprefix(f"{path}: ")
        raise ValueError(
            f"{path}: not a checkpoint of a lava-mlsnn training ({why}); remove it to begin anew"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get(KEY), dict):
        raise ValueError(f"{path}: expected a checkpoint of a lava-mlsnn training, found another file")
    return content


def _differences(found: Any, wanted: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}):
            yield from _differences(found.get(key), wanted.get(key), f"{name}.{key}" if name else key)
    elif found != wanted:
        theirs, mine = (text if len(text := repr(x)) < 60 else "another" for x in (found, wanted))
        yield f"{name} was {theirs}, now {mine}"


class AtomicIO(TorchCheckpointIO):
    """Replaces the old checkpoint when the new one is on the disk, and reads what :func:`find` has found.

    Lightning writes to the system's folder for temporary files and copies from there; a kill can leave half a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            with open(part, "wb") as file:
                torch.save(checkpoint, file)
            seal(part)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return _read(Path(path))
