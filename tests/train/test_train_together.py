"""Several processes train as one: the same losses and weights for the same global batch."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import train_together
from free_port import free_port
from torch import nn

from lava_mlsnn.train import world

TIMEOUT = 150


def run(*programs: list[str], **more: str) -> None:
    """Side by side, as nodes if there are several, each in a process group of its own, which is ended."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", **more}
    for name in {"MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "LOCAL_RANK", "NODE_RANK"} - set(more):
        env.pop(name, None)  # Lightning finds a free port
    started = [
        subprocess.Popen(
            program, env=env | {"NODE_RANK": str(i)}, start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        for i, program in enumerate(programs)
    ]
    try:
        for process in started:
            _, err = process.communicate(timeout=TIMEOUT)
            assert process.returncode == 0, err
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return train_together.trained(1, None)


@pytest.mark.parametrize("nodes", [1, 2])
def test_two_processes_train_like_one(tmp_path: Path, alone: dict[str, Any], nodes: int) -> None:
    """float64, so that only a mistake can tell them apart: crops, mixtures, clipping, batch norm, penalties, integer
    epochs. Of two nodes each has one of the processes and a disk of its own."""
    program = [sys.executable, train_together.__file__]
    if nodes == 1:
        run([*program, "2", str(tmp_path)])
    else:
        other = tmp_path.with_name("other")
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        run(*([*program, "1", str(folder), "2"] for folder in (tmp_path, other)), **meeting)
        assert not other.exists(), "the first node writes"
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found["history"]) == 3
    for mine, theirs in zip(found["history"], alone["history"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-6), "accuracies are logged in float32"
        assert mine["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-10)
        assert mine["val_loss"] == pytest.approx(theirs["val_loss"], rel=1e-10)
    assert alone["history"][0]["energy_weight"] > 0, "a target that takes some weight"
    assert alone["history"][2]["train_loss"] < alone["history"][0]["train_loss"], "it learned"
    for name, values in alone["weights"].items():
        torch.testing.assert_close(torch.tensor(found["weights"][name]), torch.tensor(values), rtol=1e-8, atol=1e-9)
    assert found["accuracy"] == alone["accuracy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("best.safetensors", "found.json", "last.ckpt", "metrics.csv", "tensorboard")
    ], "one process writes"


def test_shared_norm_is_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts of a batch, exchanged by hand, against torch's batch norm of the whole: outputs and gradients."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(6, 3, 4, 5, generator=random, dtype=torch.float64) + 3
    weights = torch.randn(6, 3, 4, 5, generator=random, dtype=torch.float64)
    parts, sums = [x[:4], x[4:]], torch.zeros(2, 3, dtype=torch.float64)
    normal = (x - x.mean((0, 2, 3), keepdim=True)) * torch.rsqrt(x.var((0, 2, 3), False, keepdim=True) + 1e-5)
    sums[0], sums[1] = weights.sum((0, 2, 3)), (weights * normal).sum((0, 2, 3))

    def gather(out: list[torch.Tensor], _: torch.Tensor) -> None:
        for target, part in zip(out, parts, strict=True):
            variance, mean = torch.var_mean(part, (0, 2, 3), correction=0)
            target.copy_(torch.cat([mean, variance, mean.new_tensor([part.numel() // 3])]))

    monkeypatch.setattr(world, "size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather", gather)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda t: t.copy_(sums))
    norm, whole = nn.BatchNorm2d(3).double(), nn.BatchNorm2d(3).double()
    expected_in = x.clone().requires_grad_()
    expected = whole(expected_in)
    (expected * weights).sum().backward()
    mine = parts[1].clone().requires_grad_()
    with world.synchronized(norm):
        found = norm(mine)
    (found * weights[4:]).sum().backward()
    torch.testing.assert_close(found, expected[4:])
    torch.testing.assert_close(mine.grad, expected_in.grad[4:])
    torch.testing.assert_close(norm.running_mean, whole.running_mean)
    torch.testing.assert_close(norm.running_var, whole.running_var)
    assert "forward" not in vars(norm), "left as it was"
