"""Random NetGraphs of every layer, connection and neuron kind, for round trips through files."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from lava_mlsnn import netx

NAMES = st.text(
    st.characters(whitelist_categories=("L", "N", "P", "S"), blacklist_characters="/"), min_size=1, max_size=12
).filter(lambda name: name.isprintable() and name != "input")


def _integers(draw, shape, low, high):
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(low, high + 1, size=shape)


@st.composite
def neurons(draw, channels):
    kind = draw(st.sampled_from(sorted(netx.neuron.NEURONS)))
    if kind == "multilevel":
        shape = draw(st.sampled_from([(), (channels,)]))
        return netx.MultiLevel(draw(st.integers(1, 32767)), _integers(draw, shape, 1, 2**31 - 1))
    if kind == "barrier":
        return netx.Barrier(draw(st.integers(1, 32767)))
    if kind == "readout":
        return netx.Readout(draw(st.floats(1e-300, 1e300)))
    if kind == "lif":
        integer = st.integers
        return netx.LIF(draw(integer(0, 2**24)), draw(integer(-1, 4095)), draw(integer(0, 4096)), draw(integer(0, 7)))
    if kind in ("delta", "sigma_delta"):
        exps = (draw(st.integers(0, 7)), draw(st.integers(0, 7)))
        model = draw(st.sampled_from(netx.neuron.SDN_MODELS))
        return netx.neuron.NEURONS[kind](draw(st.integers(0, 2**24)), *exps, model)
    return netx.neuron.NEURONS[kind]()


@st.composite
def synapses(draw, in_shape):
    c, h, w = in_shape
    kind = draw(st.sampled_from(["conv", "dense", "pool", "identity"]))
    bound = draw(st.sampled_from([1, 127, 255, 2**24 + 7, 2**31 - 1]))
    if kind == "conv":
        groups = draw(st.sampled_from([g for g in (1, 2, 3) if c % g == 0]))
        kernel = (draw(st.integers(1, min(3, h))), draw(st.integers(1, min(3, w))))
        shape = (groups * draw(st.integers(1, 3)), c // groups, *kernel)
        pair = st.tuples(st.integers(1, 2), st.integers(1, 3))
        weight = _integers(draw, shape, -bound, bound)
        padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
        return netx.Conv(weight, draw(pair), padding, (1, 1) if min(h, w) < 5 else draw(pair), groups)
    if kind == "dense":
        return netx.Dense(_integers(draw, (draw(st.integers(1, 5)), c * h * w), -bound, bound))
    if kind == "pool":
        kernel = (draw(st.integers(1, h)), draw(st.integers(1, w)))
        return netx.Pool(kernel, draw(st.tuples(st.integers(1, 3), st.integers(1, 3))))
    return netx.Identity(_integers(draw, draw(st.sampled_from([(), (c,)])), -bound, bound))


@st.composite
def graphs(draw, max_layers=5):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))
    signed = draw(st.booleans())
    source = netx.Input(
        shape,
        draw(st.floats(1e-6, 1e6)),
        draw(st.integers(1, 24)),
        signed,
        draw(st.floats(-1e6, 1e6)),
        draw(st.floats(-1e6, 1e6)),
    )
    shapes = {"input": shape}
    layers = []
    count = draw(st.integers(1, max_layers))
    for name in draw(st.lists(NAMES, min_size=count, max_size=count, unique=True)):
        if not layers and draw(st.booleans()):
            connections, out = [netx.Connection("input", netx.Injection())], shape
        else:
            first = draw(st.sampled_from(list(shapes)))
            group = [n for n in shapes if shapes[n] == shapes[first]]
            sources = draw(st.lists(st.sampled_from(group), min_size=1, max_size=3, unique=True))
            synapse = draw(synapses(shapes[first]))
            connections, out = [netx.Connection(tuple(sources), synapse)], synapse.out_shape(shapes[first])
            same = [n for n in shapes if shapes[n] == out]
            if same and draw(st.booleans()):
                connections.append(
                    netx.Connection(draw(st.sampled_from(same)), netx.Identity(draw(st.integers(-3, 3))))
                )
        if out[1:] == (1, 1) and draw(st.booleans()):
            connections.append(netx.Connection(name, netx.Dense(_integers(draw, (out[0], out[0]), -9, 9))))
        neuron = draw(neurons(out[0]))
        bias = None
        if neuron.kind not in ("barrier", "delta", "sigma") and draw(st.booleans()):
            bias = _integers(draw, draw(st.sampled_from([out[:1], out])), -(2**31), 2**31 - 1)
        layers.append(netx.Layer(name, tuple(connections), out, neuron, bias))
        shapes[name] = out
    labels = ()
    if draw(st.booleans()):
        labels = tuple(
            draw(st.text(st.characters(whitelist_categories=("L", "N", "Zs")), max_size=6).filter(str.isprintable))
            for _ in range(shapes[layers[-1].name][0])
        )
    return netx.NetGraph(source, tuple(layers), draw(st.integers(1, 2**31 - 1)), labels)
