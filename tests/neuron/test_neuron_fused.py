"""The compiled kernels against the passes that define them: the same bits, whatever the layout and the threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from lava_mlsnn.neuron import Barrier, MultiLevel, cpu_kernels, functional, fused

NEURONS = {
    "table": lambda: MultiLevel(4),
    "binary": lambda: MultiLevel(1),
    "threshold": lambda: MultiLevel(10, threshold=0.7),
    "exact reciprocals": lambda: MultiLevel(8, threshold=0.5),
    "detached": lambda: MultiLevel(3, threshold=0.9, grad="detached"),
    "in place": lambda: MultiLevel(3, inplace=True),
    "straight through": lambda: MultiLevel(4, grad="ste"),
    "trained threshold": lambda: MultiLevel(4, trainable=True),
    "barrier": lambda: Barrier(3),
    "barrier in place": lambda: Barrier(4, inplace=True),
    "barrier with surrogate": lambda: Barrier(4, grad="attached"),
}
SHAPE = (4, 8, 13, 11)
LAYOUTS = {
    "time in the batch": lambda x: x.movedim(-1, 1).contiguous().movedim(1, -1),
    "time in the batch, channels last": lambda x: x.permute(0, 4, 2, 3, 1).contiguous().permute(0, 4, 2, 3, 1),
    "time slowest": lambda x: x.movedim(-1, 0).contiguous().movedim(0, -1),
    "time fastest": lambda x: x.contiguous(),
    "repeated": lambda x: x[..., :1].clone().expand(x.shape),
    "gaps": lambda x: (
        torch.stack([x, x])[0].movedim(0, -1).unsqueeze(-1).expand(*x.shape[1:], x.shape[0], 2)[..., 0].movedim(-1, 0)
    ),
}
Found = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def outputs(neuron: torch.nn.Module, x: torch.Tensor, weight: torch.Tensor) -> Found:
    leaf = x.detach().requires_grad_()
    z = neuron(torch.mul(leaf, 1.0) if leaf.stride(-1) else leaf)
    z.backward(weight.to(z.dtype))
    assert leaf.grad is not None
    threshold = getattr(neuron, "vth", None)
    return z.detach(), leaf.grad, None if threshold is None else threshold.grad


def currents(steps: int, dtype: torch.dtype, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(steps)
    x, weight = (torch.randn(*SHAPE, steps, generator=random) * scale for _ in range(2))
    if scale > 1:
        far = float("inf") if steps == 1 else 1e30  # the next step would make NaN of infinities
        x.view(-1)[:3] = torch.tensor([far, -far, 1e20])
    return x.to(dtype), weight.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["32", "bf16"])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", NEURONS)
def test_compiled_step_equals_the_passes(
    name: str, steps: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scale in (1.0, 30.0):
        x, weight = currents(steps, dtype, scale)
        for layout in LAYOUTS.values():
            one = layout(x)
            if one.stride(-1) == 0 and "in place" in name:
                continue
            with monkeypatch.context() as patch:
                patch.setattr(fused, "_kernels", lambda x, at: None)
                z, grad, threshold = outputs(NEURONS[name](), one, weight)
            for threads in (1, 2):
                torch.set_num_threads(threads)
                found = outputs(NEURONS[name](), one, weight)
                assert torch.equal(found[0], z) and torch.equal(found[1], grad)
                if threshold is not None and scale == 1:
                    torch.testing.assert_close(found[2], threshold, rtol=1e-5, atol=1e-3)


def test_kernels_are_used_for_every_layout_with_long_runs() -> None:
    for name, layout in LAYOUTS.items():
        for dtype in (torch.float32, torch.bfloat16):
            x = layout(currents(3, dtype, 1.0)[0])
            used = fused._kernels(x, fused.runs(x)) is cpu_kernels
            assert used == (name not in ("time fastest", "gaps")), name


@pytest.mark.parametrize("grad", ["attached", "detached"])
def test_states_and_their_gradients(grad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = currents(3, torch.float32, 1.0)
    x = LAYOUTS["time in the batch"](x)
    v = torch.randn(SHAPE, generator=torch.Generator().manual_seed(9))

    def run() -> tuple[torch.Tensor, ...]:
        leaves = [t.clone(memory_format=torch.preserve_format).requires_grad_() for t in (x, v)]
        z, last = functional.fire(leaves[0] * 1, leaves[1], 0.8, 3, grad)
        return z.detach(), last.detach(), *torch.autograd.grad((z * weight).sum() + (last * v).sum(), leaves)

    found = run()
    monkeypatch.setattr(fused, "_kernels", lambda x, at: None)
    for a, b in zip(found, run(), strict=True):
        assert torch.equal(a, b)


def test_a_trained_threshold_gets_the_same_gradient_on_any_number_of_threads() -> None:
    x, weight = currents(1, torch.float32, 1.0)
    grads = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        grads.append(outputs(MultiLevel(4, trainable=True), x.repeat(8, 1, 1, 1, 1), weight.repeat(8, 1, 1, 1, 1))[2])
    assert grads[0] is not None and torch.equal(grads[0], grads[1]) and torch.equal(grads[0], grads[2])


def test_a_forked_process_has_threads_of_its_own() -> None:
    """A DataLoader's worker, for one, inherits none of those that its parent waits for."""
    torch.set_num_threads(2)
    x = torch.randn(1 << 18).view(2, -1, 1)
    expected = MultiLevel(4)(x)
    assert cpu_kernels._POOLS
    found, at, rule = torch.empty_like(x), fused.runs(x), MultiLevel(4)._rule
    arguments = x.view(-1), None, found.view(-1), None, None, at, 1.0, rule, None
    child = os.fork()
    if child == 0:  # without torch's operations, whose threads do not survive a fork of more than one
        cpu_kernels.forward(*arguments)
        os._exit(0 if (found.numpy() == expected.numpy()).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_what_is_not_a_number_stays_that_and_breaks_nothing() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.full((1, 4096, 1), float("nan"), dtype=dtype)
        z, grad, _ = outputs(MultiLevel(4), x, torch.ones_like(x))
        assert z.isnan().all() and grad.shape == x.shape
