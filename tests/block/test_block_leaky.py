"""S-ResNet's blocks: norms per timestep, and quantized mode as the integer network, step by step on every engine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_nets
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block, proc
from lava_mlsnn.block.norm import affine, make_norm
from lava_mlsnn.neuron import MultiLevel, SoftLIF


@given(st.integers(0, 2**16), st.integers(1, 5), st.booleans(), st.booleans())
@settings(max_examples=25)
def test_bntt_is_one_batch_norm_per_step(seed, steps, bias, training):
    torch.manual_seed(seed)
    norm, single = block.BNTT(3, 5, bias), [nn.BatchNorm2d(3, eps=1e-4) for _ in range(5)]
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        if norm.bias is not None:
            norm.bias.normal_()
        for t, each in enumerate(single):
            each.weight.copy_(norm.weight[t])
            each.bias.copy_(torch.zeros(3) if norm.bias is None else norm.bias[t])
            each.running_mean.copy_(norm.running_mean[t])
            each.running_var.copy_(norm.running_var[t])
    both = nn.ModuleList([norm, *single]).double().train(training)
    x = torch.randn(4, 3, 2, 2, steps, dtype=torch.float64)
    expected = torch.stack([single[t](x[..., t]) for t in range(steps)], -1)
    torch.testing.assert_close(both[0](x), expected, rtol=1e-10, atol=1e-10)
    for t, each in enumerate(single):
        torch.testing.assert_close(norm.running_mean[t], each.running_mean)
        torch.testing.assert_close(norm.running_var[t], each.running_var)
    if not training:
        gain, shift = (v[:, None, None, :steps] for v in norm.affine())
        torch.testing.assert_close(x * gain + shift, expected)


def test_bntt_refuses_more_steps_and_multi_level_neurons():
    with pytest.raises(ValueError, match=r"expected \(N, 3, ..., T\) with T of 1 .. 2"):
        block.BNTT(3, 2)(torch.zeros(1, 3, 4))
    with pytest.raises(ValueError, match="norm: expected one of bntt"):
        make_norm("layer", 3, 2, False, 1.0)
    conv = block.Connection(nn.Conv2d(1, 2, 3, bias=False), block.BNTT(2, 1))
    net = nn.Sequential(block.Input((1, 4, 4)), block.Block([conv], MultiLevel(4)), block.Readout(8, 2)).eval()
    with pytest.raises(ValueError, match=r"layer '1'.*norm per timestep"):
        ml.netx.quantize(net)


def test_norms_that_do_not_become_a_gain_and_a_shift_are_refused():
    with pytest.raises(ValueError, match=r"norm LayerNorm: expected BNTT, nn.BatchNorm1d or nn.BatchNorm2d"):
        affine(nn.LayerNorm(3), 3, torch.zeros(1))


def test_what_a_leaky_block_refuses():
    conv = block.Connection(nn.Conv2d(1, 2, 3), block.BNTT(2, 1))
    with pytest.raises(ValueError, match="a norm beside other connections"):
        block.Leaky([conv, conv], SoftLIF())
    with pytest.raises(ValueError, match=r"neuron MultiLevel: expected neuron\.SoftLIF"):
        block.Leaky([conv], MultiLevel())
    net = nn.Sequential(block.Input((1, 4, 4)), block.Leaky([conv], nn.ReLU()), block.Readout(8, 2)).eval()
    with pytest.raises(ValueError, match="sends no spikes"):
        ml.netx.quantize(net)


def equal(net: nn.Module, images: torch.Tensor, graph: ml.netx.NetGraph) -> ml.sim.Run:
    run = ml.sim.run(graph, images.numpy(), trace=True)
    mine = block.trace(net, images)
    for name, spikes in run.trace.items():
        assert np.array_equal(mine[name].numpy(), spikes), name
    with block.as_integers(net), torch.no_grad():
        logits = net(images)
    np.testing.assert_allclose(
        logits.numpy(), run.output * graph.output.neuron.scale / images.shape[-1], rtol=1e-5, atol=1e-6
    ) if images.ndim == 5 else None
    assert np.array_equal(logits.argmax(1).numpy(), run.labels)
    return run


@given(torch_nets.leaky_cases(), st.sampled_from((8, 8, 4)), st.booleans())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_forward_is_the_integer_network(case, bits, per_channel):
    net, images = case
    block.quantized(net, bits, per_channel=per_channel)
    graph = ml.netx.quantize(net)
    equal(net, images, graph)
    assert ml.netx.problems(graph) == []


@given(torch_nets.leaky_cases())
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
def test_every_engine_and_the_file_agree(case):
    net, images = case
    graph = ml.netx.quantize(net)
    run = equal(net, images, graph)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.net"
        ml.netx.save(graph, path)
        loaded = ml.netx.load(path)
        assert loaded == graph and ml.netx.digest(loaded) == ml.netx.digest(graph)
        for fused in (True, False):
            lava = proc.simulate(str(path), images.numpy(), fused=fused, trace=True, timeout=60)
            assert lava.traces.keys() == run.traces.keys() and run.difference(lava) == ""
    assert block.activity(net, images) == run.activity


@given(torch_nets.leaky_cases())
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_gradients_of_the_integer_network_are_near_those_of_the_float_network(case):
    """Wherever the two networks answer alike: rounding can turn single spikes, on which all that follows depends."""
    net, images = case
    found, answers = [], []
    for mode in (block.quantized, block.unquantized):
        net.zero_grad()
        mode(net)
        logits = net(images)
        logits.square().sum().backward()
        answers.append(logits.detach().norm())
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in net.parameters())
        found.append(next(p.grad.norm() for n, p in net.named_parameters() if n.startswith("readout")))
    assume(0.5 < answers[0] / answers[1] < 2)
    assert found[0] <= 10 * found[1] + 1 and found[1] <= 10 * found[0] + 1


def test_votes_are_the_mean_of_their_neurons():
    torch.manual_seed(0)
    net = nn.Sequential(block.Input((1, 2, 2), 1.0, 4), block.Flatten(), block.Readout(4, 3, bias=False, votes=10))
    assert sum(p.numel() for p in net.parameters()) == 4 * 30
    x = torch.randint(0, 16, (5, 1, 2, 2))
    weight = net[2].synapse.weight.unflatten(0, (3, 10)).mean(1)
    torch.testing.assert_close(net(x), x.flatten(1).float() @ weight.T)
    graph = ml.netx.quantize(net)
    assert graph["2"].shape == (3, 1, 1)
    with block.as_integers(net):
        torch.testing.assert_close(net(x), x.flatten(1).float() @ weight.T, atol=0.05, rtol=0.05)
