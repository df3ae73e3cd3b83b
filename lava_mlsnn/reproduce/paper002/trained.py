"""S-ResNets, trained and kept: one folder per network, known by everything that decides its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..findings import Spread
from ..lab import fingerprint
from ..request import Request

if TYPE_CHECKING:
    from ...data import Dataset
    from ...model import Network
    from ...train import Recipe

QUICK = {"levels": 1, "steps": 2, "width": 6, "blocks": (2, 2, 2)}
"""For stand-ins on a small machine."""

FULL = {"levels": 1, "steps": 50}
"""The paper's; width 16 and six blocks per stage unless a row says otherwise."""

QUICK_EPOCHS = 6
MODEL, RECORD = "model.safetensors", "outcome.json"


@dataclass(frozen=True, eq=False)
class Trained:
    """A network and its accuracy with float weights on the test images."""

    folder: Path
    accuracy: float
    parameters: int

    def net(self) -> Network:
        """The network."""
        from ... import model

        return model.load(self.folder / MODEL)


def recipe(request: Request) -> Recipe:
    """Six epochs of the digits' recipe, or the paper's."""
    from ... import train

    name = request.recipe or ("digits-leaky" if request.quick else "paper002")
    epochs = request.epochs or (QUICK_EPOCHS if request.quick else None)
    found = train.recipe(name, epochs=epochs, quantized_epochs=request.quantized_epochs or 0)
    return replace(found, batch=64) if request.quick and request.recipe is None else found


def options(request: Request, quick: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """Of a network: what all have, and what this one is about."""
    return {**QUICK, **quick} if request.quick else {**FULL, "blocks": (6, 6, 6), **full}


def train_all(request: Request, chosen: Mapping[str, Any]) -> tuple[Trained, ...]:
    """One network per seed."""
    return tuple(trained(request, chosen, seed) for seed in request.seeds)


def trained(
    request: Request,
    chosen: Mapping[str, Any],
    seed: int,
    dataset: Dataset | None = None,
    start: Trained | None = None,
) -> Trained:
    """Read, resumed, or trained and measured; on other data than the request's, and from another network's weights."""
    from ... import model, train
    from ...model.s_resnet import fine_tuned

    dataset, plan = dataset or request.dataset(int(chosen["steps"])), recipe(request)
    key = {"options": {**chosen}, "seed": seed, "data": fingerprint(dataset), "recipe": plan.to_dict()}
    if start is not None:
        key["start"] = start.folder.name
    text = json.dumps(key, sort_keys=True)
    folder = Path(request.out) / "runs" / f"{dataset.name}-s_resnet-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not (folder / RECORD).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        net = train.create("s_resnet38", dataset, seed=seed, **chosen)
        if start is not None:
            fine_tuned(net, start.net().state_dict())
        begun = any(folder.glob("*.ckpt"))
        train.fit(net, dataset, plan, seed=seed, out=folder, resume=begun, progress=request.progress, name="s_resnet")
        right = train.predict(net, dataset).argmax(1) == dataset.test_labels
        model.save(net, folder / MODEL)
        record = {"key": key, "accuracy": float(right.mean()), "parameters": sum(p.numel() for p in net.parameters())}
        part = folder / f"{RECORD}.part"
        part.write_text(json.dumps(record) + "\n", encoding="utf-8")
        part.replace(folder / RECORD)
        for checkpoint in folder.glob("*.ckpt"):
            checkpoint.unlink()
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return Trained(folder, record["accuracy"], record["parameters"])


def spread(networks: tuple[Trained, ...]) -> Spread:
    """Accuracy over seeds."""
    return Spread.of(network.accuracy for network in networks)


def told(request: Request) -> str:
    """What was trained, for the notes."""
    plan, dataset = recipe(request), request.dataset()
    how = ", ".join(f"{k} {v}" for k, v in QUICK.items()) if request.quick else "the paper's sizes"
    return (
        f"S-ResNets with {how} unless a row says otherwise; {plan.epochs} epochs with float weights on {dataset.name}; "
        f"accuracies on {len(dataset.test_labels)} test images, mean and standard deviation over {len(request.seeds)} "
        "seed(s)."
    )
