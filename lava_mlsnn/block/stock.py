"""Stock SLAYER blocks in a network: what they send, and the integer layer that each becomes.

SLAYER trains them and defines their integers (weights in steps of 2 / 64 with ``quantize_8bit``); NetX defines how they
are read. CUBA blocks become LIF layers, sigma-delta blocks become Delta and SigmaDelta layers.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, cast

import numpy as np
import torch
from lava.lib.dl.slayer import neuron as slayer_neuron
from lava.lib.dl.slayer.block import base as slayer
from lava.lib.dl.slayer.block import sigma_delta
from lava.lib.dl.slayer.neuron.norm import MeanOnlyBatchNorm
from torch import nn

from ..graph.neurons import LIF, Delta, Neuron, SigmaDelta
from ..graph.synapses import Conv, Dense, Injection, Synapse
from ..helpers.check import IntArray, int_array
from .signal import Signal

_ALL = tuple(c for c in vars(slayer).values() if isinstance(c, type) and issubclass(c, nn.Module))
_INPUT_SCALE = 64  # SLAYER's fixed point
_MESSAGE_SCALE = 64 * 64  # that times 2 ** spike_exp


def is_stock(module: nn.Module) -> bool:
    """Whether a module is a block of lava.lib.dl.slayer."""
    return isinstance(module, _ALL)


def shifts(module: nn.Module | None) -> bool:
    """Whether a module is a stock block that sends its spikes a timestep later; sigma-delta inputs never do."""
    if module is None or not is_stock(module) or isinstance(module, sigma_delta.Input):
        return False
    return getattr(module, "delay_shift", False) is True


def shifted(name: str) -> str:
    """The layer that sends the spikes of a stock block later."""
    return f"{name}.shift"


def is_stock_flatten(module: nn.Module | None) -> bool:
    """Whether a module is SLAYER's flatten, which disappears in the integer network."""
    return isinstance(module, slayer.AbstractFlatten)


def stock_signal(module: nn.Module, x: Signal) -> Signal:
    """What a stock block sends when it receives ``x``.

    Raises:
        ValueError: graded spikes at its input, a block that NetX does not read, or shapes that do not fit.
    """
    if is_stock_flatten(module):
        return replace(x, shape=(prod(x.shape), 1, 1))
    synapse, neuron, _ = stock_layer(module)
    _check_units(synapse, neuron, x)
    shape = synapse.out_shape(x.shape)
    if isinstance(neuron, LIF):
        return Signal(shape, 1, 1)
    return Signal(shape, _MESSAGE_SCALE, 2**23, deltas=True)


def _check_units(synapse: Synapse, neuron: Neuron, x: Signal) -> None:
    if isinstance(neuron, SigmaDelta):
        if not x.deltas:
            raise ValueError(
                "a sigma-delta block reads deltas: expected a sigma_delta.Input or another such block before"
            )
    elif isinstance(neuron, Delta):
        if x.levels != _INPUT_SCALE:
            raise ValueError(
                "a sigma-delta input reads messages of 1 / 64: expected block.Input with scale=1 / 64, got "
                f"1 / {x.levels:g}"
            )
    elif x.deltas or x.levels != 1:
        raise ValueError(
            f"a CUBA block reads spikes of {x.levels:g} levels: expected levels=1, its input is in whole spikes "
            "(block.Input with scale=1, blocks with binary neurons)"
        )


def stock_layer(module: nn.Module) -> tuple[Synapse, Neuron, IntArray | None]:
    """Synapse, neuron and bias of the integer layer that a stock block becomes.

    Raises:
        ValueError: a property that NetX does not read, or reads differently than SLAYER trains it.
    """
    block = cast(Any, module)
    if type(module).__name__ not in ("Input", "Dense", "Conv") or not isinstance(
        module, (slayer.AbstractInput, slayer.AbstractDense, slayer.AbstractConv)
    ):
        raise ValueError(
            f"SLAYER block {type(module).__name__}: expected Input, Dense, Conv or Flatten, which NetX reads"
        )
    if block.delay is not None:
        raise ValueError("axonal delays are not part of a NetGraph: expected delay=False")
    neuron = _neuron(block)
    if isinstance(module, slayer.AbstractInput):
        if block.weight is not None or block.bias is not None:
            raise ValueError(
                "an input transform in SLAYER's Input: expected weight=None and bias=None, block.Input scales"
            )
        return Injection(), neuron, None
    return _synapse(block), neuron, _bias(block)


def _neuron(block: Any) -> Neuron:
    neuron = block.neuron
    if isinstance(neuron, slayer_neuron.cuba.Neuron):
        if neuron.graded_spike:
            raise ValueError("CUBA with graded_spike=True: expected False, NetX has binary LIF neurons only")
        if not neuron.shared_param and neuron.shape is None:
            raise ValueError("CUBA with decays per neuron, which SLAYER draws in the first pass: run the network once")
        return LIF(vth=neuron.v_th_mant, du=neuron.cx_current_decay - 1, dv=neuron.cx_voltage_decay)
    if isinstance(neuron, slayer_neuron.sigma_delta.Neuron):
        if neuron.bias_is_set:
            raise ValueError("a bias set in a sigma-delta neuron: NetX does not read it")
        if isinstance(block, slayer.AbstractInput):
            return Delta(neuron.v_th_mant)
        if neuron.activation not in (torch.relu, nn.functional.relu):
            raise ValueError(
                f"sigma-delta activation {neuron.activation!r}: expected torch.relu, the only one that NetX has"
            )
        return SigmaDelta(neuron.v_th_mant)
    raise ValueError(f"SLAYER neuron {type(neuron).__module__}.{type(neuron).__name__}: expected CUBA or sigma-delta")


def _synapse(block: Any) -> Synapse:
    synapse = block.synapse
    if synapse.complex:
        raise ValueError("a complex synapse: expected a real one")
    weight = synapse.weight
    if synapse.weight_norm_enabled:
        weight = torch._weight_norm(synapse.weight_v, synapse.weight_g, 0)
    if getattr(block, "mask", None) is not None:
        weight = weight * block.mask
    if synapse.pre_hook_fx is None:
        raise ValueError("a synapse without quantization (pre_hook_fx=None): expected SLAYER's default, quantize_8bit")
    integers = int_array(synapse.pre_hook_fx(weight, descale=True).detach().cpu().numpy(), "weight")
    if isinstance(block, slayer.AbstractDense):
        return Dense(integers.reshape(len(integers), -1))
    geometry = {key: tuple(getattr(synapse, key)[:2]) for key in ("stride", "padding", "dilation")}
    return Conv(integers[..., 0], groups=synapse.groups, **geometry)


def _bias(block: Any) -> IntArray | None:
    """NetX reads a norm as a bias: right for a mean-only norm, wrong for one that also scales."""
    norm = getattr(block.neuron, "norm", None)
    if norm is None:
        return None
    if not isinstance(norm, MeanOnlyBatchNorm):
        raise ValueError(
            f"norm {type(norm).__name__}: expected none or MeanOnlyBatchNorm, NetX drops the scale of others"
        )
    bias = norm.bias.detach().cpu().numpy().reshape(-1)
    channels = block.synapse.out_channels
    return int_array(np.broadcast_to(bias, (channels,)), "bias")
