"""Lowered networks in stock NetX: trained on digits, saved, and run in Lava with nothing of ours in the network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import lava_mlsnn as ml
from lava_mlsnn import netx, sim
from lava_mlsnn.netx import LIF, Connection, Conv, Dense, Input, Layer, MultiLevel, NetGraph, Readout

RUNNER = Path(__file__).with_name("netx_lowered.py")
TRAIN, TEST = 1200, int(os.environ.get("MLSNN_LOWERED_IMAGES", "60"))
"""Stock Lava's convolutions take their time: MLSNN_LOWERED_IMAGES=597 asks for the whole test split."""
SPIKING = LIF(9)
NETS = {
    "cnn": {"width": 4, "levels": 4},
    "sparse_resnet18": {"width": 4, "levels": 3, "blocks": (1, 1)},
}


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.images[:, None].astype(np.int64), data.target


def trained(name, digits, epochs=4):
    """A network that has learnt something, as a graph."""
    images, labels = digits
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = ml.model.create(
        name, in_shape=(1, 8, 8), num_classes=10, steps=1, input_scale=1 / 16, input_bits=5, **NETS[name]
    )
    x, y = torch.tensor(images[:TRAIN] / 16).float()[..., None], torch.tensor(labels[:TRAIN])
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    net.train()
    for _ in range(epochs):
        for batch in torch.randperm(TRAIN).split(50):
            loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return netx.quantize(net.eval())


def stock_voltages(graph, images, file):
    """64 (a + b) of the last layer for each image; the processes left behind die with their group."""
    netx.save(graph, file)
    np.save(f"{file}.npy", images)
    process = subprocess.Popen(
        [sys.executable, str(RUNNER), str(file), str(graph.input.bits)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        out, err = process.communicate(timeout=2000)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, err[-3000:]
    assert "lava_mlsnn" not in out and "lava.lib.dl.netx.blocks.process" in out
    return np.load(f"{file}.v.npy")


@pytest.mark.parametrize("name", NETS)
def test_stock_netx_gives_the_labels_of_the_test_split(name, digits, tmp_path):
    images, labels = digits[0][TRAIN : TRAIN + TEST], digits[1][TRAIN : TRAIN + TEST]
    graph = trained(name, digits)
    run = sim.run(graph, images)
    assert (run.labels == labels).mean() > 0.3
    lowered = netx.lower(graph)
    voltages = stock_voltages(lowered, images, tmp_path / "lowered.net")
    np.testing.assert_array_equal(voltages, 64 * run.output)
    np.testing.assert_array_equal(voltages.argmax(axis=1), run.labels)
    assert netx.load(tmp_path / "lowered.net") == lowered


def test_neurons_that_always_spike_share_a_bias_in_stock_netx(tmp_path):
    rng = np.random.default_rng(0)
    first, second = Conv(rng.integers(-9, 10, (3, 1, 3, 3)), padding=1), Conv(rng.integers(-99, 99, (2, 3, 3, 3)), 2, 1)
    layers = (
        Layer("a", (Connection("input", first),), (3, 6, 6), MultiLevel(3, 20)),
        Layer("b", (Connection("a", second),), (2, 3, 3), MultiLevel(4, [30, 2600]), [5, 2000]),
        Layer("out", (Connection("b", Dense(rng.integers(-60, 60, (4, 18)))),), (4, 1, 1), Readout()),
    )
    graph = NetGraph(Input((1, 6, 6), bits=4), layers)
    lowered = netx.lower(graph)
    assert lowered["a"].shape[0] > 9 and not netx.problems(lowered)
    images = rng.integers(0, 16, (9, 1, 6, 6))
    run = sim.run(graph, images, trace=["b"])
    assert run.trace["b"][:, 1].any()
    np.testing.assert_array_equal(stock_voltages(lowered, images, tmp_path / "x.net"), 64 * run.output)


def chain(neuron=SPIKING, readout=None, timesteps=1, bias=None, last=1, first=4):
    """Convolution and readout."""
    rng = np.random.default_rng(0)
    conv = Conv(2 * rng.integers(-50, 50, (3, 2, 3, 3)), padding=1)
    dense = Dense(2 * last * rng.integers(-60, 60, (4, 75)))
    layers = (
        Layer("conv", (Connection("input", conv),), (3, 5, 5), neuron, [first, -3, 2]),
        Layer("out", (Connection("conv", dense),), (4, 1, 1), readout or Readout(0.125), bias),
    )
    return NetGraph(Input((2, 5, 5), bits=4), layers, timesteps)


def neuron_of(file, layer):
    with h5py.File(file) as handle:
        return {key: value[()] for key, value in handle["layer"][str(layer)]["neuron"].items()}


def test_a_readout_at_one_step_is_a_silent_stock_neuron(tmp_path):
    graph, file = chain(bias=[5, -6, 7, 32_767]), tmp_path / "x.net"
    netx.save(graph, file)
    neuron = neuron_of(file, 3)
    assert [b.decode() for b in neuron["type"]] == ["CUBA"]
    assert (neuron["iDecay"], neuron["vDecay"], neuron["vThMant"]) == (4096, 4096, 2**17 - 1)
    assert netx.load(file) == graph
    images = np.random.default_rng(1).integers(0, 16, (7, 2, 5, 5))
    np.testing.assert_array_equal(stock_voltages(graph, images, file), 64 * sim.run(graph, images).output)


@pytest.mark.parametrize(
    "graph",
    [
        chain(timesteps=2),
        chain(MultiLevel(1, 9)),
        chain(LIF(9, bias_exp=5)),
        chain(bias=[32_768, 0, 0, 0]),
        chain(last=32),
        chain(first=-32_769),
        chain(last=3),
    ],
    ids=[
        "two steps",
        "a neuron of ours",
        "a bias exponent",
        "16 bits of bias",
        "17 bits of current",
        "16 bits of an earlier bias",
        "weights",
    ],
)
def test_else_a_readout_keeps_its_own_type(graph, tmp_path):
    netx.save(graph, tmp_path / "x.net")
    assert neuron_of(tmp_path / "x.net", 3)["type"][0] == b"READOUT"
    assert netx.load(tmp_path / "x.net") == graph


def test_the_mark_of_a_readout_beside_another_neuron_is_refused(tmp_path):
    file = tmp_path / "x.net"
    netx.save(chain(), file)
    with h5py.File(file, "r+") as handle:
        handle["layer"]["3"]["neuron"]["vThMant"][()] = 5
    with pytest.raises(netx.NetFileError, match=r"layer 3 .*'readoutScale' beside a neuron other"):
        netx.load(file)
    netx.save(replace(chain(), labels=tuple("abcd")), file)
    with h5py.File(file, "r+") as handle:
        handle["layer"]["3"]["neuron"]["readoutScale"][()] = -1.0
    with pytest.raises(netx.NetFileError, match="readout scale"):
        netx.load(file)
