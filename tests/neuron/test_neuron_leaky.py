"""The leaky neuron against a step loop with autograd, in float64; its surrogates; fixed, trained and shared leaks."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lava_mlsnn import neuron
from lava_mlsnn.neuron import PLIF, Leak, SoftLIF
from lava_mlsnn.neuron.bumps import BUMPS, bump
from lava_mlsnn.neuron.leaky import lif, whole_lif

torch.set_num_threads(1)


class Spike(torch.autograd.Function):
    """[u > 1] with a surrogate's derivative in H, written down once more."""

    @staticmethod
    def forward(ctx, h, threshold, name, alpha):
        ctx.save_for_backward(h)
        ctx.rest = threshold, name, alpha
        return (h > threshold).to(h.dtype)

    @staticmethod
    def backward(ctx, grad):
        (h,) = ctx.saved_tensors
        threshold, name, alpha = ctx.rest
        q = h / threshold - 1
        slope = {
            "triangle": lambda: alpha * torch.clamp(1 - q.abs(), min=0),
            "arctangent": lambda: alpha / 2 / (1 + (math.pi / 2 * alpha * q).square()),
            "rectangle": lambda: (q.abs() < alpha / 2) / alpha,
            "sigmoid": lambda: alpha * torch.sigmoid(alpha * q) * (1 - torch.sigmoid(alpha * q)),
        }[name]()
        return grad * slope, None, None, None


def loop(x: Tensor, v: Tensor, threshold: float, leak: Tensor, name: str, alpha: float) -> tuple[Tensor, Tensor]:
    spikes = []
    for current in x.unbind(-1):
        h = leak * v + current
        z = Spike.apply(h, threshold, name, alpha)
        v = h - threshold * z.detach()
        spikes.append(z)
    return torch.stack(spikes, -1), v


@given(
    st.integers(0, 2**16),
    st.sampled_from(sorted(BUMPS)),
    st.sampled_from((1.0, 0.5, 1.7)),
    st.floats(0, 1),
    st.integers(1, 9),
    st.booleans(),
)
@settings(max_examples=80)
def test_equals_the_loop(seed, name, threshold, leak, steps, time_major):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(3, 4, steps, generator=random, dtype=torch.float64)
    if time_major:
        x = x.movedim(-1, 0).contiguous().movedim(0, -1)
    v = torch.randn(3, 4, generator=random, dtype=torch.float64)
    lam = torch.tensor(leak, dtype=torch.float64)
    pulls = torch.randn(3, 4, steps, generator=random), torch.randn(3, 4, generator=random)
    results = []
    for function in (lif, loop):
        leaves = [t.clone().requires_grad_() for t in (x, v, lam)]
        z, last = function(leaves[0], leaves[1], threshold, leaves[2], name, BUMPS[name][1])
        ((z * pulls[0]).sum() + (last * pulls[1]).sum()).backward()
        results.append([z, last, *(leaf.grad for leaf in leaves)])
    for mine, expected in zip(*results, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 2**16), st.integers(0, 4096), st.integers(1, 6))
@settings(max_examples=30)
def test_whole_numbers_are_the_engine(seed, keep, steps):
    import numpy as np

    from lava_mlsnn.netx import SoftLIF
    from lava_mlsnn.sim.reference import initial_state, step

    random = torch.Generator().manual_seed(seed)
    x = torch.randint(-3000, 5000, (2, 3, 1, 1, steps), generator=random)
    theta = torch.randint(1, 4096, (3, 1, 1), generator=random).double()
    z = whole_lif(x.double(), torch.tensor(float(keep)), theta, 1 / theta, "triangle", 0.3)
    neuron = SoftLIF(np.ones((3, 1)), np.zeros(3), np.zeros((3, 1)), theta.flatten().numpy(), 4096 - keep)
    state = initial_state(neuron, (2, 3, 1, 1))
    for t in range(steps):
        expected, state = step(neuron, state, x[..., t].numpy())
        assert np.array_equal(z[..., t].numpy(), expected)


@pytest.mark.parametrize("name", sorted(BUMPS))
def test_surrogates_have_their_peak_at_the_threshold_and_their_printed_height(name):
    u = torch.arange(-512, 769, dtype=torch.float64) / 128
    values = bump(u, name, BUMPS[name][1])
    height = {"triangle": 0.3, "arctangent": 1.0, "rectangle": 1.0, "sigmoid": 1.25}[name]
    assert values.max() == pytest.approx(height) and values[640] == values.max()
    assert torch.allclose(values, values.flip(0), atol=1e-12) and values.min() >= 0


def test_the_threshold_itself_does_not_fire():
    z, v = lif(torch.tensor([[1.0, 0.5]]), None, 1.0, 1.0)
    assert z.tolist() == [[0.0, 1.0]] and v.tolist() == [0.5]


def test_one_leak_for_all_or_one_each():
    shared = Leak(0.9, trainable=True)
    net = torch.nn.Sequential(SoftLIF(shared), SoftLIF(shared))
    assert len(list(net.parameters())) == 1
    own = torch.nn.Sequential(PLIF(0.9), PLIF(0.9), SoftLIF(0.9))
    assert len(list(own.parameters())) == 2
    net(torch.rand(4, 3, 5) * 2).sum().backward()
    assert shared.w.grad is not None and float(shared.w.grad) != 0
    assert neuron.LIF is SoftLIF, "the older name"
    assert "trained" in repr(own) and "surrogate='triangle'" in repr(own)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"leak": 1.5}, "leak: expected a finite number >= 0 and <= 1, got 1.5"),
        ({"threshold": 0}, "threshold: expected a finite number > 0, got 0"),
        ({"surrogate": "relu"}, "surrogate: expected one of .*, got 'relu'"),
        ({"alpha": -1}, "alpha: expected a finite number > 0, got -1"),
    ],
)
def test_refused(arguments, what):
    with pytest.raises(ValueError, match=what):
        SoftLIF(**arguments)
    with pytest.raises(ValueError, match="leak: expected a number > 0 and < 1 to start training from, got 1"):
        PLIF(1)
