"""A training of several processes, run as a program: ``train_together.py DEVICES OUT [NODES]``; writes losses and
weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from lava_mlsnn import data, train

RECIPE = train.Recipe(
    epochs=2,
    quantized_epochs=1,
    batch=60,
    optimizer=train.Optimizer(lr=0.1),
    augment=train.Augment(crop=0.8),
    mixup=0.1,
    clip=2.0,
    validation=0.2,
    energy=0.4,
    rate=0.1,
    distill=train.Distill(0.3, 3.0),
)


def trained(devices: int, out: Path | None, nodes: int = 1) -> dict[str, Any]:
    """History, weights and accuracies, or nothing in any process but the first."""
    digits = data.load("digits").validation(0.6)  # less to compute
    net = train.create("sparse_resnet18", digits, seed=3, width=4, blocks=(1,)).double()
    teacher = train.create("cnn", digits, seed=4, width=4, neuron="relu").double()
    machine = train.Machine("cpu", devices, nodes)
    result = train.fit(net, digits, RECIPE, out=out, progress=False, machine=machine, teacher=teacher)
    if result.rank:
        return {}
    weights = {name: value.tolist() for name, value in net.state_dict().items()}
    return {"history": list(result.history), "weights": weights, "accuracy": train.accuracies(net, digits)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = Path(sys.argv[2])
    if found := trained(int(sys.argv[1]), out, *map(int, sys.argv[3:])):
        (out / "found.json").write_text(json.dumps(found))
