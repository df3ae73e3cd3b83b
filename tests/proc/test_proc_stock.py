"""The networks that ship with lava-dl: every layer and step as stock Lava, as recorded, and as on a real Loihi."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from lava_mlsnn import proc

FILES = Path(str(importlib.metadata.distribution("lava-dl").locate_file("tests/lava/lib/dl/netx")))
TRUTHS = FILES / "gts"
RNG = np.random.default_rng(8)

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="this lava-dl came without its test files")


def record(layers, source, port, steps, run_cfg=None):
    """Run ``source`` into ``port`` and record the ports ``layers``: name -> (steps, *shape)."""
    sinks = {name: proc.Sink(shape=tuple(map(int, out.shape)), steps=steps) for name, out in layers.items()}
    source.s_out.connect(port)
    for name, out in layers.items():
        out.connect(sinks[name].a_in)
    proc.run(source, steps, timeout=120, run_cfg=run_cfg)
    source.stop()
    return {name: sink.data for name, sink in sinks.items()}


def stock_run(file, frames, steps, repeat=1, **options):
    """Every layer of stock NetX, in stock Lava."""
    from lava.lib.dl.netx.hdf5 import Network

    net = Network(str(file), **options)
    net.net_config.f.close()  # stock leaves it open
    block = net.in_layer
    port = block.neuron.a_in if hasattr(block, "transform") else net.inp  # stock's own inp leads nowhere
    source = proc.Source(frames=frames, repeat=repeat)
    outs = [layer.out for layer in net.layers]
    return list(record(dict(enumerate(outs)), source, port, steps, proc.SimCfg(stock=True)).values())


def our_run(file, frames, steps, repeat=1, *, fused, **options):
    """Every layer of ours, in the order of Lava's ports."""
    net = proc.Network(file, fused=fused, **options)
    monitor = proc.Monitor(net, steps=steps)
    source = proc.Source(frames=frames, repeat=repeat)
    sink = proc.Sink(shape=net.out.shape, steps=steps)
    source.s_out.connect(net.inp)
    net.out.connect(sink.a_in)
    proc.run(net, steps, timeout=120)
    net.stop()
    data = [monitor.data[layer.name].transpose(0, 3, 2, 1).reshape(steps, *layer.shape) for layer in net.layers]
    assert np.array_equal(sink.data, data[-1])
    return data


def video(shape, steps, low, high):
    """Frames that change a little from step to step."""
    first = RNG.integers(low, high, size=shape)
    return np.clip(first + np.cumsum(RNG.integers(-9, 10, size=(steps, *shape)), axis=0), low, high).astype(np.int32)


CASES = {
    "mnist": ("mnist.net", video((784,), 12, 0, 80), {}),
    "mnist with resets": ("mnist.net", video((784,), 12, 0, 80), {"reset_interval": 5, "reset_offset": 1}),
    "tiny": ("tiny.net", video((16, 16, 3), 14, 0, 70), {"reset_interval": 6}),
    "pilotnet sdnn": ("gts/pilotnet_sdnn/network.net", video((100, 33, 3), 13, -64, 64), {}),
    "pilotnet sdnn, fewer binary places": (
        "gts/pilotnet_sdnn/network.net",
        video((100, 33, 3), 10, -64, 64),
        {"spike_exp": 2},
    ),
    "pilotnet lif": ("gts/pilotnet_lif/network.net", video((200, 66, 3), 13, 0, 76), {"reset_interval": 7}),
    "axonal delays": ("gts/ntidigits/ntidigits.net", (RNG.random((20, 64)) < 0.3).astype(np.int32), {"num_layers": 3}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_layer_equals_stock_lava(case):
    file, frames, options = CASES[case]
    steps = len(frames)
    stock_options = {**options, "num_layers": 5} if "num_layers" in options else options  # stock counts all groups
    ours = {fused: our_run(FILES / file, frames, steps, fused=fused, **options) for fused in (True, False)}
    expected = stock_run(FILES / file, frames, steps, **stock_options)
    assert len(expected) == len(ours[True]) == len(ours[False])
    for fused, layers in ours.items():
        for index, (mine, stock) in enumerate(zip(layers, expected, strict=True)):
            assert np.array_equal(mine, stock), (fused, index)
    assert sum(layer.any() for layer in expected) >= len(expected) - 1  # mnist's last layer never fires


LOIHI = ("input", *(f"conv-{i}" for i in range(5)), *(f"fc-{i}" for i in range(3)))
BOTH = pytest.mark.parametrize("fused", [True, False], ids=["fused", "hierarchical"])


@BOTH
def test_pilotnet_lif_spikes_as_on_a_real_loihi(fused):
    """Recorded there: nine layers, 24 steps, with the wave of a reset every 17; the tenth layer never spikes."""
    truth = TRUTHS / "pilotnet_lif"
    image = np.load(truth / "image.npy")
    layers = our_run(truth / "network.net", image[np.newaxis], 24, repeat=24, fused=fused, reset_interval=17)
    total = 0
    for name, spikes in zip(LOIHI, layers, strict=False):
        loihi = np.moveaxis(np.load(truth / f"{name}.npy"), -1, 0)
        assert np.array_equal(spikes, loihi), name
        total += int(loihi.sum())
    assert total == 1_118_521 and not layers[-1].any()


@BOTH
def test_pilotnet_sdnn_gives_the_recorded_output(fused):
    truth = TRUTHS / "pilotnet_sdnn"
    frames = np.moveaxis(np.load(truth / "input.npy"), -1, 0)
    layers = our_run(truth / "network.net", frames, 9, repeat=9, fused=fused)
    assert np.array_equal(layers[-1].T, np.load(truth / "output.npy"))


@BOTH
def test_tinynet_gives_the_recorded_output(fused):
    """Upstream drives the encoder by its bias and resets by extra processes; an input and our reset do the same."""
    truth = TRUTHS / "tinynet"
    frames = np.load(truth / "input_bias.npy").astype(np.int32)[np.newaxis]
    layers = our_run(FILES / "tiny.net", frames, 20, repeat=20, fused=fused, reset_interval=17)
    expected = np.load(truth / "output.npy")[0].transpose(3, 2, 1, 0)[1:]
    assert np.array_equal(layers[-1][2:17], expected) and expected.any()


@BOTH
def test_ntidigits_gives_the_recorded_output(fused):
    truth = TRUTHS / "ntidigits"
    frames = np.load(truth / "input.npy").T[:120].astype(np.int32)
    layers = our_run(truth / "ntidigits.net", frames, 120, fused=fused, num_layers=3)
    expected = np.load(truth / "output.npy").T[1:121]  # SLAYER's first step is Lava's zeroth
    assert np.array_equal(layers[-1], expected) and expected.any()
