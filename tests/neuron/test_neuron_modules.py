"""The SLAYER modules, and what they and the functions refuse."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from lava.lib.dl.slayer.neuron import base

from lava_mlsnn import neuron
from lava_mlsnn.neuron import Barrier, MultiLevel, functional


@pytest.mark.parametrize("levels", [1, 3, 4, 10])
@pytest.mark.parametrize("steps", [1, 3])
def test_module_is_the_function_in_units_of_one_over_n(levels: int, steps: int) -> None:
    x = torch.randn(2, 3, 4, 4, steps)
    module = MultiLevel(levels, threshold=0.8)
    assert torch.equal(module(x), functional.multilevel(x, None, 0.8, levels)[0] / levels)
    spikes = (module(x) * levels).round() / levels + (module(x.flip(0)) * levels).round() / levels
    assert torch.equal(Barrier(levels)(spikes), functional.barrier(spikes, None, levels)[0] / levels)
    assert tuple(module.shape) == (3, 4, 4)
    assert module.num_neurons == 48


@pytest.mark.parametrize("exact", [None, True])
def test_start_is_a_potential_before_the_first_step(exact: bool | None) -> None:
    x = torch.linspace(-0.5, 1.5, 81)[:, None, None]
    rounded = (x * 4 + 0.5).floor().clamp(0, 4) / 4
    assert torch.equal(MultiLevel(4, start=0.5, exact=exact)(x), rounded)
    assert torch.equal(MultiLevel(4, start=0.5, exact=exact)(x.requires_grad_()), rounded)
    x = torch.randn(2, 3, 5, 3, dtype=torch.float64)
    module, alone = MultiLevel(4, 0.7, trainable=True, start=0.5, exact=exact).double(), torch.tensor(0.7).double()
    alone.requires_grad_()
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    weight = torch.randn_like(x)
    spikes = functional.micro_steps(4 * other, (alone / 2).expand(2, 3, 5), alone, 4)[0] / 4
    assert torch.equal(module(one), spikes) and not torch.equal(spikes, functional.multilevel(x, None, 0.7, 4)[0] / 4)
    (module(one) * weight).sum().backward()
    (spikes * weight).sum().backward()
    torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(module.vth.grad, alone.grad)


@pytest.mark.parametrize("start", [1, -0.1, float("nan"), "half"])
def test_start_is_less_than_a_threshold(start: object) -> None:
    with pytest.raises(ValueError, match="start: expected a finite number >= 0 and < 1"):
        MultiLevel(4, start=start)


@pytest.mark.parametrize("module", [MultiLevel(4), MultiLevel(1, grad="ste"), Barrier(4), Barrier(3, grad="attached")])
def test_modules_keep_no_state(module: torch.nn.Module) -> None:
    x = torch.rand(2, 5, 3)
    assert torch.equal(module(x), module(x))


def test_module_gradient_is_that_of_the_function() -> None:
    x = torch.randn(2, 3, 5, 2, dtype=torch.float64)
    for grad in neuron.GRADS:
        one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        MultiLevel(4, grad=grad)(one).square().sum().backward()
        (functional.multilevel(other, None, 1.0, 4, grad=grad)[0] / 4).square().sum().backward()
        torch.testing.assert_close(one.grad, other.grad)
    one = x.clone().requires_grad_()
    weight = torch.randn_like(x)
    (Barrier(4)(one) * weight).sum().backward()
    assert torch.equal(one.grad, weight)


def test_are_slayer_neurons() -> None:
    module = MultiLevel(4, threshold=1.5)
    assert isinstance(module, base.Neuron)
    assert isinstance(Barrier(4), base.Neuron)
    assert module.device_params == {"type": "MLIF", "levels": 4, "vThMant": 96}
    assert Barrier(4).device_params == {"type": "BARRIER", "levels": 4, "vThMant": 1}
    assert not module.persistent_state
    assert torch.equal(module.quantize_8bit(torch.tensor([0.51])), torch.tensor([0.5]))
    assert repr(module) == "MultiLevel(levels=4, threshold=1.5, alpha=5, grad='attached')"
    assert MultiLevel(4, start=0.5).device_params == {"type": "MLIF", "levels": 4, "vThMant": 64, "start": 0.5}
    assert repr(MultiLevel(4, start=0.5)) == "MultiLevel(levels=4, threshold=1, alpha=5, grad='attached', start=0.5)"


def test_trainable_threshold() -> None:
    module = MultiLevel(4, threshold=0.7, trainable=True)
    assert list(module.state_dict()) == ["vth"]
    x = torch.randn(2, 50, 1, dtype=torch.float64)
    module.double()
    module(x).sum().backward()
    threshold = torch.tensor(0.7, dtype=torch.float32).double().requires_grad_()
    loop, _ = functional.micro_steps(4 * x, None, threshold, 4)
    (loop / 4).sum().backward()
    torch.testing.assert_close(module.vth.grad, threshold.grad)
    with torch.no_grad():
        module.vth.fill_(-1.0)
    assert bool(module(x).isfinite().all())  # brought back above 0 before use
    assert float(module.vth.detach()) == pytest.approx(1e-3)


def test_trainable_threshold_learns_from_the_table() -> None:
    """Float32 and looked up: fitting a target made with Vth = 0.6 brings Vth there."""
    torch.manual_seed(0)
    x = torch.rand(1, 2000, 1)
    target = MultiLevel(4, threshold=0.6)(x)
    module = MultiLevel(4, threshold=1.2, trainable=True)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        (module(x) - target).square().mean().backward()
        optimizer.step()
    assert float(module.vth.detach()) == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("make", [MultiLevel, Barrier])
@pytest.mark.parametrize("steps", [1, 3])
def test_inplace_takes_the_memory_of_the_input(make: type, steps: int) -> None:
    x = torch.rand(2, 3, 4, 4, steps)
    for layout in (x, x.movedim(-1, 0).contiguous().movedim(0, -1)):
        plain, inplace = layout.clone().requires_grad_(), layout.clone().requires_grad_()
        wanted = make(4)(plain + 0)
        current = inplace + 0
        got = make(4, inplace=True)(current)
        assert torch.equal(got, wanted)
        assert got.data_ptr() == current.data_ptr()
        got.square().sum().backward()
        wanted.square().sum().backward()
        assert torch.equal(inplace.grad, plain.grad)


@pytest.mark.parametrize("make", [MultiLevel, Barrier])
def test_inplace_notices_what_it_would_spoil(make: type) -> None:
    x = torch.rand(2, 3, 1, requires_grad=True)
    with pytest.raises(ValueError, match="inplace=True: expected no leaf that requires a gradient"):
        make(4, inplace=True)(x)
    kept = x.sigmoid()  # keeps its output for the backward pass
    spikes = make(4, inplace=True)(kept)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        spikes.sum().backward()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiLevel(0), "levels: expected an integer >= 1, got 0"),
        (lambda: MultiLevel(2.5), "levels: expected an integer >= 1, got 2.5"),
        (lambda: MultiLevel(True), "levels: expected an integer >= 1, got True"),
        (lambda: MultiLevel(4, threshold=0), "threshold: expected a finite number > 0, got 0"),
        (lambda: MultiLevel(4, threshold=float("nan")), "threshold: expected a finite number > 0, got nan"),
        (lambda: MultiLevel(4, threshold=torch.ones(3)), "threshold: expected a number .*, got a tensor"),
        (lambda: MultiLevel(4, alpha=-1), "alpha: expected a finite number > 0, got -1"),
        (lambda: MultiLevel(4, alpha="5"), "alpha: expected a finite number > 0, got '5'"),
        (lambda: MultiLevel(4, grad="relu"), "grad: expected one of attached, detached, sigmoids, ste, got 'relu'"),
        (lambda: MultiLevel(4, exact="yes"), "exact: expected True or False, got 'yes'"),
        (lambda: Barrier(-1), "levels: expected an integer >= 1, got -1"),
        (lambda: Barrier(4, grad="none"), "grad: expected one of .*, got 'none'"),
        (lambda: MultiLevel(4)(torch.zeros(3)), r"x: expected shape \(N, ..., T\).*, got \(3,\)"),
        (lambda: MultiLevel(4)(torch.zeros(3, 2, 0)), r"x: expected .* with T >= 1 timesteps, got \(3, 2, 0\)"),
        (
            lambda: MultiLevel(4)(torch.zeros(3, 2, dtype=torch.int32)),
            "x: expected a floating-point tensor, got dtype torch.int32",
        ),
        (lambda: Barrier(4)([0.5]), "x: expected a torch tensor .*, got a list"),
        (
            lambda: functional.fire(torch.zeros(3, 1), torch.zeros(2), 1.0, 4),
            r"v: expected the shape \(3,\) of .*, got \(2,\)",
        ),
        (
            lambda: functional.fire(torch.zeros(3, 1), torch.zeros(3).int(), 1.0, 4),
            "v: expected a floating-point tensor or None, got torch.int32",
        ),
        (
            lambda: functional.fire(torch.zeros(3, 1), None, torch.ones(2), 4),
            r"threshold: expected a shape that broadcasts .*, got \(2,\)",
        ),
        (
            lambda: functional.fire(torch.zeros(3, 1), None, torch.tensor([1.0, 0.0, 1.0]), 4),
            "threshold: expected finite numbers > 0",
        ),
        (
            lambda: functional.fire(torch.zeros(3, 1), None, torch.ones(3).int(), 4),
            "threshold: expected a floating-point tensor, got dtype",
        ),
        (
            lambda: functional.fire(torch.zeros(3, 1, requires_grad=True), None, torch.ones(3), 4, exact=False),
            "exact=False: expected one threshold for all neurons",
        ),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_import_leaves_the_runtime_alone() -> None:
    """Nothing of the training hall starts Lava's compiler and runtime."""
    code = "import sys, lava_mlsnn.neuron; sys.exit(any(m.startswith('lava.magma') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
