"""The compiled kernels against the passes that define them: the same bits, whatever the layout and the threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch

from lava_mlsnn.neuron import Barrier, MultiLevel, cpu_kernels, functional, fused, team

NEURONS = {
    "table": lambda: MultiLevel(4),
    "binary": lambda: MultiLevel(1),
    "sharp": lambda: MultiLevel(1, alpha=25.0),
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
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small maps are shared out as well."""
    monkeypatch.setattr(cpu_kernels, "_SHARE", 1)
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


def test_threads_are_all_those_of_torch_and_one_for_small_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(2, 4096, 1)
    used = []
    for kernel in (cpu_kernels._run_forward, cpu_kernels._run_backward):

        @wraps(kernel)
        def run(*arguments: Any, compiled: Any = kernel) -> None:
            used.append((arguments[0] != team.NOBODY, arguments[1]))
            compiled(*arguments)

        monkeypatch.setattr(cpu_kernels, kernel.__name__, run)

    def tasks() -> set[str]:
        return set(os.listdir("/proc/self/task")) if sys.platform == "linux" else set()

    torch.set_num_threads(1)
    outputs(MultiLevel(4), x, x)  # whatever is loaded and compiled at the first use
    torch.set_num_threads(3)
    torch.randn(1 << 18).relu()
    before = tasks()
    outputs(MultiLevel(4), x, x)
    assert tasks() <= before
    monkeypatch.setattr(cpu_kernels, "_SHARE", x.numel() + 1)
    outputs(MultiLevel(4), x, x)
    assert used == [(False, 1)] * 2 + [(True, 3)] * 2 + [(False, 3)] * 2


@cpu_kernels.jit(cache=False, **cpu_kernels._OPTIONS)
def mark(first: Any, stop: Any, times: Any, wrong: Any) -> None:
    for block in range(first, stop):
        if block == wrong:
            raise ValueError
        times[block] += 1 + (block == first) * 16


@numba.njit
def run_marks(addresses: Any, threads: Any, times: Any, wrong: Any) -> bool:
    return cpu_kernels._in_team(mark, addresses, threads, len(times), (times, wrong))


@pytest.mark.parametrize(("threads", "blocks"), [(2, 1), (2, 7), (3, 7), (5, 3)])
def test_each_block_has_one_thread_and_a_failure_in_any_is_told(threads: int, blocks: int) -> None:
    torch.set_num_threads(threads)
    addresses, times = team.openmp(), np.zeros(blocks, np.int64)
    assert addresses != team.NOBODY and not run_marks(addresses, threads, times, -1)
    assert (times % 16 == 1).all() and (times // 16).sum() == min(threads, blocks)
    for wrong in range(blocks):
        assert run_marks(addresses, threads, times, wrong)


def test_without_openmp_the_calling_thread_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 not in team._addresses.__wrapped__()
    monkeypatch.setattr(team, "_NAMES", (*team._NAMES, "in_no_library"))
    assert team._addresses.__wrapped__() == team.NOBODY


def test_two_python_threads_compute_at_once() -> None:
    torch.set_num_threads(2)
    xs = torch.randn(2, 2, 1 << 14, 1, generator=torch.Generator().manual_seed(0))
    alone = [outputs(MultiLevel(4), x, x) for x in xs]
    with ThreadPoolExecutor(2) as pool:
        for turn in range(20):
            found = list(pool.map(lambda x: outputs(MultiLevel(4), x, x), xs))
            for a, b in zip(found, alone, strict=True):
                assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]), turn


def test_a_forked_process_computes_on_one_thread() -> None:
    """It has none of its parent's, and OpenMP would wait for those."""
    torch.set_num_threads(2)
    x = torch.randn(2, 4096, 1)
    expected = MultiLevel(4)(x)
    assert team.openmp() != team.NOBODY
    found, at, rule = torch.empty_like(x), fused.runs(x), MultiLevel(4)._rule
    arguments = x.view(-1), None, found.view(-1), None, None, at, 1.0, rule, None
    child = os.fork()
    if child == 0:  # without torch's operations, which do wait
        signal.alarm(100)
        cpu_kernels.forward(*arguments)
        os._exit(0 if (found.numpy() == expected.numpy()).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


TWICE = """
import torch
from lava_mlsnn.helpers import compiling
from lava_mlsnn.neuron import MultiLevel, cpu_kernels, team
torch.set_num_threads(2)
x = torch.linspace(-1, 5, 1 << 16).view(1, -1, 1).requires_grad_()
z = MultiLevel(4)(x)
z.backward(x.detach())
assert team.openmp() != team.NOBODY and cpu_kernels._SHARE <= x.numel()
print(z.sum().item(), x.grad.double().sum().item(), compiling.seconds() > 0)
"""


@pytest.mark.timeout(900)
def test_another_process_reads_the_compiled_code(tmp_path: Path) -> None:
    """In which OpenMP and the kernels lie at other addresses."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = [sys.executable, "-c", TWICE]
    first, second = (
        subprocess.run(run, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-3:]
        for _ in range(2)
    )
    assert first[:2] == second[:2] and (first[2], second[2]) == ("True", "False")


def test_what_is_not_a_number_stays_that_and_breaks_nothing() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.full((1, 4096, 1), float("nan"), dtype=dtype)
        z, grad, _ = outputs(MultiLevel(4), x, torch.ones_like(x))
        assert z.isnan().all() and grad.shape == x.shape
