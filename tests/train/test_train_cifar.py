"""From images in CIFAR's published format to joules, with the full-width network, by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from real_formats import write_cifar10
from typer.testing import CliRunner

from lava_mlsnn import data, model, netx
from lava_mlsnn.cli import app

torch.set_num_threads(1)


def mlsnn(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_full_width_network_from_the_archive_to_joules(tmp_path: Path) -> None:
    archive = write_cifar10(tmp_path, count=5, test_count=2)
    cifar, out, net = f"cifar10:{archive},complete=no", tmp_path / "run", tmp_path / "cifar.net"
    few = ["--epochs", 1, "--quantized-epochs", 1, "--batch", 2, "--lr", 0.01]
    options = ["--recipe", "paper000-cifar", *few, "--mixup", 0.2, "-N", 4, "-T", 1, "--out", out]
    output = mlsnn("train", "sparse_resnet18", "--data", cifar, *options)
    assert "accuracy on 2 test images" in output
    trained = model.load(out / "model.safetensors")
    assert sum(p.numel() for p in trained.parameters()) == 11_173_962 and trained.in_shape == (3, 32, 32)
    mlsnn("export", out / "model.safetensors", "-o", net)
    mlsnn("simulate", net, "--data", cifar)
    simulated = json.loads((tmp_path / "cifar.simulate.json").read_text())
    graph, images = netx.load(net), data.load(cifar).test_images
    logits = trained(torch.from_numpy(np.array(images))).argmax(1)
    right = float((logits.numpy() == data.load(cifar).test_labels).mean())
    assert simulated["accuracy"]["engine"] == right and graph.labels[0] == "airplane"
    assert "J" in mlsnn("energy", net, "--data", cifar)
    energy = json.loads((tmp_path / "cifar.energy.json").read_text())
    assert energy["totals"]["energy"] > 0
