"""Holds the Triton kernels to the passes, bit for bit, in Triton's interpreter; a process of its own, as the
interpreter is chosen when Triton is imported."""

from __future__ import annotations

import os

os.environ["TRITON_INTERPRET"] = "1"

import itertools

import torch

from lava_mlsnn.neuron import Barrier, MultiLevel, functional, fused, gpu_kernels
from lava_mlsnn.neuron.memory import Runs

LAYOUTS = {
    "time in the batch": lambda x: x.movedim(-1, 1).contiguous().movedim(1, -1),
    "time in the batch, channels last": lambda x: x.permute(0, 4, 2, 3, 1).contiguous().permute(0, 4, 2, 3, 1),
    "time slowest": lambda x: x.movedim(-1, 0).contiguous().movedim(0, -1),
    "time fastest": lambda x: x.contiguous(),
    "repeated": lambda x: x[..., :1].clone().expand(x.shape),
}
NEURONS = {
    "table": lambda: MultiLevel(4),
    "threshold": lambda: MultiLevel(10, threshold=0.7),
    "sharp": lambda: MultiLevel(10, threshold=1.6),  # more than 32768 entries
    "detached": lambda: MultiLevel(3, threshold=0.9, grad="detached"),
    "in place": lambda: MultiLevel(3, inplace=True),
    "straight through": lambda: MultiLevel(4, grad="ste"),
    "trained threshold": lambda: MultiLevel(4, trainable=True),
    "barrier": lambda: Barrier(10),
    "barrier with surrogate": lambda: Barrier(3, grad="attached"),
}
STATES = {"state": ("attached", 3), "detached state": ("detached", 4)}


def triton_kernels(x: torch.Tensor, at: Runs | None) -> object:
    return None if at is None else gpu_kernels


def both(function: object, *arguments: object) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    found = []
    for choice in (triton_kernels, lambda x, at: None):
        fused._kernels = choice
        found.append(function(*arguments))
    return tuple(found)


def step(neuron: torch.nn.Module, x: torch.Tensor, weight: torch.Tensor) -> list[torch.Tensor]:
    leaf = x.detach().requires_grad_()
    z = neuron(leaf * 1 if leaf.stride(-1) else leaf)
    z.backward(weight)
    threshold = getattr(neuron, "vth", None)
    return [z.detach(), leaf.grad, *([] if threshold is None else [threshold.grad])]


def step_with_state(x: torch.Tensor, v: torch.Tensor, weight: torch.Tensor, grad: str, levels: int):
    leaves = [x.detach().requires_grad_(), v.detach().requires_grad_()]
    z, last = functional.fire(leaves[0] * 1, leaves[1], 0.7, levels, grad)
    return [z.detach(), last.detach(), *torch.autograd.grad((z * weight).sum() + (last * v).sum(), leaves)]


def main() -> None:
    torch.set_num_threads(1)
    cases = 0
    for dtype, steps in itertools.product((torch.float32, torch.bfloat16, torch.float16), (1, 3)):
        random = torch.Generator().manual_seed(steps)
        x, weight = ((torch.randn(2, 6, 9, 13, steps, generator=random) * 2).to(dtype) for _ in range(2))
        x.view(-1)[:4] = torch.tensor([3e4, -3e4, 0.5, 1.0]).to(dtype)
        for layout in LAYOUTS.values():
            one = layout(x)
            for name, make in NEURONS.items():
                if name == "in place" and not one.stride(-1):
                    continue
                ours, theirs = both(lambda make=make, one=one, weight=weight: step(make(), one, weight))
                for a, b in zip(ours[:2], theirs[:2], strict=True):
                    assert a.dtype == b.dtype == dtype and torch.equal(a, b), (name, dtype, steps)
                for a, b in zip(ours[2:], theirs[2:], strict=True):
                    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-2)
                cases += 1
            v = torch.randn(x.shape[:-1], generator=random)
            for grad, levels in STATES.values():
                ours, theirs = both(step_with_state, one, v, weight, grad, levels)
                assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), (grad, dtype, steps)
                cases += 1
    print(f"{cases} cases, the same bits")


if __name__ == "__main__":
    main()
