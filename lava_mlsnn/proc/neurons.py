"""From the neurons of a NetGraph to Lava's Processes: stock ones for stock neurons."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from lava.proc.lif.process import LIF, LIFReset
from lava.proc.sdn.process import Delta, Sigma, SigmaDelta

from lava_mlsnn import netx
from lava_mlsnn.proc.barrier.process import Barrier
from lava_mlsnn.proc.layout import PortShape, to_port
from lava_mlsnn.proc.multilevel.process import MultiLevel
from lava_mlsnn.proc.readout.process import Readout
from lava_mlsnn.proc.relay.process import Relay
from lava_mlsnn.proc.scheduled.process import Scheduled, Staircase
from lava_mlsnn.proc.sdn.process import ResetDelta, ResetSigma, ResetSigmaDelta
from lava_mlsnn.proc.soft_lif.process import Rescale, SoftLIF
from lava_mlsnn.proc.timing import Timing


def neuron_process(layer: netx.Layer, shape: PortShape, timing: Timing) -> Any:
    """The Lava Process of a layer's neurons, with ports ``a_in`` and ``s_out`` of ``shape``."""
    bias = layer.bias
    if bias is not None and bias.ndim == 3:
        bias = to_port(bias, shape)
    return _process(layer.neuron, shape, bias, timing, layer.name)


def check_bias(layer: str, bias: Any, otherwise: str = "") -> None:
    """Lava's LIF keeps ``bias_mant`` in 16 bits and would wrap a larger one without a word.

    Raises:
        ValueError: it does not fit; names the layer and the values.
    """
    limits, bias = np.iinfo(np.int16), np.asarray(bias)
    if bias.min() < limits.min or bias.max() > limits.max:
        raise ValueError(
            f"layer {layer!r}: the bias of Lava's LIF has 16 bits, got {bias.min()} .. {bias.max()}{otherwise}"
        )


@singledispatch
def _process(neuron: netx.Neuron, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    raise TypeError(f"layer {name!r}: no Process for a neuron of type {type(neuron).__name__}")


@_process.register
def _multilevel(neuron: netx.MultiLevel, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    given = {} if bias is None else {"bias": bias}
    return MultiLevel(shape=shape, threshold=neuron.threshold, levels=neuron.levels, name=name, **given, **timing.gated)


@_process.register
def _scheduled(neuron: netx.Scheduled, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    given = {} if bias is None else {"bias": bias}
    return Scheduled(shape=shape, neuron=neuron, name=name, **given, **timing.gated)


@_process.register
def _staircase(neuron: netx.Staircase, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    given = {} if bias is None else {"bias": bias}
    return Staircase(shape=shape, neuron=neuron, name=name, **given, **timing.gated)


@_process.register
def _barrier(neuron: netx.Barrier, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    return Barrier(shape=shape, levels=neuron.levels, name=name, **timing.gated)


@_process.register
def _relay(neuron: netx.Relay, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    return Relay(shape=shape, name=name, **({} if bias is None else {"bias": bias}), **timing.gated)


@_process.register
def _readout(neuron: netx.Readout, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    return Readout(shape=shape, name=name, **({} if bias is None else {"bias": bias}), **timing.gated)


@_process.register
def _soft_lif(neuron: netx.SoftLIF, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    return SoftLIF(shape=shape, neuron=neuron, period=timing.period, name=name, **timing.gated)


@_process.register
def _rescale(neuron: netx.Rescale, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    return Rescale(shape=shape, neuron=neuron, period=timing.period, name=name, **timing.gated)


@_process.register
def _lif(neuron: netx.LIF, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    params: dict[str, Any] = {"shape": shape, "vth": neuron.vth, "du": neuron.du, "dv": neuron.dv, "name": name}
    params["bias_exp"] = neuron.bias_exp
    if bias is not None:
        check_bias(name, bias, "; the fused network (fused=True) computes it")
        params["bias_mant"] = np.broadcast_to(bias, shape).copy()
    if timing.reset_interval is None:
        return LIF(**params)
    return LIFReset(**params, **timing.reset)


def _sdn(neuron: netx.Delta | netx.SigmaDelta, shape: PortShape) -> dict[str, Any]:
    return {"shape": shape, "vth": neuron.vth, "spike_exp": neuron.spike_exp, "state_exp": neuron.state_exp}


@_process.register
def _delta(neuron: netx.Delta, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    params = _sdn(neuron, shape)
    if timing.reset_interval is None and neuron.model == "released":
        return Delta(**params)
    return ResetDelta(**params, model=neuron.model, name=name, **timing.reset)


@_process.register
def _sigma_delta(neuron: netx.SigmaDelta, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    params = _sdn(neuron, shape)
    if timing.reset_interval is None and neuron.model == "released":
        whole = 0 if bias is None else np.broadcast_to(bias, shape).copy()
        return SigmaDelta(**params, bias=whole)
    given = {} if bias is None else {"bias": bias}
    return ResetSigmaDelta(**params, **given, model=neuron.model, name=name, **timing.reset)


@_process.register
def _sigma(neuron: netx.Sigma, shape: PortShape, bias: Any, timing: Timing, name: str) -> Any:
    if timing.reset_interval is None:
        return Sigma(shape=shape)
    return ResetSigma(shape=shape, name=name, **timing.reset)
