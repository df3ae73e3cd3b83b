"""Stock SLAYER blocks: they mix with ours in one network, and leave it as layers that stock NetX reads."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.netx import LIF, Delta, SigmaDelta
from lava_mlsnn.neuron import MultiLevel

from lava.lib.dl import slayer  # isort: skip - Lava is mended first
from lava.lib.dl.netx import hdf5
from lava.lib.dl.slayer.block import cuba, sigma_delta

CUBA = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.03}
SDNN = {"threshold": 0.1, "activation": torch.relu}
STEPS = 12

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # torch's, for SLAYER's weight_norm
    pytest.mark.filterwarnings("ignore:SLAYER blocks .* with delay_shift=True"),  # the tests compare a step later
]


def after(shape: tuple[int, int, int], *blocks: nn.Module, scale: float = 1.0, bits: int = 1) -> nn.Sequential:
    return nn.Sequential(block.Input(shape, scale, bits, STEPS), *blocks).eval()


def cuba_net() -> nn.Sequential:
    torch.manual_seed(1)
    return after(
        (1, 8, 8),
        cuba.Conv(CUBA, 1, 4, 3, padding=1, weight_scale=20),
        cuba.Conv(CUBA, 4, 6, 3, stride=2, weight_norm=True, weight_scale=20),
        cuba.Flatten(),
        cuba.Dense(CUBA, 54, 10, weight_scale=20),
    )


def spikes(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return (torch.rand((3, *shape, STEPS), generator=torch.Generator().manual_seed(seed)) < 0.3).float()


def outputs(net: nn.Sequential, x: Tensor) -> dict[str, Tensor]:
    found = {}
    with torch.no_grad():
        for name, module in net.named_children():
            x = found[name] = module(x)
    return found


def test_blocks_that_shift_are_told_of() -> None:
    """With the shift, torch's sums over T differ from the graph's; without, nothing is said and they are equal."""
    with pytest.warns(UserWarning, match=r"'1', '2', '4' with delay_shift=True.*delay_shift=False"):
        ml.netx.quantize(cuba_net())
    net, x = cuba_net(), spikes((1, 8, 8))
    for module in net[1:]:
        module.delay_shift = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", ".*weight_norm.*")
        run = ml.sim.run(ml.netx.quantize(net), x.numpy().astype(int), trace=True)
    out = list(outputs(net, x).values())[-1].numpy()
    assert np.array_equal(out.sum(-1).reshape(3, -1), run.output) and out.any()


def test_cuba_blocks_become_lif_layers_spike_by_spike() -> None:
    """SLAYER delays every block by a step; the graph's layers see a sample step t at their own t."""
    net, x = cuba_net(), spikes((1, 8, 8))
    graph = ml.netx.quantize(net)
    assert [layer.name for layer in graph] == ["1", "2", "4"]
    assert all(layer.neuron == LIF(vth=80, du=1023, dv=123, bias_exp=6) for layer in graph)
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True, engine="reference")
    for delay, (name, out) in enumerate(((n, o) for n, o in outputs(net, x).items() if n in run.trace), start=1):
        assert 0.02 < out.mean() < 0.9
        assert np.array_equal(out.numpy()[..., delay:], run.trace[name].reshape(out.shape)[..., :-delay]), name


def test_decays_per_neuron_are_the_graphs() -> None:
    torch.manual_seed(1)
    own = {**CUBA, "current_decay": (0.1, 0.9), "voltage_decay": (0.01, 0.5), "shared_param": False}
    net, x = after((1, 8, 8), cuba.Flatten(), cuba.Dense(own, 64, 30, weight_scale=9)), spikes((1, 8, 8))
    with pytest.raises(ValueError, match="decays per neuron, which SLAYER draws in the first pass"):
        ml.netx.quantize(net)
    with torch.no_grad():
        net(x)
    graph, out = ml.netx.quantize(net), outputs(net, x)["2"]
    assert len(set(graph.output.neuron.du)) > 20 and len(set(graph.output.neuron.dv)) > 20
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True)
    assert 0.02 < out.mean() < 0.9
    assert np.array_equal(out.numpy()[..., 1:], run.trace["2"].reshape(out.shape)[..., :-1])


