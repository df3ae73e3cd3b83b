"""Checkpoints: written completely or not at all, read without executing anything, resumed by the same training only.

A resumed training ends with the weights that it would have had without the interruption. So a checkpoint states which
training it belongs to (network, images, recipe, seed, precision), and any other training refuses it. For the same
reason a finished training cannot be made longer: its schedule and its integer epochs are laid out over its number of
epochs. To train further from its weights, load the model and train it by a new recipe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..data import Dataset
from ..helpers.doors import door, reason
from ..helpers.files import replacing
from .content import digest
from .lightning_import import TorchCheckpointIO
from .recipe import Recipe

FILE = "last.ckpt"
KEY = "lava-mlsnn training"
FORMAT = 1
_SHOWN = 4


def identity(net: nn.Module, dataset: Dataset, recipe: Recipe, seed: int, precision: str) -> dict[str, Any]:
    """What a checkpoint states about its training, JSON-ready."""
    config = getattr(net, "config", None) or {"text": repr(net)}
    content = {
        "format": FORMAT,
        "model": config,
        "recipe": recipe.to_dict(),
        "seed": seed,
        "precision": precision,
        "data": {"name": dataset.name, "images": list(dataset.train_images.shape), "digest": digest(dataset, "train")},
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def find(out: str | Path | None, wanted: dict[str, Any]) -> tuple[str, list[dict[str, float]]]:
    """Path of the checkpoint in a folder, and the history it holds.

    Raises:
        ValueError: there is none, or it is damaged, of another program or of another training; the message says which.
    """
    path = Path(out or ".") / FILE
    if out is None or not path.is_file():
        raise ValueError(f"resume: expected a checkpoint {path}, found none")
    with door(path):
        return str(path), _history(path, wanted)


def _history(path: Path, wanted: dict[str, Any]) -> list[dict[str, float]]:
    content = _read(path)
    found = content.get(KEY)
    if not isinstance(found, dict) or "format" not in found:
        raise ValueError(f"{path}: expected a checkpoint of a lava-mlsnn training, found another file of torch")
    if found["format"] != FORMAT:
        raise ValueError(f"{path}: checkpoint format {found['format']}, this library resumes format {FORMAT}")
    differences = list(_differences(found, wanted))
    if differences:
        more = f"; {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise ValueError(
            f"{path}: a checkpoint of another training: {'; '.join(differences[:_SHOWN])}{more}. "
            "Expected the same network, images, recipe, seed and precision"
        )
    return list(content["callbacks"]["History"]["epochs"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch does not say what a damaged file raises
        raise ValueError(f"{path}: damaged, or no checkpoint of a lava-mlsnn training ({reason(error)})") from None
    return content if isinstance(content, dict) else {}


def _differences(found: Any, wanted: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}):
            yield from _differences(found.get(key), wanted.get(key), f"{name}.{key}" if name else key)
    elif found != wanted:
        theirs, mine = (text if len(text := repr(x)) < 60 else "another" for x in (found, wanted))
        yield f"{name} was {theirs}, now {mine}"


class AtomicIO(TorchCheckpointIO):
    """Replaces the old checkpoint when the new one is on the disk.

    Lightning writes to the system's folder for temporary files and copies from there; a kill can leave half a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part, open(part, "wb") as file:
            torch.save(checkpoint, file)
