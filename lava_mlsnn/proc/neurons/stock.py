"""From the neurons of a layer to a Lava Process: Lava's own where it computes the same integers, else a Population."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from lava.proc.lif.process import LIF, LIFReset
from lava.proc.sdn.process import Delta, Sigma, SigmaDelta

from lava_mlsnn.graph import neurons
from lava_mlsnn.graph.graph import Layer
from lava_mlsnn.proc.neurons.process import population
from lava_mlsnn.proc.ports import PortShape, to_port
from lava_mlsnn.proc.timing import Resets


def neuron_process(layer: Layer, shape: PortShape, resets: Resets, period: int) -> Any:
    """The Lava Process of a layer's neurons, with ports ``a_in`` and ``s_out`` of ``shape``.

    Args:
        layer: of the graph.
        shape: of its ports.
        resets: when the layer resets and starts.
        period: T, for parameters that differ from step to step.
    """
    neuron, bias = layer.neuron, layer.bias
    if bias is not None and bias.ndim == 3:
        bias = to_port(bias, shape)
    process = stock_process(neuron, shape, bias, resets, layer.name)
    if process is not None:
        return process
    timing = resets.gated if neuron.gated else resets.arguments
    return population(neuron)(shape=shape, neuron=neuron, period=period, bias=bias, name=layer.name, **timing)


def check_bias(layer: str, bias: Any, otherwise: str = "") -> None:
    """Lava's LIF keeps ``bias_mant`` in 16 bits and would silently wrap a larger one.

    Raises:
        ValueError: it does not fit; names the layer and the values.
    """
    limits, bias = np.iinfo(np.int16), np.asarray(bias)
    if bias.min() < limits.min or bias.max() > limits.max:
        raise ValueError(
            f"layer {layer!r}: the bias of Lava's LIF has 16 bits, got {bias.min()} .. {bias.max()}{otherwise}"
        )


@singledispatch
def stock_process(neuron: neurons.Neuron, shape: PortShape, bias: Any, resets: Resets, name: str) -> Any:
    """Lava's own Process for these neurons, None if there is none."""
    return None


@stock_process.register
def _lif(neuron: neurons.LIF, shape: PortShape, bias: Any, resets: Resets, name: str) -> Any:
    params: dict[str, Any] = {"shape": shape, "vth": neuron.vth, "du": neuron.du, "dv": neuron.dv, "name": name}
    params["bias_exp"] = neuron.bias_exp
    if bias is not None:
        check_bias(name, bias, "; the fused network (fused=True) computes it")
        params["bias_mant"] = np.broadcast_to(bias, shape).copy()
    return LIF(**params) if resets.interval is None else LIFReset(**params, **resets.arguments)


def _is_released(neuron: neurons.Delta | neurons.SigmaDelta, resets: Resets) -> bool:
    """Whether Lava's sigma-delta Processes, which have no reset and one model, compute the same."""
    return resets.interval is None and neuron.model == "released"


def _exponents(neuron: neurons.Delta | neurons.SigmaDelta) -> dict[str, int]:
    return {"vth": neuron.vth, "spike_exp": neuron.spike_exp, "state_exp": neuron.state_exp}


@stock_process.register
def _delta(neuron: neurons.Delta, shape: PortShape, bias: Any, resets: Resets, name: str) -> Any:
    return Delta(shape=shape, **_exponents(neuron)) if _is_released(neuron, resets) else None


@stock_process.register
def _sigma_delta(neuron: neurons.SigmaDelta, shape: PortShape, bias: Any, resets: Resets, name: str) -> Any:
    if not _is_released(neuron, resets):
        return None
    whole = 0 if bias is None else np.broadcast_to(bias, shape).copy()
    return SigmaDelta(shape=shape, **_exponents(neuron), bias=whole)


@stock_process.register
def _sigma(neuron: neurons.Sigma, shape: PortShape, bias: Any, resets: Resets, name: str) -> Any:
    return Sigma(shape=shape) if resets.interval is None else None
