"""Wrong arguments of the calls that people type: one sentence each, with the value and what is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lava_mlsnn as ml

GRAPH = ml.netx.example("digits_cnn_t1n4")
OTHER = ml.netx.example("digits_mlp_t1n4")
IMAGES = np.zeros((2, 1, 8, 8), np.int64)
PAIR = (np.zeros((4, 1, 8, 8), np.uint8), np.array([0, 1, 0, 1]))
COUNTS = ml.energy.Activity.zeros(GRAPH, 1)
A_GRAPH = (
    "graph: expected a NetGraph (netx.load reads one from a file, netx.quantize makes one of a trained network), got"
)
A_DATASET = "dataset: expected a Dataset (data.load reads one, data.make makes one of arrays), got str"
A_LAYER = "trace: no layer 'conv9': expected one of input, conv1, conv2, conv3, readout"


def digits() -> Any:
    return ml.data.load("digits")


def net() -> Any:
    return ml.train.create("cnn", digits(), width=2, depth=1)


CALLS: list[tuple[Callable[[], object], str]] = [
    (lambda: ml.data.load("nope"), "dataset 'nope': expected one of digits, mnist5k, "),
    (lambda: ml.data.load(5), "dataset 5: expected one of digits, mnist5k, "),
    (lambda: ml.data.load("digits", size=8), "dataset 'digits': option 'size'; expected one of: none"),
    (lambda: ml.data.load("digits", "here"), "dataset 'digits' comes with an installed package: expected no path"),
    (lambda: ml.data.load("emnist:"), "dataset 'emnist:': expected a path after the colon"),
    (lambda: ml.data.load("nope.npz"), "nope.npz: no such file or folder; expected FILE.npz with images and labels"),
    (lambda: ml.data.make(None), "NoneType: expected a pair (images, labels) or a data set of pairs"),
    (lambda: ml.data.make("photos"), "str: expected a pair (images, labels) or a data set of pairs; a path is for"),
    (lambda: ml.data.make(PAIR, 2), "test: expected a finite number >= 0 and <= 1, got 2"),
    (lambda: ml.data.make((PAIR[0], PAIR[1][:3]), 0.5), "3 labels for 4 images, of shape (4, 1, 8, 8)"),
    (lambda: ml.data.make((PAIR[0], PAIR[1] - 3), 0.5), "labels -3 .. -2, expected classes 0, 1, 2 ..."),
    (lambda: ml.data.make(PAIR, 0.5, labels="ab"), "labels: expected a list of names, got 'ab'"),
    (lambda: ml.data.make(PAIR, 0.5, labels=["a"]), "expected train labels in 0 .. 0, got 0 .. 1"),
    (
        lambda: ml.data.make(PAIR, 0.5, order="XY"),
        "order 'XY': expected N, H, W and, where there are such axes, C and T",
    ),
    (lambda: ml.data.make(PAIR, 0.5, bits=99), "bits: expected an integer in 1 .. 24, got 99"),
    (lambda: ml.data.make(PAIR, 0.5, input_scale=0), "input_scale: expected a finite number > 0, got 0"),
    (lambda: ml.data.make((PAIR[0] - 1.5, PAIR[1]), 0.5), "images are floats -1.5 .. -1.5, expected 0 .. 1"),
    (lambda: ml.train.recipe("nope"), "recipe: expected one of digits, "),
    (lambda: ml.train.recipe("digits", speed=1), "recipe field: expected one of epochs, "),
    (lambda: ml.train.recipe("digits", epochs=0), "epochs: expected an integer >= 1, got 0"),
    (lambda: ml.train.recipe("digits", energy="low"), "energy share: expected a finite number > 0, got 'low'"),
    (lambda: ml.train.Machine("tpu"), "accelerator: expected one of auto, cpu, gpu, got 'tpu'"),
    (lambda: ml.train.create("nope", digits()), "model: expected one of mlp, cnn, "),
    (lambda: ml.train.create("cnn", digits(), color=1), "option of cnn: expected one of in_shape, "),
    (lambda: ml.train.create("cnn", digits(), num_classes=3), "'num_classes' is decided by the dataset 'digits'"),
    (lambda: ml.train.create("cnn", digits(), width="x"), "width: expected an integer >= 1, got 'x'"),
    (lambda: ml.train.create("cnn", "digits"), A_DATASET),
    (lambda: ml.train.fit(net(), "digits", ml.train.recipe("digits")), A_DATASET),
    (
        lambda: ml.train.fit(net(), digits(), "digits"),
        "recipe: expected a Recipe (train.recipe has them by name), got str",
    ),
    (lambda: ml.train.fit("cnn", digits(), ml.train.recipe("digits")), "network: expected a Module, got str"),
    (lambda: ml.train.accuracies(net(), "digits"), A_DATASET),
    (lambda: ml.train.predict("cnn", digits()), "network: expected a Module, got str"),
    (lambda: ml.model.load("nope.safetensors"), "nope.safetensors: no such file"),
    (lambda: ml.model.save("cnn", "x.safetensors"), "save: expected a network made by model.create, got str"),
    (lambda: ml.model.convert(net(), digits(), levels=0), "levels: expected an integer >= 1, got 0"),
    (lambda: ml.model.convert("cnn", digits(), levels=4), "network: expected a Module, got str"),
    (lambda: ml.netx.load("nope.net"), "no such network file: nope.net"),
    (lambda: ml.netx.load(5), "path: expected the name of a file, got 5"),
    (lambda: ml.netx.save(GRAPH, 5), "path: expected the name of a file, got 5"),
    (lambda: ml.model.load(None), "path: expected the name of a file, got None"),
    (lambda: ml.netx.from_nir(b"x.nir", IMAGES), "path: expected the name of a file, got b'x.nir'"),
    (lambda: ml.netx.to_nir(GRAPH, 5), "path: expected the name of a file, got 5"),
    (lambda: ml.netx.load("nope.net", timesteps=0), "timesteps: expected an integer >= 1, got 0"),
    (lambda: ml.netx.example("nope"), "example: expected one of digits_cnn_t1n4, "),
    (lambda: ml.netx.quantize("cnn"), "quantize: expected a torch.nn.Module, got str"),
    (lambda: ml.netx.quantize(net(), weight_bits=9), "weight_bits: expected an integer in 2 .. 8, got 9"),
    (lambda: ml.netx.quantize(net(), labels="0123456789"), "labels: expected a list of names, got '0123456789'"),
    (lambda: ml.netx.quantize(net(), labels=["a"]), "1 labels for an output of shape (10, 1, 1)"),
    (lambda: ml.netx.NetGraph(GRAPH.input, GRAPH.layers, labels="0123456789"), "labels: expected a list of names, got"),
    (lambda: ml.netx.NetGraph(GRAPH.input, ()), "a network needs at least one layer, got none"),
    (lambda: ml.netx.save("x.net", GRAPH), f"{A_GRAPH} str"),
    (lambda: ml.netx.lower("x.net"), f"{A_GRAPH} str"),
    (lambda: ml.netx.digest(5), f"{A_GRAPH} int"),
    (lambda: ml.netx.part(GRAPH, "conv1"), "first layer: expected an integer in 0 .. 3, got 'conv1'"),
    (lambda: ml.netx.MultiLevel(0, 5), "levels: expected an integer >= 1, got 0"),
    (lambda: ml.netx.Dense([[1.5, 2]]), "dense weight: expected integers, found 1.5"),
    (lambda: ml.netx.Conv(np.ones((2, 2), int)), "conv weight: expected 4 dimensions, got shape (2, 2)"),
    (lambda: ml.netx.Input((1, 8)), "input shape: expected 3 integers >= 1, got (1, 8)"),
    (lambda: ml.netx.to_nir(GRAPH, "x.nir", dialect="tf"), "dialect: expected one of nir, snntorch, "),
    (lambda: ml.netx.from_nir("nope.nir", IMAGES), "no such NIR file: nope.nir"),
    (lambda: ml.sim.run("x.net", IMAGES), f"{A_GRAPH} str"),
    (lambda: ml.sim.run(GRAPH, IMAGES / 2), "images: expected integers, got dtype float64"),
    (
        lambda: ml.sim.run(GRAPH, IMAGES[:, :, :4]),
        "images: expected shape (N, 1, 8, 8) or (N, 1, 8, 8, 1), got (2, 1, 4, 8)",
    ),
    (lambda: ml.sim.run(GRAPH, IMAGES + 500), "images: expected values in 0 .. 31 (5 bits), got 500"),
    (lambda: ml.sim.run(GRAPH, IMAGES, trace="conv9"), A_LAYER),
    (lambda: ml.sim.run(GRAPH, IMAGES, trace=5), "trace: expected True, False or names of layers, got 5"),
    (lambda: ml.sim.run(GRAPH, IMAGES, engine="gpu"), "engine: expected one of fast, reference, got 'gpu'"),
    (lambda: ml.sim.run(GRAPH, IMAGES, threads=-1), "threads: expected an integer >= 1, got -1"),
    (lambda: ml.proc.simulate(GRAPH, IMAGES, trace="conv9"), A_LAYER),
    (lambda: ml.proc.simulate(GRAPH, IMAGES, trace=5), "trace: expected True, False or names of layers, got 5"),
    (lambda: ml.proc.simulate("nope.net", IMAGES), "no such network file: nope.net"),
    (lambda: ml.proc.simulate(GRAPH, IMAGES / 2), "images: expected integers, got dtype float64"),
    (lambda: ml.proc.Network(GRAPH, fused="yes"), "fused: expected True or False, got 'yes'"),
    (lambda: ml.energy.estimate("x.net", COUNTS), f"{A_GRAPH} str"),
    (lambda: ml.energy.estimate(GRAPH, 5), "activity: expected an Activity such as run.activity, or None, got int"),
    (lambda: ml.energy.estimate(OTHER, COUNTS), "activity of another network: layers conv1, conv2, conv3, hidden1"),
    (lambda: ml.energy.estimate(GRAPH, COUNTS, model="x"), "model: expected one of lemaire, horowitz, loihi1, "),
    (
        lambda: ml.energy.estimate(GRAPH, COUNTS, model="loihi2"),
        "Intel has published no energy of a synaptic operation",
    ),
    (lambda: ml.energy.estimate(GRAPH, COUNTS, color=1), "model 'lemaire' has no setting 'color': expected one of "),
    (lambda: ml.energy.estimate(GRAPH, COUNTS, sram="x"), "sram: expected one of regression, piecewise, bus, got 'x'"),
    (lambda: ml.energy.estimate(GRAPH, COUNTS, options="x"), "options: expected one of qualia, lemaire, "),
    (lambda: ml.energy.lemaire.layer(kind="x", in_shape=(1,), out_shape=(1,)), "kind: expected one of conv, dense, "),
    (lambda: ml.loihi2.fit("x.net"), f"{A_GRAPH} str"),
    (lambda: ml.loihi2.Chip(cores=0), "chip cores: expected an integer >= 1, got 0"),
    (lambda: ml.neuron.MultiLevel(levels=0), "levels: expected an integer >= 1, got 0"),
    (lambda: ml.neuron.MultiLevel(grad="x"), "grad: expected one of attached, detached, sigmoids, ste, got 'x'"),
    (lambda: ml.neuron.MultiLevel(threshold=-1), "threshold: expected a finite number > 0, got -1"),
    (lambda: ml.plot.confusion([0, 1], [0, 1], names="ab"), "names: expected a list of names, got 'ab'"),
]


@pytest.mark.parametrize(("call", "said"), CALLS, ids=[f"{i}-{said[:40]}" for i, (_, said) in enumerate(CALLS)])
def test_it_is_one_sentence(call: Callable[[], object], said: str) -> None:
    with pytest.raises((ValueError, OSError), match=re.escape(said)) as caught:
        call()
    assert "\n" not in str(caught.value)
