"""Quantized mode of whole networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from torch import nn

from ..helpers.check import flag, integer
from .core import Block
from .input import Input
from .integer import Quantization
from .plan import BLOCKS, Step, plan
from .stock import is_stock


def quantized(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> nn.Module:
    """Put a network into quantized mode, in place: its forward becomes the integer network, exactly.

    Batch norm is folded with its running statistics, which stay as they are; weights, biases and messages are integers
    (see :mod:`lava_mlsnn.block.integer`); gradients pass straight through the rounding to the float parameters.

    Take small steps: a frozen batch norm no longer normalizes what a weight does. A tenth or less of the float
    network's learning rate, or gradients clipped to a norm of 1, work; larger steps can destroy the network, with or
    without rounding.

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
    """Leave quantized mode, in place; the parameters stay as they are."""
    for module in net.modules():
        if isinstance(module, BLOCKS) and hasattr(module, "quantization"):
            module.quantization = None
    return net


def quantization_of(net: nn.Module) -> Quantization | None:
    """Bits and scales of a network in quantized mode, None in float mode."""
    found = [m.quantization for m in net.modules() if isinstance(m, Block)]
    return found[0] if found else None


def specifications(steps: list[Step], weight_bits: int, per_channel: bool) -> Iterator[tuple[Step, Quantization]]:
    """What each step needs to know to compute with integers."""
    weight_bits, per_channel = integer(weight_bits, "weight_bits", 2, 8), flag(per_channel, "per_channel")
    timesteps = next(step.module.steps for step in steps if isinstance(step.module, Input))
    for step in steps:
        if not _read_in_floats(step, steps):
            yield step, Quantization(weight_bits, per_channel, timesteps, step.inputs)


def _read_in_floats(step: Step, steps: list[Step]) -> bool:
    """Whether a step is the input of stock sigma-delta blocks, which compute in training's units in any mode."""
    readers = [is_stock(cast(nn.Module, reader.module)) for reader in steps if step.name in reader.sources]
    if not isinstance(step.module, Input) or step.output.levels == 1 or not any(readers):
        return False
    if not all(readers):
        raise ValueError(f"layer {step.name!r}: stock sigma-delta blocks and others read it: expected one kind")
    return True


@contextmanager
def evaluated(net: nn.Module) -> Iterator[nn.Module]:
    """A context in which the network is in evaluation mode; the modes of its modules are restored at its end."""
    training = [(m, m.training) for m in net.modules()]
    try:
        yield net.eval()
    finally:
        for module, mode in training:
            module.training = mode


@contextmanager
def as_integers(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> Iterator[nn.Module]:
    """A context in which the network is in evaluation and quantized mode; both modes are restored at its end."""
    blocks = [m for m in net.modules() if isinstance(m, BLOCKS) and hasattr(m, "quantization")]
    before = [b.quantization for b in blocks]
    with evaluated(net):
        try:
            if quantization_of(net) is None:
                quantized(net, weight_bits, per_channel=per_channel)
            yield net
        finally:
            for block, quantization in zip(blocks, before, strict=True):
                block.quantization = quantization