def test_sigma_delta_blocks_become_sigma_delta_layers() -> None:
    torch.manual_seed(1)
    net = after(
        (1, 8, 8),
        sigma_delta.Input(SDNN),
        sigma_delta.Conv(SDNN, 1, 4, 3, padding=1, weight_scale=2),
        sigma_delta.Flatten(),
        sigma_delta.Dense(SDNN, 256, 10, weight_scale=2),
        scale=1 / 64,
        bits=8,
    )
    x = torch.randint(0, 33, (3, 1, 8, 8, STEPS)) * 2 / 64
    graph = ml.netx.quantize(net)
    assert [layer.neuron for layer in graph] == [Delta(6), SigmaDelta(6), SigmaDelta(6)]
    run = ml.sim.run(graph, (x * 64).numpy().round().astype(int), trace=True, engine="reference")
    for name, out in ((n, o) for n, o in outputs(net, x).items() if n in run.trace):
        assert np.array_equal(out.numpy() * 64 * 64, run.trace[name].reshape(out.shape)), name


def test_stock_reader_loads_what_we_export(tmp_path: Path) -> None:
    """The same file that SLAYER's own export writes, as far as stock NetX looks."""
    net = cuba_net()
    net(spikes((1, 8, 8)))
    ml.netx.save(ml.netx.quantize(net), tmp_path / "ours.net")
    with h5py.File(tmp_path / "theirs.net", "w") as file:
        for i, module in enumerate(list(net)[1:]):
            module.export_hdf5(file.create_group(f"layer/{i}"))
    ours = hdf5.Network(str(tmp_path / "ours.net"))
    theirs = hdf5.Network(str(tmp_path / "theirs.net"), input_shape=(8, 8, 1))
    assert len(ours) == len(theirs) == 3
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert type(mine) is type(other) and mine.shape == other.shape
        weights = "weight" if hasattr(mine.synapse, "weight") else "weights"
        assert np.array_equal(getattr(mine.synapse, weights).init, getattr(other.synapse, weights).init)
        for name in ("vth", "du", "dv", "bias_mant", "bias_exp"):
            assert np.array_equal(getattr(mine.neuron, name).init, getattr(other.neuron, name).init), name


def test_mean_only_norm_is_a_bias() -> None:
    torch.manual_seed(0)
    neuron = {**CUBA, "norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    net = after((6, 1, 1), block.Flatten(), cuba.Dense(neuron, 6, 5, weight_scale=5)).train()
    net(spikes((6, 1, 1)))
    net.eval()
    graph = ml.netx.quantize(net)
    assert graph["2"].bias.any()
    run = ml.sim.run(graph, spikes((6, 1, 1), 1).numpy().astype(int), trace=True, engine="reference")
    out = net(spikes((6, 1, 1), 1)).detach().numpy()
    assert np.array_equal(out[..., 1:], run.trace["2"].reshape(out.shape)[..., :-1])


def test_ours_and_stock_train_together() -> None:
    """Graded and stock blocks in one nn.Sequential, both ways round, with gradients to all of them."""
    torch.manual_seed(0)
    net = nn.Sequential(
        block.Input((2, 8, 8), 1.0, 1, STEPS),
        block.Conv(2, 4, 3, 1, 1, neuron=MultiLevel(1)),
        cuba.Conv(CUBA, 4, 6, 3, stride=2, weight_scale=20),
        block.Conv(6, 8, 3, neuron=MultiLevel(4)),
        cuba.Flatten(),
        block.Dense(8, 12, neuron=MultiLevel(4)),
        block.Readout(12, 3),
    )
    x = spikes((2, 8, 8))
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters() if p.requires_grad)
    assert net[2].synapse.weight.grad.abs().sum() > 0 and net[1].synapse.weight.grad.abs().sum() > 0
    block.quantized(net).eval()
    graph = ml.netx.quantize(net)
    assert [layer.neuron.kind for layer in graph] == ["multilevel", "lif", "multilevel", "multilevel", "readout"]
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True, engine="reference")
    found = outputs(net, x)
    assert np.array_equal(found["1"].numpy(), run.trace["1"])
    assert np.array_equal(found["2"].numpy()[..., 1:], run.trace["2"][..., :-1])
    assert list(block.trace(net, x)) == ["input", "1", "3", "5", "6"]
    with pytest.raises(ValueError, match="activity: stock SLAYER layers 2 are not traced"):
        block.activity(net, x)


