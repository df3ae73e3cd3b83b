"""From a trained network to a checked one: export it, run it in every engine, compare all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .engines import check, compare_lava, right, run_engine

if TYPE_CHECKING:
    from ..data import Dataset
    from ..model import Network
    from ..netx import NetGraph
    from ..sim import Run


@dataclass(frozen=True)
class Exported:
    """A trained network, and what was exported from it.

    Args:
        name: what tables call it.
        net: the torch network, quantized.
        graph: what was exported.
        path: its file.
        run: the whole test set in the engine, with traces.
    """

    name: str
    net: Network
    graph: NetGraph
    path: Path
    run: Run


def export(name: str, net: Network, dataset: Dataset, path: Path) -> Exported:
    """Quantize, write, and run the whole test set in the engine."""
    from .. import netx

    graph = netx.quantize(net, labels=dataset.labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    netx.save(graph, path)
    return Exported(name, net, graph, path, run_engine(graph, dataset, trace=True))


def verify(item: Exported, dataset: Dataset, fused: int, layers: int) -> Iterator[dict[str, Any]]:
    """Compare torch, the file and Lava with the engine, spike by spike; yields one row per comparison.

    Args:
        item: the exported network.
        dataset: its test images are used.
        fused, layers: images that run in Lava as one Process, and as one Process per synapse and population.
    """
    yield _torch(item, dataset)
    yield _file(item, dataset)
    for count, is_fused in ((fused, True), (layers, False)):
        if count:
            yield compare_lava(item.graph, item.path, dataset.test_images[:count], is_fused, f"{item.name}: ")


def _torch(item: Exported, dataset: Dataset) -> dict[str, Any]:
    import torch

    from ..block import trace
    from ..sim import spikes_difference
    from ..train import predict

    traced = trace(item.net, torch.from_numpy(dataset.test_images.copy()))
    found = {name: spikes.numpy() for name, spikes in traced.items()}
    difference = spikes_difference(item.run.traces, found)
    missing = [name for name in item.run.traces if name not in found]
    if missing:
        difference = f"torch has no layers {', '.join(missing)}"
    if not difference:
        wrong = np.flatnonzero(predict(item.net, dataset).argmax(1) != item.run.labels)
        difference = f"{len(wrong)} labels differ, the first of image {wrong[0]}" if len(wrong) else ""
    agreement = f"equal on {len(item.run.labels)} images: labels, spikes of {len(found)} layers step by step"
    return check(f"{item.name}: torch, quantized = engine", difference, agreement)


def _file(item: Exported, dataset: Dataset) -> dict[str, Any]:
    from .. import netx

    loaded = netx.load(item.path)
    difference = "" if netx.digest(loaded) == netx.digest(item.graph) else "the digests differ"
    difference = difference or item.run.difference(run_engine(loaded, dataset, trace=True))
    agreement = f"digest {netx.digest(loaded)[:16]}; equal on {len(item.run.labels)} images"
    return check(f"{item.name}: file read again = exported", difference, agreement)


def accuracy(item: Exported, dataset: Dataset, of_training: dict[str, float]) -> dict[str, float]:
    """Accuracies of training and of the engine."""
    return {**of_training, "engine": right(item.run, dataset)}
