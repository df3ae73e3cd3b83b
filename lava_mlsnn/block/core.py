"""The core of all blocks: connections (synapse and batch norm), whose currents are summed, and one neuron.

Time is the last axis, as in SLAYER; for synapse and norm it is folded into the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..graph.graph import Layer
from ..graph.neurons import NEURONS, Neuron
from ..helpers.check import IntArray, Shape, int_array, positive_ints
from ..neuron import Barrier, GradedNeuron
from .integer import Dyadic, Quantization, power_of_two, quantize, round_through
from .norm import BNTT
from .signal import Signal

RELU = "a ReLU (ANN twin) sends no spikes: expected neuron.MultiLevel or neuron.ATIF; export the spiking network"
"""Why a block of the ANN twin has no integer layer."""


def fold_time(x: Tensor) -> tuple[Tensor, int]:
    """(N, ..., T) -> (N T, ...) and T; an image repeated by ``expand`` gives (N, ...) and 1, as each step is the same.

    >>> fold_time(torch.zeros(2, 3, 8, 8, 4))[0].shape, fold_time(torch.zeros(2, 3, 1).expand(2, 3, 4))[1]
    (torch.Size([8, 3, 8, 8]), 1)
    """
    if x.shape[-1] > 1 and x.stride(-1) == 0:
        x = x[..., :1]
    return x.movedim(-1, 1).flatten(0, 1), x.shape[-1]


def unfold_time(y: Tensor, steps: int) -> Tensor:
    """(N T, ...) -> (N, ..., T)."""
    return y.unflatten(0, (-1, steps)).movedim(1, -1)


class Connection(nn.Module):
    """One synapse and the batch norm that follows it.

    Args:
        synapse: nn.Conv2d, nn.Linear, or nn.Identity (residual spikes put into a dendrite as they are).
        norm: batch norm of the current, or None; :class:`BNTT` has one per timestep, which only :class:`Leaky` blocks
            can quantize.
        gain: factor of the current, for residual spikes that enter a membrane with a weight.

    Raises:
        ValueError: another synapse, or a convolution with padding other than zeros.

    Shape:
        (N, C, H, W, T) -> (N, C', H', W', T); a linear synapse also reads (N, features, T) and gives (N, features', T).
    """

    def __init__(
        self, synapse: nn.Module, norm: nn.BatchNorm2d | nn.BatchNorm1d | BNTT | None = None, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.gain = gain
        if not isinstance(synapse, (nn.Conv2d, nn.Linear, nn.Identity)):
            raise ValueError(f"synapse {type(synapse).__name__}: expected nn.Conv2d, nn.Linear or nn.Identity")
        if isinstance(synapse, nn.Conv2d) and (isinstance(synapse.padding, str) or synapse.padding_mode != "zeros"):
            raise ValueError(
                f"convolution padding {synapse.padding!r}, {synapse.padding_mode!r}: expected zeros, in numbers"
            )
        self.synapse = synapse
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.norm, BNTT):  # it sees the timesteps
            return self.norm(self._over_time(x, self.synapse)) * self.gain
        y = self._over_time(x, lambda y: self._normed(self.synapse(y)))
        return y if self.gain == 1 else y * self.gain

    def apply_weight(self, x: Tensor, weight: Tensor) -> Tensor:
        """The synapse alone, without bias and norm, with another weight."""
        synapse = self.synapse
        if isinstance(synapse, nn.Conv2d):
            return self._over_time(x, lambda y: synapse._conv_forward(y, weight, None))
        if isinstance(synapse, nn.Linear):
            return self._over_time(x, lambda y: nn.functional.linear(y, weight))
        return x * weight.reshape(-1, *[1] * (x.ndim - 2))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution or linear map, with the running statistics of its batch norm folded in.

        Shape:
            weight (C, ...); bias (C,).
        """
        weight: Tensor = self.synapse.weight  # type: ignore[assignment]
        bias: Tensor | None = self.synapse.bias  # type: ignore[assignment]
        if self.norm is None:
            return weight, weight.new_zeros(len(weight)) if bias is None else bias
        if isinstance(self.norm, BNTT) or self.gain != 1:
            raise ValueError("a norm per timestep, or a gain: expected a block.Leaky, whose neurons scale each step")
        mean, variance = self.norm.running_mean, self.norm.running_var
        if mean is None or variance is None:
            raise ValueError("a batch norm without running statistics cannot be folded: expected track_running_stats")
        gain = torch.rsqrt(variance + self.norm.eps)
        if self.norm.weight is not None:
            gain = gain * self.norm.weight
        shift = -mean if bias is None else bias - mean
        shift = shift * gain
        if self.norm.bias is not None:
            shift = shift + self.norm.bias
        return weight * gain.reshape(-1, *[1] * (weight.ndim - 1)), shift

    def out_shape(self, shape: Shape) -> Shape:
        """Shape (C, H, W) of the current; ValueError if the input does not fit."""
        synapse = self.synapse
        if isinstance(synapse, nn.Identity):
            return shape
        if isinstance(synapse, nn.Linear):
            features = shape[0] * shape[1] * shape[2]
            if features != synapse.in_features:
                raise ValueError(f"expected {synapse.in_features} input features, got {shape}, which are {features}")
            return synapse.out_features, 1, 1
        assert isinstance(synapse, nn.Conv2d)
        if shape[0] != synapse.in_channels:
            raise ValueError(f"expected {synapse.in_channels} input channels, got {shape[0]} (shape {shape})")
        padding = positive_ints(synapse.padding, "padding", 2, 0)
        height, width = (
            (shape[1 + i] + 2 * padding[i] - synapse.dilation[i] * (synapse.kernel_size[i] - 1) - 1)
            // synapse.stride[i]
            + 1
            for i in (0, 1)
        )
        if min(height, width) < 1:
            raise ValueError(f"kernel {synapse.kernel_size} is larger than its input of shape {shape}")
        return synapse.out_channels, height, width

    def _normed(self, y: Tensor) -> Tensor:
        return y if self.norm is None else self.norm(y)

    def _over_time(self, x: Tensor, function: Any) -> Tensor:
        if isinstance(self.synapse, nn.Identity):
            return x
        steps = x.shape[-1]
        y, folded = fold_time(x)
        if isinstance(self.synapse, nn.Linear) and y.ndim > 2:
            y = y.flatten(1)
        out = unfold_time(function(y), folded)
        return out if folded == steps else out.expand(*out.shape[:-1], steps)


