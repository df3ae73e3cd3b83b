"""From torch to the NetGraph: ``netx.quantize``.

The integers come from :mod:`lava_mlsnn.block.integer`, which the network's quantized forward uses, too: the graph
computes what the network computed in training.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..graph import neurons as netx
from ..graph.graph import INPUT, Connection, Layer, NetGraph
from ..graph.synapses import Conv, Dense, Identity, Synapse
from ..helpers.check import IntArray, flag, int_array, texts
from .add import Add
from .core import Block, integer_neuron
from .dense import Readout
from .input import Input
from .integer import Quantization
from .leaky import Leaky
from .mode import as_integers, quantization_of
from .plan import Step, plan
from .pool import Pool
from .stock import is_stock, shifted, shifts, stock_layer


def quantize(
    net: nn.Module,
    weight_bits: int | None = None,
    *,
    per_channel: bool = True,
    labels: Sequence[str] = (),
    delay_shift: bool = True,
) -> NetGraph:
    """The integer network of a torch network.

    A network trained with floats is quantized here; one in quantized mode (:func:`lava_mlsnn.block.quantized`) is
    exported as it is, and its forward and the graph agree spike by spike. ``net`` is not changed.

    Args:
        net: starts with :class:`lava_mlsnn.block.Input`; blocks and sums of their spikes, ours or stock SLAYER's.
        weight_bits: 2 .. 8; default is that of the quantized mode, else 8.
        per_channel: one power of two per channel or, if False, per layer; a network in quantized mode keeps its own.
        labels: class names.
        delay_shift: behind a stock SLAYER block with ``delay_shift=True``, its default, a layer of
            :class:`~lava_mlsnn.netx.Late` neurons sends the spikes a step later, as in torch; it is called
            ``NAME.shift``. False leaves it out, as SLAYER's own export does, for stock NetX, which has no such neurons.

    Returns:
        A graph whose layers have the names of the network's modules.

    Raises:
        ValueError: a layer without integer counterpart (max pooling of graded spikes, membrane residuals, ReLU), values
            that do not fit the membrane, parameters or variances that are not finite, or bits other than those of
            training; names the layer and what would be accepted.

    Warns:
        UserWarning: stock SLAYER blocks with ``delay_shift=True`` that are exported without it.

    Example:
        >>> from torch import nn
        >>> from lava_mlsnn.block import Conv, Input, Readout
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> net = nn.Sequential(Input((1, 8, 8)), Conv(1, 4, 3, neuron=MultiLevel(levels=4)), Readout(144, 10))
        >>> [(layer.name, layer.shape, layer.neuron.kind) for layer in quantize(net)]
        [('1', (4, 6, 6), 'multilevel'), ('2', (10, 1, 1), 'readout')]
    """
    if not isinstance(net, nn.Module):
        raise ValueError(f"quantize: expected a torch.nn.Module, got {type(net).__name__}")
    mode = quantization_of(net)
    if mode is not None and weight_bits not in (None, mode.weight_bits):
        raise ValueError(
            f"weight_bits: the network is in quantized mode with {mode.weight_bits} bits, got {weight_bits}"
        )
    for name, tensor in net.state_dict().items():
        if not bool(tensor.isfinite().all()):
            layer, _, what = name.partition(".connections.") if ".connections." in name else name.rpartition(".")
            raise ValueError(
                f"layer {layer!r}: its {what} is not finite: expected a network whose training did not diverge"
            )
    with torch.no_grad(), as_integers(net, 8 if weight_bits is None else weight_bits, per_channel=per_channel):
        steps = plan(net)
        if not flag(delay_shift, "delay_shift"):
            _warn_of_shifts(steps)
        graph = _Builder(steps, delay_shift)
        for step in steps:
            graph.add(step)
        return graph.build(texts(labels, "labels"))


def _warn_of_shifts(steps: list[Step]) -> None:
    """UserWarning for stock blocks that delay their spikes in torch, which a layer of the graph does not."""
    late = [step.name for step in steps if shifts(step.module)]
    if late and cast(Input, steps[0].module).steps > 1:
        warnings.warn(
            f"SLAYER blocks {', '.join(map(repr, late))} with delay_shift=True, exported with delay_shift=False: in "
            "torch their spikes come a timestep late and those of the last step are lost; in the graph every layer "
            "sees step t of a sample at its own t, so that labels can differ: train with delay_shift=False",
            UserWarning,
            stacklevel=3,
        )


class _Builder:
    """Turns the steps of a plan into layers."""

    def __init__(self, steps: list[Step], delay_shift: bool) -> None:
        self.delay_shift = delay_shift
        self.steps = {step.name: step for step in steps}
        self.input = cast(Input, steps[0].module)
        self.sources: dict[str, tuple[str, ...]] = {}
        self.layers: list[Layer] = []

    def add(self, step: Step) -> None:
        """Record which layers' spikes the step carries and, if it is a layer, build it."""
        if isinstance(step.module, Input):
            self.sources[step.name] = (INPUT,)
        elif isinstance(step.module, Block) and step.module.several:
            self._several(step, step.module)
        elif not step.is_layer:
            self.sources[step.name] = self._summed(step)
        else:
            try:
                self.layers.append(self._layer(step))
            except ValueError as error:
                raise ValueError(_named(step.name, error)) from None
            self.sources[step.name] = (step.name,)
            if self.delay_shift and shifts(step.module):
                late = shifted(step.name)
                passed = Connection((step.name,), Identity())
                self.layers.append(Layer(late, (passed,), step.output.shape, netx.Late()))
                self.sources[step.name] = (late,)

    def _several(self, step: Step, block: Block) -> None:
        mode = block.quantization
        assert mode is not None, "as_integers sets it"
        try:
            layers, self.sources[step.name] = block.layers(step.name, self.sources[step.sources[0]], mode)
        except ValueError as error:
            raise ValueError(_named(step.name, error)) from None
        self.layers += layers

    def build(self, labels: tuple[str, ...]) -> NetGraph:
        """The graph; ValueError if it ends in a sum or contains no layer."""
        last = next(reversed(self.steps.values()))
        if not self.layers or self.layers[-1].name not in (last.name, shifted(last.name)):
            raise ValueError(
                f"the network ends in {last.name!r}, which is no layer: expected a readout or a block with neuron"
            )
        return NetGraph(self.input.netx, tuple(self.layers), self.input.steps, labels)

    def _summed(self, step: Step) -> tuple[str, ...]:
        names = [name for source in step.sources for name in self.sources[source]]
        if len(set(names)) != len(names):
            raise ValueError(
                f"layer {step.name!r}: a sum counts {max(names, key=names.count)!r} twice: expected different layers"
            )
        return tuple(names)

    def _layer(self, step: Step) -> Layer:
        module = step.module
        sources = [self.sources[name] for name in step.sources]
        bias: IntArray | None = None
        neuron: netx.Neuron
        if isinstance(module, Add):
            connections = [Connection(self._summed(step), Identity())]
            neuron = netx.Barrier(module.barrier.levels)
        elif isinstance(module, Pool):
            synapse, neuron = module.layer(step.inputs[0])
            connections = [Connection(sources[0], synapse)]
        elif is_stock(cast(nn.Module, module)):
            synapse, neuron, bias = stock_layer(cast(nn.Module, module))
            connections = [Connection(sources[0], synapse)]
        else:
            return self._block(step, cast(Block, module), sources)
        return Layer(step.name, tuple(connections), step.output.shape, neuron, bias)

    def _block(self, step: Step, block: Block, sources: list[tuple[str, ...]]) -> Layer:
        mode = block.quantization
        assert mode is not None, "as_integers sets it"
        if isinstance(block, Leaky):
            return self._leaky(step, block, sources, mode)
        weights, bias, exponent = block.dyadic(mode).checked(mode)
        connections = []
        for names, connection, weight, source in zip(sources, block.connections, weights, step.sources, strict=True):
            synapse = _synapse(cast(Any, connection).synapse, weight.numpy())
            connections.append(Connection(names, self._unpooled(synapse, source)))
        neuron: netx.Neuron
        if isinstance(block, Readout):
            neuron = netx.Readout(2.0 ** -int(exponent) / step.inputs[0].levels)
            biases = int_array(bias.numpy(), "bias")
        else:
            neuron, biases = integer_neuron(cast(Any, block.neuron), exponent, mode.steps, bias)
        return Layer(step.name, tuple(connections), step.output.shape, neuron, biases)

    def _leaky(self, step: Step, block: Leaky, sources: list[tuple[str, ...]], mode: Quantization) -> Layer:
        weights, neuron = block.exported(mode)
        synapses = [_synapse(cast(Any, c).synapse, w) for c, w in zip(block.connections, weights, strict=True)]
        connections = [Connection(names, synapse) for names, synapse in zip(sources, synapses, strict=True)]
        return Layer(step.name, tuple(connections), step.output.shape, neuron)

    def _unpooled(self, synapse: Synapse, source: str) -> Synapse:
        """The weights of a readout, repeated over the sites of a pool that is folded into it."""
        step = self.steps[source]
        while step.is_flatten:
            step = self.steps[step.sources[0]]
        if not step.folded or not isinstance(synapse, Dense):
            return synapse
        kernel, _ = cast(Pool, step.module).sizes(step.inputs[0].shape)
        weight = synapse.weight.reshape(-1, *step.output.shape).repeat(kernel[0], axis=2).repeat(kernel[1], axis=3)
        return Dense(weight.reshape(len(weight), -1))


def _synapse(module: nn.Module, weight: np.ndarray[Any, Any]) -> Synapse:
    if isinstance(module, nn.Conv2d):
        stride, padding, dilation = (cast(Any, x) for x in (module.stride, module.padding, module.dilation))
        return Conv(weight, stride, padding, dilation, module.groups)
    if isinstance(module, nn.Linear):
        return Dense(weight)
    return Identity(weight if len(np.unique(weight)) > 1 else weight.flat[0])


def _named(name: str, error: ValueError) -> str:
    return str(error) if str(error).startswith("layer ") else f"layer {name!r}: {error}"
