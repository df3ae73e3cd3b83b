"""The compiled step against the passes that define it: the same bits, whatever the layout."""

from __future__ import annotations

import pytest
import torch

from lava_mlsnn.neuron import Barrier, MultiLevel, fused

NEURONS = {
    "table": lambda: MultiLevel(4),
    "binary": lambda: MultiLevel(1),
    "threshold": lambda: MultiLevel(10, threshold=0.7),
    "in place": lambda: MultiLevel(3, inplace=True),
    "straight through": lambda: MultiLevel(4, grad="ste"),
    "trained threshold": lambda: MultiLevel(4, trainable=True),
    "barrier": lambda: Barrier(3),
    "barrier in place": lambda: Barrier(4, inplace=True),
    "barrier with surrogate": lambda: Barrier(4, grad="attached"),
}


def outputs(neuron: torch.nn.Module, x: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    z = neuron(x * 1.0)
    z.backward(weight)
    assert x.grad is not None
    return z.detach(), x.grad


@pytest.mark.parametrize("name", NEURONS)
def test_compiled_step_equals_the_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    neuron, random = NEURONS[name](), torch.Generator().manual_seed(0)
    monkeypatch.setattr(fused, "_CHUNK", 1000)
    for scale in (1.0, 30.0):
        x, weight = (torch.randn(4, 8, 13, 11, 1, generator=random) * scale for _ in range(2))
        if scale > 1:
            x.view(-1)[:3] = torch.tensor([float("inf"), -float("inf"), 1e30])
        assert fused.suits(x)
        last = x.squeeze(-1).to(memory_format=torch.channels_last).unsqueeze(-1)
        found = outputs(neuron, x, weight), outputs(neuron, last, weight)
        with monkeypatch.context() as patch:
            patch.setattr(fused, "_LEAST", 1 << 60)
            expected = outputs(neuron, x, weight)
        for z, grad in found:
            assert torch.equal(z, expected[0]) and torch.equal(grad, expected[1])


def test_what_is_not_a_number_stays_that_and_breaks_nothing() -> None:
    x = torch.full((1, 4096, 1), float("nan"))
    z, grad = outputs(MultiLevel(4), x, torch.ones_like(x))
    assert z.isnan().all() and grad.shape == x.shape
