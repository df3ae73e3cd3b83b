"""Random NetGraphs for files: the shared ones under odd names, with labels, scales, delays and extreme parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import strategies
from hypothesis import strategies as st

from lava_mlsnn import netx

NAMES = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="/"), min_size=1, max_size=12).filter(
    lambda name: name.isprintable() and name != "input"
)
LABELS = st.text(st.characters(categories=("L", "N", "Zs")), max_size=6).filter(str.isprintable)
INT32 = (-(2**31), 2**31 - 1)


def _integers(draw, shape, low, high):
    return np.random.default_rng(draw(st.integers(0, 2**16))).integers(low, high + 1, size=shape)


def _synapse(draw, synapse):
    """At times a dense synapse gets delays, and any weights the widest values."""
    if isinstance(synapse, netx.Dense) and draw(st.integers(0, 2)) == 2:
        outputs, inputs = synapse.weight.shape
        shape = draw(st.sampled_from([(outputs, 1), (1, inputs), (outputs, inputs)]))
        return netx.DelayDense(synapse.weight, _integers(draw, shape, 0, draw(st.sampled_from([1, 62]))))
    if hasattr(synapse, "weight") and draw(st.integers(0, 5)) == 5:
        return replace(synapse, weight=_integers(draw, synapse.weight.shape, *INT32))
    return synapse


def _neuron(draw, neuron):
    if isinstance(neuron, netx.MultiLevel) and draw(st.booleans()):
        return netx.MultiLevel(32767, _integers(draw, neuron.threshold.shape, 1, INT32[1]))
    if isinstance(neuron, netx.Readout):
        return netx.Readout(draw(st.floats(1e-300, 1e300)))
    return neuron


@st.composite
def graphs(draw):
    graph = draw(strategies.graphs())
    names = draw(st.lists(NAMES, min_size=len(graph), max_size=len(graph), unique=True))
    new = {"input": "input"} | {layer.name: name for layer, name in zip(graph, names, strict=True)}
    layers = [
        replace(
            layer,
            name=new[layer.name],
            connections=tuple(
                netx.Connection(tuple(new[s] for s in c.sources), _synapse(draw, c.synapse)) for c in layer.connections
            ),
            neuron=_neuron(draw, layer.neuron),
        )
        for layer in graph
    ]
    source = replace(
        graph.input,
        scale=draw(st.floats(1e-6, 1e6)),
        gain=draw(st.floats(-1e6, 1e6)),
        offset=draw(st.floats(-1e6, 1e6)),
    )
    classes = graph.output.shape[0]
    labels = draw(st.one_of(st.just(()), st.lists(LABELS, min_size=classes, max_size=classes)))
    stepwise = any(isinstance(layer.neuron, netx.SoftLIF | netx.Rescale | netx.Scheduled) for layer in layers)
    steps = graph.timesteps if stepwise else draw(st.integers(1, INT32[1]))
    return netx.NetGraph(source, tuple(layers), steps, tuple(labels))