class _Connections(nn.ModuleList):
    """A list of connections, so that their type is known."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[Connection]: ...


class Block(nn.Module):
    """Connections, one per input, whose currents are summed, and a neuron.

    In float mode it computes neuron(sum of norm(synapse(x))) on spikes z / N. In quantized mode
    (:func:`lava_mlsnn.block.quantized`) it computes the integer network: see :mod:`lava_mlsnn.block.integer`.

    Args:
        connections: one per input.
        neuron: a module of (N, C, ..., T), usually :class:`lava_mlsnn.neuron.MultiLevel` or
            :class:`lava_mlsnn.neuron.ATIF`; torch.nn.ReLU makes the ANN twin; None returns the current.
    """

    several = False
    """Whether it becomes several integer layers, those of :meth:`layers`."""

    def __init__(self, connections: Iterable[Connection], neuron: nn.Module | None) -> None:
        super().__init__()
        self.connections = _Connections(connections)
        self.neuron = neuron
        self.quantization: Quantization | None = None
        self.anchor: Tensor
        self.register_buffer("anchor", torch.zeros(()), persistent=False)  # follows device and dtype

    @property
    def synapse(self) -> nn.Module:
        """The synapse of the first connection."""
        return next(iter(self.connections)).synapse

    @property
    def norm(self) -> nn.Module | None:
        """The batch norm of the first connection."""
        return next(iter(self.connections)).norm

    def forward(self, *inputs: Tensor) -> Tensor:
        if len(inputs) != len(self.connections):
            raise ValueError(f"expected {len(self.connections)} inputs, one per connection, got {len(inputs)}")
        if self.quantization is not None:
            return self.integer_forward(inputs, self.quantization)
        current = reduce(add, [connection(x) for connection, x in zip(self.connections, inputs, strict=True)])
        return current if self.neuron is None else self.neuron(current)

    def integer_forward(self, inputs: tuple[Tensor, ...], q: Quantization) -> Tensor:
        """Integer spikes of integer inputs, as floating point numbers, with straight-through gradients."""
        neuron = spiking(self.neuron)
        with torch.autocast(inputs[0].device.type, enabled=False):
            neuron.clamp()
            dyadic = self.dyadic(q)
            charge = self.charge(inputs, dyadic)
            return neuron.fire_integers(charge, power_of_two(dyadic.exponent, charge.dtype))

    def charge(self, inputs: tuple[Tensor, ...], dyadic: Dyadic) -> Tensor:
        """Sum of the currents and the bias in units of the threshold, exact multiples of 2^-exponent."""
        with torch.backends.nnpack.flags(enabled=False):  # its Winograd transforms are not exact on integers
            currents = [
                connection.apply_weight(x, weight)
                for connection, x, weight in zip(self.connections, inputs, dyadic.weights, strict=True)
            ]
        current = reduce(add, currents)
        current = current + dyadic.bias.reshape(-1, *[1] * (current.ndim - 2))
        # cuDNN may choose Winograd transforms as well: what they lose is far below half a unit.
        return current if current.device.type == "cpu" else on_grid(current, dyadic.exponent)

    def layers(self, name: str, sources: tuple[str, ...], q: Quantization) -> tuple[Sequence[Layer], tuple[str, ...]]:
        """Of several: the integer layers, and those whose spikes are its output; ValueError as in :func:`quantize`."""
        raise NotImplementedError

    def layer_spikes(self, name: str, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Of several: integer spikes (N, C', H', W', T) of each of its layers, by the layer's name."""
        raise NotImplementedError

    def dyadic(self, q: Quantization) -> Dyadic:
        """Quantized weights and bias: what training's forward uses and what the exporter reads."""
        neuron = spiking(self.neuron)
        neuron.check_steps(q.steps)
        threshold = torch.as_tensor(neuron.threshold).to(self.anchor)
        gains = [neuron.levels / signal.levels / threshold for signal in q.inputs]
        return self.rounded(gains, neuron.levels / threshold, q, neuron.levels * neuron.reach, neuron.start)

    def rounded(
        self, gains: list[Tensor], bias_gain: Tensor, q: Quantization, ceiling: float, start: float = 0.0
    ) -> Dyadic:
        """Folded weights, times one gain per connection, and their folded bias, quantized."""
        self.check_dtype()
        folded = [None if isinstance(c.synapse, nn.Identity) else c.folded() for c in self.connections]
        channels = next((len(f[1]) for f in folded if f is not None), q.inputs[0].shape[0])
        weights, bias = [], self.anchor.new_zeros(channels)
        for f, gain in zip(folded, gains, strict=True):
            weights.append(gain.expand(channels) if f is None else f[0] * gain)
            bias = bias if f is None else bias + f[1]
        return quantize(weights, bias * bias_gain, q, ceiling, start)

    def check_dtype(self) -> None:
        """ValueError for parameters in 16 bits, which cannot hold the integers."""
        if self.anchor.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"quantized mode needs float32 or float64 parameters, got {self.anchor.dtype}")

    def out_shape(self, inputs: tuple[Signal, ...]) -> Shape:
        """Shape of the population; ValueError if the inputs do not fit the synapses or one another."""
        shapes = [c.out_shape(s.shape) for c, s in zip(self.connections, inputs, strict=True)]
        if len(set(shapes)) != 1:
            raise ValueError(f"its connections give currents of different shapes: {shapes}")
        return shapes[0]

    def signal(self, *inputs: Signal) -> Signal:
        """What this block sends when it receives ``inputs``; ValueError if it cannot be an integer layer."""
        neuron = spiking(self.neuron)
        return Signal(self.out_shape(inputs), float(neuron.levels), neuron.levels)

    def extra_repr(self) -> str:
        return "" if self.quantization is None else f"quantized to {self.quantization.weight_bits} bits"


