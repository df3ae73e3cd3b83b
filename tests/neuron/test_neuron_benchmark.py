"""The benchmark's networks train with every variant, and spiking and ReLU twins have the same weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_step", ROOT / "benchmarks" / "train_step.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("network", ["vgg16", "resnet18", "model.vgg16", "model.sparse_resnet18"])
def test_every_variant_takes_a_step(bench: ModuleType, network: str) -> None:
    shapes = {}
    for variant in bench.variants(network, [1, 4]):
        if "spikingjelly" in variant.name:
            continue
        trainee = bench.Trainee(network, variant, width=2, batch=2)
        before = [p.detach().clone() for p in trainee.net.parameters()]
        assert trainee() > 0
        assert any(not torch.equal(a, b) for a, b in zip(before, trainee.net.parameters(), strict=True))
        shapes[variant.name] = [p.shape for p in before]
    assert len({str(s) for s in shapes.values()}) == 1


@pytest.mark.parametrize(("network", "millions"), [("vgg16", 15.2), ("resnet18", 11.2)])
def test_networks_have_the_size_they_claim(bench: ModuleType, network: str, millions: float) -> None:
    with torch.device("meta"):
        relu = bench.variants(network, [])[0]
        net = {"vgg16": bench.vgg16, "resnet18": bench.resnet18}[network](relu, 64)
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