def shared(**options: Any) -> dict[str, Any]:
    return {**CUBA, **options}


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([cuba.Dense(CUBA, 6, 5, delay=True)], "layer '2': axonal delays are not part of a NetGraph"),
        ([cuba.Average(2)], "layer '2': SLAYER block Average: expected Input, Dense, Conv or Flatten"),
        ([cuba.Dense(shared(graded_spike=True), 6, 5)], "CUBA with graded_spike=True"),
        ([cuba.Dense(shared(norm=slayer.neuron.norm.WgtScaleBatchNorm), 6, 5)],
         "norm WgtScaleBatchNorm: expected none"),
        ([cuba.Dense(CUBA, 6, 5, pre_hook_fx=None)], "a synapse without quantization"),
        ([slayer.block.alif.Dense(shared(threshold_step=0.1, threshold_decay=0.1, refractory_decay=0.1), 6, 5)],
         "SLAYER neuron .*alif.*: expected CUBA or sigma-delta"),
        ([slayer.block.rf.Dense({"threshold": 1.0, "period": 7, "decay": 0.1}, 6, 5)], "SLAYER neuron .*rf"),
        ([sigma_delta.Dense(SDNN, 6, 5)], "layer '2': a sigma-delta block reads deltas: expected a sigma_delta.Input"),
        ([sigma_delta.Input(SDNN)], "a sigma-delta input reads messages of 1 / 64: .* scale=1 / 64, got 1 / 1"),
        ([cuba.Dense(CUBA, 7, 5)], r"layer '2': dense weight \(5, 7\) reads 7 sites"),
        ([block.Dense(6, 5, neuron=MultiLevel(4)), cuba.Dense(CUBA, 5, 5)],
         "layer '3': a CUBA block reads spikes of 4 levels: expected levels=1"),
    ],
)  # fmt: skip
def test_what_netx_cannot_read_is_refused(blocks: list[nn.Module], message: str) -> None:
    net = after((6, 1, 1), block.Flatten(), *blocks)
    with pytest.raises(ValueError, match=message):
        ml.netx.quantize(net)


def test_changes_are_no_spikes() -> None:
    net = after((6, 1, 1), sigma_delta.Input(SDNN), block.Readout(6, 2), scale=1 / 64, bits=8)
    with pytest.raises(ValueError, match="layer '2': it reads the changes that a sigma-delta block sends"):
        ml.netx.quantize(net)
    other = after(
        (6, 1, 1), sigma_delta.Input(SDNN), sigma_delta.Dense({**SDNN, "activation": torch.tanh}, 6, 2), scale=1 / 64
    )
    with pytest.raises(ValueError, match=r"sigma-delta activation .*tanh.*: expected torch.relu"):
        ml.netx.quantize(other)
    biased = sigma_delta.Dense(SDNN, 6, 2)
    biased.neuron.set_bias(torch.ones(2))
    with pytest.raises(ValueError, match="a bias set in a sigma-delta neuron"):
        ml.netx.quantize(after((6, 1, 1), sigma_delta.Input(SDNN), biased, scale=1 / 64))
    transform = after((6, 1, 1), sigma_delta.Input(SDNN, weight=2.0), scale=1 / 64)
    with pytest.raises(ValueError, match="an input transform in SLAYER's Input"):
        ml.netx.quantize(transform)
