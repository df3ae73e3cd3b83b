r"""Blocks of S-ResNet ([VicenteSola2022]): leaky neurons with soft reset after a norm that may differ from step to
step.

The integer network keeps convolution and norm apart, since a norm per timestep cannot be folded into weights:

.. math::
    a = \sum_i w_i z_i, \quad x_t = \big((a\, m_t + \lfloor 2^s / 2 \rfloor) >> s\big) + o_t, \quad
    H = D(V) + x_t, \quad z = A\,[H > \theta]

With :math:`w_{int} = \mathrm{round}(w 2^e)` per channel, inputs worth :math:`1 / L` and a membrane in steps of
:math:`V_{th} 2^{-E}`, the norm's gain g and shift h become :math:`m_t 2^{-s} \approx g_t 2^{E - e} / (L V_{th})`,
:math:`o_t = \mathrm{round}(h_t 2^E / V_{th})` and :math:`\theta = 2^E`. See :class:`lava_mlsnn.netx.SoftLIF`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..graph import neurons as netx
from ..graph.neurons import MAX_MANTISSA, MAX_SHIFT
from ..graph.spec import INT24_MAX
from ..helpers.check import integer
from ..neuron import SoftLIF
from ..neuron.leaky import whole_lif
from ..neuron.straight import straight_through
from .core import Block, Connection
from .integer import Quantization, floor_log2, power_of_two, round_through
from .norm import affine
from .signal import Signal

MEMBRANE_BITS = 12
"""Largest E: a membrane needs no finer steps than 1 / 4096 of the threshold."""

_MANTISSA_BITS = 15


@dataclass(frozen=True)
class Integers:
    """What the integer layer computes with: whole numbers in floating point, with gradients to the parameters.

    Args:
        weights: one per connection, multiples of 1 / ``up``, float.
        up: 2^e per channel, float64 (C,).
        scale, offset: m and o, float64 (C, T or 1).
        shift: s, int64 (C,).
        threshold: theta, float64 (C,); of a block without neuron what 1.0 is worth.
    """

    weights: tuple[Tensor, ...]
    up: Tensor
    scale: Tensor
    shift: Tensor
    offset: Tensor
    threshold: Tensor


class Leaky(Block):
    """Synapses, a norm that may differ from step to step, and leaky neurons with soft reset.

    Args:
        connections: one with any norm, or several without: residual spikes and currents that enter the membrane.
        neuron: :class:`lava_mlsnn.neuron.SoftLIF`; torch.nn.ReLU makes the ANN twin; None sends the normed current
            itself, in the integer network as a graded message (:class:`lava_mlsnn.netx.Rescale`).
        fraction: a spike, or a current of 1.0, is the integer 2^fraction: 0 for binary spikes, more for those that are
            added to currents and for currents themselves.
        bits: width of a current's message with its sign; what exceeds it is clipped in the integer network.

    Shape:
        inputs (N, C, H, W, T), one per connection -> (N, C', H', W', T).

    Raises:
        ValueError: a norm beside other connections, or another neuron.

    Example:
        >>> from lava_mlsnn.block import BNTT
        >>> conv = Connection(nn.Conv2d(3, 8, 3, bias=False), BNTT(8, steps=4))
        >>> Leaky([conv], SoftLIF(leak=0.9))(torch.rand(2, 3, 8, 8, 4)).shape
        torch.Size([2, 8, 6, 6, 4])
    """

    def __init__(
        self, connections: Iterable[Connection], neuron: nn.Module | None, fraction: int = 0, bits: int = 8
    ) -> None:
        super().__init__(connections, neuron)
        self.fraction, self.bits = integer(fraction, "fraction", 0, 14), integer(bits, "bits", 2, 24)
        if len(self.connections) > 1 and any(c.norm is not None for c in self.connections):
            raise ValueError("a norm beside other connections: expected one connection, or several without norm")
        if not (neuron is None or isinstance(neuron, (SoftLIF, nn.ReLU))):
            raise ValueError(f"neuron {type(neuron).__name__}: expected neuron.SoftLIF, torch.nn.ReLU or None")

    @property
    def limit(self) -> int:
        """Largest message of a current."""
        return 2 ** (self.bits - 1) - 1

    def integer_forward(self, inputs: tuple[Tensor, ...], q: Quantization) -> Tensor:
        """Integer spikes or messages of integer inputs, as floating point numbers."""
        n = self.integers(q)
        x, dtype = self.drive(inputs, n), inputs[0].dtype
        if self.neuron is None:
            return x.clamp(-self.limit, self.limit).to(dtype)
        neuron = leaky(self.neuron)
        keep = round_through(torch.as_tensor(neuron.leak(), dtype=torch.float64, device=x.device) * 4096)
        theta = n.threshold.reshape(-1, *[1] * (x.ndim - 3))
        z = whole_lif(x, keep, theta, neuron.vth / theta, neuron.surrogate, neuron.alpha, neuron.strict)
        return (z * 2**self.fraction).to(dtype)

    def drive(self, inputs: tuple[Tensor, ...], n: Integers) -> Tensor:
        """x of the integer neurons, whole numbers in float64."""
        with torch.autocast(inputs[0].device.type, enabled=False), torch.backends.nnpack.flags(enabled=False):
            currents = [c.apply_weight(x, w) for c, x, w in zip(self.connections, inputs, n.weights, strict=True)]
        current = reduce(add, currents)
        shape = (-1, *[1] * (current.ndim - 3))
        rows = (*shape, n.scale.shape[1])
        steps = current.shape[-1]
        a = round_through(current.double() * n.up.reshape(*shape, 1))
        unit, scale, offset = 2.0**n.shift, n.scale.reshape(rows)[..., :steps], n.offset.reshape(rows)[..., :steps]
        half = (unit / 2).floor()
        product = (a * scale + half.reshape(*shape, 1)) / unit.reshape(*shape, 1)
        return straight_through(torch.floor, product) + offset

    def integers(self, q: Quantization) -> Integers:
        """Quantized weights, norms and thresholds: what training's forward uses and what the exporter reads."""
        self.check_dtype()
        weights, gain, shift, up = self._synapses(q)
        vth = 1.0 if self.neuron is None else leaky(self.neuron).vth
        largest = sum(
            w.detach().abs().flatten(1).sum(1) * signal.bound if w.ndim > 1 else w.detach().abs() * signal.bound
            for w, signal in zip(weights, q.inputs, strict=True)
        )
        gain, shift = gain.double()[:, : q.steps] / vth, shift.double()[:, : q.steps] / vth
        if gain.shape[1] not in (1, q.steps):
            raise ValueError(f"a norm of {gain.shape[1]} timesteps for T = {q.steps}: expected at least T")
        fine = self._membrane(torch.as_tensor(largest).double(), gain.detach(), shift.detach(), q.steps)
        wanted = gain * (fine / up)[:, None]
        places = (_MANTISSA_BITS - 1 - floor_log2(wanted.detach().abs().amax(1))).clamp(0, MAX_SHIFT)
        scale = round_through(wanted * (2.0**places)[:, None]).clamp(-MAX_MANTISSA, MAX_MANTISSA)
        offset = round_through(shift * fine[:, None])
        return Integers(tuple(weights), up, *_same_width(scale, offset, places), fine)

    def _synapses(self, q: Quantization) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        """Weights on their grid for inputs as integers, the norm's gain and shift, and 2^e."""
        first = next(iter(self.connections))
        if isinstance(first.synapse, nn.Identity):
            both = zip(self.connections, q.inputs, strict=True)
            weights = [torch.full_like(self.anchor, c.gain / signal.levels) for c, signal in both]
            if not all(isinstance(c.synapse, nn.Identity) for c in self.connections):
                raise ValueError("synapses and identities in one leaky block: expected one kind")
            exponent = floor_log2(q.weight_max / torch.stack(weights).max())
            up = 2.0 ** exponent.double()
            channels = q.inputs[0].shape[0]
            grid = [torch.round(w * up).to(w.dtype) / up.to(w.dtype) for w in weights]
            gain, shift = affine(None, channels, self.anchor)
            return [w.expand(channels) for w in grid], gain, shift, up.expand(channels)
        if len(self.connections) > 1:
            raise ValueError("several synapses in one leaky block: expected one, or several identities")
        weight: Tensor = first.synapse.weight
        bias: Tensor | None = first.synapse.bias
        gain, shift = affine(first.norm, len(weight), self.anchor)
        if bias is not None:
            shift = shift + gain * bias[:, None]
        signal, flat = q.inputs[0], weight.detach().flatten(1)
        room = INT24_MAX - 0.5 * signal.bound * flat.shape[1]
        if room <= 0:
            raise ValueError(f"a fan-in of {flat.shape[1]} inputs of up to {signal.bound}: one sum can pass 2^23")
        tiny = 2.0**-64
        exponent = torch.minimum(
            floor_log2(q.weight_max / flat.abs().amax(1).clamp(min=tiny)),
            floor_log2(room / (flat.abs().sum(1) * signal.bound).clamp(min=tiny)),
        ).clamp(-20, 20)
        if not q.per_channel:
            exponent = exponent.min().expand(len(weight))
        up = power_of_two(exponent, weight.dtype).reshape(-1, *[1] * (weight.ndim - 1))
        on_grid = round_through(weight * up).clamp(-q.weight_max, q.weight_max) / up
        return [on_grid], gain * first.gain / signal.levels, shift * first.gain, 2.0 ** exponent.double()

    def _membrane(self, largest: Tensor, gain: Tensor, shift: Tensor, steps: int) -> Tensor:
        """2^E: how many integers make one threshold (without neuron: 1.0), as many as the membrane holds."""
        if self.neuron is None:
            return torch.full_like(largest, 2.0**self.fraction)
        leak = leaky(self.neuron).leak.value
        current = (largest[:, None] * gain.abs() + shift.abs()).expand(-1, steps)
        h = high = torch.ones_like(largest)
        for t in range(steps):
            h = h * leak + current[:, t]
            high = torch.maximum(high, h)
        return 2.0 ** floor_log2(0.98 * INT24_MAX / high).clamp(0, MEMBRANE_BITS)

    def exported(self, q: Quantization) -> tuple[list[np.ndarray[Any, Any]], netx.Neuron]:
        """Integer weights per connection, and the neuron of the NetGraph."""
        n = self.integers(q)

        def whole(x: Tensor) -> np.ndarray[Any, Any]:
            return x.detach().round().long().cpu().numpy()

        weights = [whole(w.double() * n.up.reshape(-1, *[1] * (w.ndim - 1))) for w in n.weights]
        tables = whole(n.scale), whole(n.shift), whole(n.offset)
        if self.neuron is None:
            return weights, netx.Rescale(*tables, limit=self.limit)
        neuron = leaky(self.neuron)
        spike = 2**self.fraction
        return weights, netx.SoftLIF(*tables, whole(n.threshold), 4096 - neuron.keep, spike, int(neuron.strict))

    def signal(self, *inputs: Signal) -> Signal:
        """Spikes of 2^fraction, or currents in steps of 2^-fraction."""
        if self.neuron is not None:
            leaky(self.neuron)
        unit, signed = 2**self.fraction, self.neuron is None
        return Signal(self.out_shape(inputs), unit, self.limit if signed else unit, signed=signed)

    def extra_repr(self) -> str:
        what = f"fraction={self.fraction}" + (f", bits={self.bits}" if self.neuron is None else "")
        return ", ".join(text for text in (what, super().extra_repr()) if text)


def leaky(neuron: nn.Module | None) -> SoftLIF:
    """``neuron`` if an integer layer has it; ValueError otherwise."""
    if isinstance(neuron, SoftLIF):
        return neuron
    raise ValueError(
        f"neuron {type(neuron).__name__} of a leaky block: expected neuron.SoftLIF; the ANN twin sends no spikes"
    )


def _same_width(scale: Tensor, offset: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scale, shift and offset, both tables with as many steps."""
    columns = max(scale.shape[1], offset.shape[1])
    return scale.expand(-1, columns), shift, offset.expand(-1, columns)