def on_grid(current: Tensor, exponent: Tensor) -> Tensor:
    """Currents (N, C, ...) rounded to multiples of 2^-exponent, with a straight-through gradient.

    >>> on_grid(torch.tensor([[0.49, 0.7501]]), torch.tensor([1, 2]))
    tensor([[0.5000, 0.7500]])
    """
    unit = power_of_two(exponent, current.dtype).reshape(-1, *[1] * (current.ndim - 2))
    return round_through(current * unit) / unit


def integer_neuron(neuron: GradedNeuron, exponent: Tensor, steps: int, bias: Tensor) -> tuple[Neuron, IntArray]:
    """The neuron whose potential of 2^exponent, per channel or layer, is one threshold in training, and its bias.

    Of a single step, what V is before it is part of the bias.
    """
    unit = power_of_two(exponent, torch.float32)
    kind, parameters = neuron.integer_form(unit, steps)
    start = neuron.resting(unit).long().cpu() if steps == 1 else 0
    return NEURONS[kind](**parameters), int_array((bias + start).numpy(), "bias")


def spiking(neuron: nn.Module | None) -> GradedNeuron:
    """``neuron`` if integer layers have it.

    Raises:
        ValueError: any other neuron; says why it has none and what would be accepted.
    """
    if isinstance(neuron, GradedNeuron) and not isinstance(neuron, Barrier):
        return neuron
    if isinstance(neuron, nn.ReLU):
        raise ValueError(RELU)
    if neuron is None:
        raise ValueError(
            "a block without neuron passes on membrane potentials, not spikes (the MS-ResNet residual does): "
            "expected a neuron; the sew_, sparse_ and spiking_ residual forms are event based"
        )
    raise ValueError(f"neuron {type(neuron).__name__}: expected neuron.MultiLevel or neuron.ATIF")
