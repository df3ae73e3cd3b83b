"""Quantized mode: the torch forward is the integer network, layer by layer and step by step."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_nets
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.neuron import ATIF, MultiLevel


def check_equal(net: nn.Module, images: torch.Tensor, graph: ml.netx.NetGraph) -> None:
    run = ml.sim.run(graph, images.numpy(), trace=[layer.name for layer in graph] + ["input"], engine="reference")
    mine = block.trace(net, images)
    assert list(mine) == list({"input": 0} | {layer.name: 0 for layer in graph})
    for name in mine:
        assert np.array_equal(mine[name].numpy(), run.trace[name]), name
    with block.as_integers(net), torch.no_grad():
        logits = net(images)
    scale = graph.output.neuron.scale / graph.timesteps
    np.testing.assert_allclose(logits.numpy(), (run.output * scale).astype(np.float32), rtol=1e-6)
    assert np.array_equal(logits.argmax(1).numpy(), run.labels)


@given(torch_nets.cases(), st.sampled_from((8, 8, 4, 2)), st.booleans())
@settings(max_examples=60)
def test_forward_is_the_integer_network(
    case: tuple[torch_nets.RandomNet, torch.Tensor], bits: int, per_channel: bool
) -> None:
    net, images = case
    block.quantized(net, bits, per_channel=per_channel)
    graph = ml.netx.quantize(net)
    check_equal(net, images, graph)
    assert ml.netx.problems(graph) == []
    limit = 2 ** (bits - 1) - 1
    for layer in graph:
        for connection in layer.connections:
            weight = getattr(connection.synapse, "weight", np.zeros(1))
            if connection.synapse.kind in ("conv", "dense"):
                assert np.abs(weight).max() <= limit
            else:
                assert ml.netx.fits_8_bits(weight)


@given(torch_nets.cases())
@settings(max_examples=10)
def test_float64_gives_the_same_integers(case: tuple[torch_nets.RandomNet, torch.Tensor]) -> None:
    net, images = case
    wide = net.double()  # the weights are those of float32, so are the integers, up to ties of the folding
    check_equal(block.quantized(wide), images, ml.netx.quantize(wide))


@given(torch_nets.cases())
@settings(max_examples=15)
def test_quantizing_at_export_is_quantized_mode(case: tuple[torch_nets.RandomNet, torch.Tensor]) -> None:
    net, images = case
    before = net(images)
    exported = ml.netx.quantize(net, weight_bits=8)
    assert block.quantization_of(net) is None
    assert torch.equal(net(images), before), "export leaves the network as it was"
    assert ml.netx.quantize(block.quantized(net)) == exported
    assert torch.equal(block.unquantized(net)(images), before)


@given(torch_nets.cases())
@settings(max_examples=10)
def test_floats_and_integers_are_the_same_input(case: tuple[torch_nets.RandomNet, torch.Tensor]) -> None:
    net, images = case
    scaled = images.float() * net.input.netx.scale
    assert torch.equal(net(images), net(scaled))
    block.quantized(net)
    assert torch.equal(net(images), net(scaled))


@given(torch_nets.nets(), st.integers(0, 99))
@settings(max_examples=15)
def test_gradients_reach_every_parameter(net: torch_nets.RandomNet, seed: int) -> None:
    block.quantized(net.train())
    statistics = {k: v.clone() for k, v in net.state_dict().items() if "running" in k or "tracked" in k}
    images = torch.randint(0, net.input.netx.bound + 1, (8, *net.input.shape), generator=torch.manual_seed(seed))
    net(images).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert net.readout.synapse.bias.grad.abs().sum() > 0
    after = net.state_dict()
    assert all(torch.equal(after[name], value) for name, value in statistics.items()), "batch norm is frozen"


def test_gradient_is_that_of_the_float_network() -> None:
    """Straight through: with weights that are on the grid already, both modes have one gradient."""
    torch.manual_seed(0)
    net = nn.Sequential(
        block.Input((2, 5, 5), scale=1.0, bits=4, steps=2),
        block.Conv(2, 3, 3, neuron=MultiLevel(4, exact=True)),
        block.Readout(27, 4),
    ).double()
    net.eval()
    with torch.no_grad():
        conv, readout = net[1], net[2]
        conv.synapse.weight.copy_((conv.synapse.weight * 16).round() / 16)
        readout.synapse.weight.copy_((readout.synapse.weight * 64).round() / 64)
        readout.synapse.bias.zero_()
        conv.norm.eps = 0.0
    images = torch.randint(0, 16, (4, 2, 5, 5)).double()
    gradients = []
    for mode in (block.unquantized, block.quantized):
        mode(net).zero_grad()
        out = net(images)
        out.square().sum().backward()
        gradients.append([out.detach(), *(p.grad.clone() for p in net.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_training_in_quantized_mode_lowers_the_loss() -> None:
    torch.manual_seed(0)
    net = block.quantized(ml.model.create("cnn", in_shape=(1, 6, 6), width=4, depth=2, input_scale=1.0, input_bits=1))
    net.train()
    images = torch.randint(0, 2, (32, 1, 6, 6))
    labels = images[:, 0, :2, :2].flatten(1).sum(1)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0], losses
    check_equal(net, images, ml.netx.quantize(net))


def test_dead_channels_and_zero_weights() -> None:
    """A channel without weights fires by its bias alone; its threshold stays in bounds."""
    net = nn.Sequential(
        block.Input((1, 4, 4), scale=1.0, bits=2, steps=3),
        block.Conv(1, 3, 3, neuron=MultiLevel(4)),
        block.Readout(12, 2),
    ).eval()
    with torch.no_grad():
        net[1].synapse.weight.zero_()
        net[1].norm.bias.copy_(torch.tensor([0.3, 0.0, -0.3]))
        net[2].synapse.weight.zero_()
    graph = ml.netx.quantize(net)
    assert graph["1"].neuron.threshold.tolist() == [2**20] * 3
    check_equal(net, torch.ones(2, 1, 4, 4, dtype=torch.int64), graph)
    assert block.trace(net, torch.zeros(1, 1, 4, 4))["1"].amax((0, 2, 3)).tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]


def test_weights_of_many_thresholds_are_clipped() -> None:
    """A batch norm of tiny variance blows weights up: at a threshold of one they end at the end of their range."""
    net = nn.Sequential(
        block.Input((1, 4, 4), scale=1.0, bits=2), block.Conv(1, 2, 3, neuron=MultiLevel(4)), block.Readout(8, 2)
    ).eval()
    with torch.no_grad():
        net[1].norm.weight.fill_(5000.0)
    graph = ml.netx.quantize(net)
    assert graph["1"].neuron.threshold.tolist() == [1, 1]
    assert np.abs(graph["1"].synapse.weight).max() == 127
    check_equal(net, torch.randint(0, 4, (4, 1, 4, 4)), graph)


def test_per_layer_scale_is_one_threshold() -> None:
    net = ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2).eval()
    graph = ml.netx.quantize(net, per_channel=False)
    assert graph["conv1"].neuron.threshold.ndim == 0
    assert ml.netx.quantize(net)["conv1"].neuron.threshold.shape == (3,)


def test_as_integers_puts_everything_back() -> None:
    net = ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2).train()
    net.conv1.eval()
    with pytest.raises(RuntimeError, match="inside"), block.as_integers(net, 5):
        assert block.quantization_of(net).weight_bits == 5 and not net.training
        raise RuntimeError("inside")
    assert block.quantization_of(net) is None
    assert net.training and not net.conv1.training and net.readout.training


@pytest.mark.parametrize("bits", [1, 9, 8.5, True, "8"])
def test_weight_bits_are_checked(bits: object) -> None:
    net = ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2)
    with pytest.raises(ValueError, match=r"weight_bits: expected an integer in 2 \.\. 8, got"):
        block.quantized(net, bits)
    assert block.quantization_of(net) is None


def test_bits_of_training_are_kept() -> None:
    net = block.quantized(ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2), 4)
    assert np.abs(ml.netx.quantize(net)["conv1"].synapse.weight).max() <= 7
    with pytest.raises(ValueError, match="in quantized mode with 4 bits, got 8"):
        ml.netx.quantize(net, weight_bits=8)


def test_more_steps_than_the_membranes_are_made_for() -> None:
    net = block.quantized(ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2, steps=2).eval())
    assert net(torch.zeros(1, 1, 6, 6, 1)).shape == (1, 10)
    with pytest.raises(ValueError, match="at most steps=2 timesteps in quantized mode, got 3"):
        net(torch.zeros(1, 1, 6, 6, 3))
    with pytest.raises(ValueError, match="activity: expected 2 timesteps, got 1"):
        block.activity(net, torch.zeros(1, 1, 6, 6, 1))


def test_half_precision_is_refused() -> None:
    net = block.quantized(ml.model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2).eval()).half()
    with pytest.raises(ValueError, match=r"quantized mode needs float32 or float64 parameters, got torch.float16"):
        net(torch.zeros(1, 1, 6, 6, dtype=torch.float16))


def test_autocast_does_not_reach_the_integers() -> None:
    torch.manual_seed(0)
    net = block.quantized(ml.model.create("cnn", in_shape=(1, 6, 6), width=8, depth=2, levels=10).eval())
    images = torch.randint(0, 256, (4, 1, 6, 6))
    exact = net(images)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net(images), exact)


def test_membrane_of_a_float_readout() -> None:
    with pytest.raises(ValueError, match="in quantized mode only"):
        block.Readout(4, 2).membrane(torch.zeros(1, 4, 1))


@pytest.mark.parametrize(
    ("neuron", "steps", "kind", "plain_kind"),
    [
        (MultiLevel, 1, "multilevel", "multilevel"),
        (MultiLevel, 3, "scheduled", "multilevel"),
        (partial(ATIF, "uniform", 3), 3, "scheduled", "multilevel"),
        (partial(ATIF, "nonuniform", 3), 3, "scheduled", "scheduled"),
        (partial(ATIF, "nonuniform", 3), 1, "scheduled", "scheduled"),
        (partial(ATIF, "nonuniform", 1), 1, "staircase", "staircase"),
    ],
)
def test_a_start_is_a_bias_of_the_first_step_in_every_engine(
    neuron: Any, steps: int, kind: str, plain_kind: str, tmp_path: Path
) -> None:
    def of(start: float) -> nn.Module:
        neurons = [neuron(levels=3, start=start) for _ in range(3)]
        return nn.Sequential(
            block.Input((2, 4, 4), 1 / 16, 5, steps),
            block.Conv(2, 4, 3, 1, 1, neuron=neurons[0]),
            block.PatchMix(4, (4, 4), neuron=neurons[1]),
            block.Flatten(),
            block.Dense(64, 5, neuron=neurons[2]),
            block.Readout(5, 3),
        )

    net, plain = of(0.5), of(0.0)
    torch_nets.randomise(net, 1)
    plain.load_state_dict(net.state_dict())
    images = torch.randint(0, 17, (4, 2, 4, 4), generator=torch.Generator().manual_seed(0))
    graph, without = (ml.netx.quantize(n.eval()) for n in (net, plain))
    check_equal(net, images, graph)
    for name in ("1", "2.sites", "4"):
        layer, same = graph[name], without[name]
        assert layer.neuron.kind == kind and same.neuron.kind == plain_kind
        unit = {
            "multilevel": lambda neuron: neuron.threshold,
            "scheduled": lambda neuron: neuron.thresholds[:, 0],  # V_1 is p_1
            "staircase": lambda neuron: neuron.thresholds[:, -1] // 3,  # c_N is N p_1
        }[plain_kind](same.neuron)
        half = unit // 2
        if steps == 1:
            assert np.array_equal(layer.bias - same.bias, np.broadcast_to(half, layer.bias.shape))
        else:
            assert np.array_equal(layer.bias, same.bias) and not layer.neuron.offsets[:, 1:].any()
            assert np.array_equal(layer.neuron.offsets[:, 0], np.broadcast_to(half, len(layer.neuron.offsets)))
    ml.netx.save(graph, tmp_path / "x.net")
    loaded = ml.netx.load(tmp_path / "x.net")
    run = ml.sim.run(loaded, images.numpy(), trace=True)
    assert loaded == graph and not np.array_equal(run.trace["1"], block.trace(plain, images)["1"].numpy())
    mine = block.trace(net, images)
    for other in (run, *(ml.proc.simulate(loaded, images.numpy(), fused=fused, trace=True) for fused in (True, False))):
        assert all(np.array_equal(mine[name].numpy(), spikes) for name, spikes in other.trace.items())
        assert other.activity == run.activity
    assert all(ml.energy.estimate(graph, run.activity, model=kind).total > 0 for kind in ("lemaire", "horowitz"))
