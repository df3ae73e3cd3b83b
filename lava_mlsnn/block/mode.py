"""Quantised mode of whole networks, and what their layers send in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..helpers.check import flag, integer
from .core import Block
from .dense import Readout
from .input import Input
from .integer import Quantization
from .plan import BLOCKS, Step, plan
from .stock import is_stock
from .window import Window

if TYPE_CHECKING:
    from ..graph.activity import Activity


def quantized(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> nn.Module:
    """Put a network into quantised mode, in place: its forward becomes the integer network, exactly.

    Batch norm is folded with its running statistics, which stay as they are; weights, biases and messages are integers
    (see :mod:`lava_mlsnn.block.integer`); gradients pass straight through the rounding to the float parameters.

    Steps must be small: a frozen batch norm no longer holds back what a weight does. A tenth or less of the learning
    rate that suits the float network, or gradients clipped to a norm of 1, train; more can destroy the network, with
    rounding or without.

    Args:
        net: starts with :class:`block.Input`.
        weight_bits: 2 .. 8.
        per_channel: one power of two per output channel instead of one per layer; hardware has a threshold per channel.

    Returns:
        ``net`` itself.

    Raises:
        ValueError: a layer that has no integer counterpart, by name.
    """
    for step, quantization in specifications(plan(net), weight_bits, per_channel):
        if hasattr(step.module, "quantization"):
            step.module.quantization = quantization  # type: ignore[union-attr]
    return net


def unquantized(net: nn.Module) -> nn.Module:
    """Leave quantised mode, in place; parameters keep what they learnt."""
    for module in net.modules():
        if isinstance(module, BLOCKS) and hasattr(module, "quantization"):
            module.quantization = None
    return net


def quantization_of(net: nn.Module) -> Quantization | None:
    """Bits and scales of a network in quantised mode, None in float mode."""
    found = [m.quantization for m in net.modules() if isinstance(m, Block)]
    return found[0] if found else None


def specifications(steps: list[Step], weight_bits: int, per_channel: bool) -> Iterator[tuple[Step, Quantization]]:
    """What each step must know to compute with integers."""
    weight_bits, per_channel = integer(weight_bits, "weight_bits", 2, 8), flag(per_channel, "per_channel")
    timesteps = next(step.module.steps for step in steps if isinstance(step.module, Input))
    for step in steps:
        yield step, Quantization(weight_bits, per_channel, timesteps, step.inputs)


@contextmanager
def as_integers(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> Iterator[nn.Module]:
    """The network in evaluation and quantised mode for a while; both are put back at the end."""
    blocks = [m for m in net.modules() if isinstance(m, BLOCKS) and hasattr(m, "quantization")]
    before, training = [b.quantization for b in blocks], [(m, m.training) for m in net.modules()]
    try:
        net.eval()
        if quantization_of(net) is None:
            quantized(net, weight_bits, per_channel=per_channel)
        yield net
    finally:
        for block, quantization in zip(blocks, before, strict=True):
            block.quantization = quantization
        for module, mode in training:
            module.training = mode


@torch.no_grad()
def trace(net: nn.Module, x: Tensor, weight_bits: int = 8, *, per_channel: bool = True) -> dict[str, Tensor]:
    """Integer spikes of every layer, by the layer's name in the NetGraph, and of "input".

    A network in float mode is quantised for this one run. A readout's entry is its membrane after each step. Stock
    SLAYER blocks are left out: they compute in floating point, each one step behind the one before.

    Shape:
        x: as the network's input; each entry int32 (N, C, H, W, T).
    """
    found: dict[str, Tensor] = {}
    with as_integers(net, weight_bits, per_channel=per_channel):
        steps = [s for s in plan(net) if s.is_layer and not is_stock(cast(nn.Module, s.module))]
        hooks = [cast(nn.Module, s.module).register_forward_hook(_recorder(s, found)) for s in steps]
        try:
            net(x)
        finally:
            for hook in hooks:
                hook.remove()
    return found


def _recorder(step: Step, found: dict[str, Tensor]) -> Any:
    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, Window):
            found.update({n: z.round().to(torch.int32) for n, z in module.layer_spikes(step.name, inputs[0])})
            return
        name = "input" if isinstance(module, Input) else step.name
        if isinstance(module, Readout):
            output = module.membrane(*inputs)
        shape = (output.shape[0], *step.output.shape, output.shape[-1])
        found[name] = output.round().to(torch.int32).reshape(shape)

    return record


def activity(net: nn.Module, x: Tensor, weight_bits: int = 8, *, per_channel: bool = True) -> Activity:
    """Counts of what the layers sent in torch's own forward: those of :func:`lava_mlsnn.sim.run` for the same images.

    Activities of several batches can be added.

    Args:
        net, weight_bits, per_channel: as for :func:`trace`.
        x: images, all T steps of them.

    Raises:
        ValueError: another number of timesteps, or stock SLAYER blocks, which :func:`trace` leaves out.

    Example:
        >>> from lava_mlsnn.block import Conv, Readout
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> net = nn.Sequential(Input((1, 4, 4)), Conv(1, 2, 3, neuron=MultiLevel(levels=4)), Readout(8, 10))
        >>> activity(net, torch.ones(5, 1, 4, 4, dtype=torch.uint8)).mean_events("input")
        16.0
    """
    from ..sim.batch import counts
    from .export import quantize

    with as_integers(net, weight_bits, per_channel=per_channel):
        graph = quantize(net)
        spikes = {name: sent.numpy() for name, sent in trace(net, x).items()}
    missing = [layer.name for layer in graph if layer.name not in spikes]
    if missing:
        raise ValueError(
            f"activity: stock SLAYER layers {', '.join(missing)} are not traced: expected sim.run for them"
        )
    if spikes["input"].shape[-1] != graph.timesteps:
        raise ValueError(f"activity: expected {graph.timesteps} timesteps, got {spikes['input'].shape[-1]}")
    found = counts(graph, spikes)
    for layer in graph:
        for i, connection in enumerate(layer.connections):
            summed = sum(spikes[source] for source in connection.sources)
            found.sites[layer.name][i] = np.count_nonzero(summed, axis=(0, 1, 2, 3))
    return found
