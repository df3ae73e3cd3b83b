"""What both readers of network files share: ours and that of stock NetX files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.errors import NetFileError
from ..graph.neurons import LIF, Delta, Neuron, Resonator, Sigma, SigmaDelta
from ..graph.neurons.resonator import MAX_FACTOR, computed_decays
from ..helpers.check import IntArray, Shape
from ..helpers.doors import printable
from ._layout import STOCK_RESONATORS
from ._node import Node

MAX_LAYERS = 100_000


def read_simulation(root: Node, required: bool = False) -> int | None:
    """Timesteps of one sample; None where a file may leave it open and does."""
    if not root.has("simulation") and not required:
        return None
    node = root.node("simulation", f"{root.where}: simulation")
    node.ignore("Ts")  # duration of a step, in ms: only a scale of the time axis
    timesteps = node.integer("tSample", 1) if node.has("tSample") or required else None
    node.done()
    return timesteps


def layer_nodes(root: Node) -> list[Node]:
    """The groups ``layer/0`` .. ``layer/n-1`` in order, none missing."""
    group = root.node("layer", f"{root.where}: layer")
    count = len(group.keys())
    if not 1 <= count <= MAX_LAYERS:
        raise group.error(f"expected 1 .. {MAX_LAYERS} layers, found {count}")
    nodes = []
    for index in range(count):
        if not group.has(str(index)):
            raise group.error(f"{count} layers, but {index!r} is missing among {sorted(group.keys())[:20]}")
        node = group.node(str(index), f"{root.where}: layer {index}")
        kind = node.text("type")
        name = f" {node.text('name')!r}" if node.has("name") else ""
        node.where += printable(f" ({kind}{name})")  # warnings show it, too
        nodes.append(node)
    return nodes


def read_shape(node: Node) -> Shape:
    """The key ``shape``: (C, H, W), or (N,) for (N, 1, 1)."""
    shape = node.integers("shape", (1, 3), 1)
    return (shape[0], 1, 1) if len(shape) == 1 else (shape[0], shape[1], shape[2])


def check_flatten(node: Node, shape: Shape, flattened: bool) -> None:
    """A ``flatten`` entry says nothing new: what it says must be true."""
    size = shape[0] * shape[1] * shape[2]
    declared = node.integers("shape", (1, 3), 1)
    product = 1
    for n in declared:
        product *= n
    if product != size:
        raise node.error(f"flattens to shape {declared}, its input {shape} has {size} values")
    if flattened:
        raise node.error("two 'flatten' in a row")
    node.done()


def build(node: Node, cls: Any, *args: Any, **kwargs: Any) -> Any:
    """``cls(...)`` whose ValueError names the layer."""
    try:
        return cls(*args, **kwargs)
    except NetFileError:
        raise
    except ValueError as error:
        raise node.error(str(error)) from None


def read_bias(node: Node, shape: Shape, read: Callable[[Node, str], IntArray] = Node.whole) -> IntArray | None:
    """The key ``bias``: (C,), or one per neuron as (W, H, C), stock's order of axes."""
    if not node.has("bias"):
        return None
    bias = read(node, "bias")
    if bias.ndim == 3:
        if bias.shape != shape[::-1]:
            raise node.error(f"'bias' of shape {bias.shape}: expected ({shape[0]},) or {shape[::-1]}")
        bias = bias.transpose(2, 1, 0)
    elif bias.shape != shape[:1]:
        raise node.error(f"'bias' of shape {bias.shape}: expected ({shape[0]},) or {shape[::-1]}")
    return bias


def read_stock_lif(node: Node, channels: int) -> LIF:
    """Stock's CUBA and LOIHI: du = iDecay - 1, dv = vDecay, vth = vThMant, each one number or one per channel."""
    du, dv = node.each("iDecay", 0, 4096, channels) - 1, node.each("vDecay", 0, 4096, channels)
    if node.has("gradedSpike") and node.flag("gradedSpike"):
        node.departs("'gradedSpike' is set: stock NetX runs such a neuron with binary spikes")
    if node.has("refDelay") and np.any((delay := node.each("refDelay", 0, 2**15, channels)) != 1):
        node.departs(f"'refDelay' is {delay}, not 1: stock NetX ignores it")
    lif: LIF = build(node, LIF, vth=node.each("vThMant", 0, 2**24, channels), du=du, dv=dv)
    return lif


def read_stock_rf(node: Node, kind: str, channels: int) -> Resonator:
    """Stock's resonators, with the sine and cosine that it computes with; it takes every type with RF in its name."""
    if node.has("gradedSpike") and node.flag("gradedSpike"):
        node.departs("'gradedSpike' is set: stock NetX runs such a neuron with binary spikes")
    if kind not in STOCK_RESONATORS:
        as_type = STOCK_RESONATORS["PHASE" not in kind]
        node.departs(f"neuron type {kind!r}: stock NetX runs it as {as_type}, without what else it has")
        node.ignore("thDecay", "refDecay", "vThStep")
    decays = [node.array(key) for key in ("sinDecay", "cosDecay")]
    for key, value in zip(("sinDecay", "cosDecay"), decays, strict=True):
        if value.shape not in ((), (1,), (channels,)):
            raise node.error(f"{key!r}: expected one number or {channels}, found shape {value.shape}")
        if np.abs(value.astype(np.float64)).max() > MAX_FACTOR:
            raise node.error(f"{key!r}: expected numbers in -{MAX_FACTOR} .. {MAX_FACTOR}, found {value.tolist()}")
    sin, cos = computed_decays(*decays)
    vth = node.integer("vThMant", 0, 2**24)
    resonator: Resonator = build(node, Resonator, vth, sin, cos, izhikevich="PHASE" not in kind)
    return resonator


def read_stock_sdnn(node: Node, channels: int, is_input: bool, spike_exp: int) -> Neuron:
    """Stock's SDNN: Delta in an input block, Sigma where ``sigma_output`` stands, else SigmaDelta."""
    if node.has("activation"):
        activation = node.text("activation")
        if activation != "relu" and not is_input:
            node.departs(f"activation {activation!r}: stock NetX computes 'relu' only")
    if node.has("sigma_output") and not is_input:
        node.ignore("vThMant")  # a decoder has no threshold
        if not node.flag("sigma_output"):
            node.departs("'sigma_output' is False: stock NetX takes the key for True whatever it holds")
        return Sigma()
    vth = node.each("vThMant", 0, 2**24, channels)
    if np.ndim(vth):
        raise node.error(
            "'vThMant' differs between channels: Lava's sigma-delta Processes, and so stock NetX, hold one"
        )
    return build(node, Delta if is_input else SigmaDelta, vth, spike_exp)
