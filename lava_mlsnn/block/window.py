"""Convolutions in windows, in float mode and with integers ([Yao2023], section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..graph.graph import Layer
from ..graph.synapses import Conv as ConvSynapse
from ..graph.windows import WindowLayer, Windows, cover_name, group_name, window_name
from ..helpers.check import Shape, integer
from ..neuron import functional
from .conv import conv, identity
from .core import Block, Connection, on_grid, spiking
from .fusion import THETA, check_fusion
from .integer import Dyadic, Quantization
from .signal import Signal
from .windowed import Windowed, one_step


class Window(Windowed, Block):
    """A convolution, batch norm and neurons in windows: zeros surround each window, rows and columns are kept.

    Args:
        in_features, out_features: channels.
        kernel: odd; stride is 1 and the padding half of it.
        neuron, groups, dilated, fusion, theta, region: see :class:`Windowed`.
        norm: batch norm of the current, over all windows.

    With ``fusion`` "group" or "none" and a region threshold it becomes integer layers (see
    :mod:`lava_mlsnn.graph.windows`); other fusions have no integer counterpart.

    Example:
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> layer = Window(3, 8, neuron=MultiLevel(levels=4, threshold=0.5), dilated=True, fusion="group")
        >>> layer(torch.rand(2, 3, 8, 8, 1)).shape
        torch.Size([2, 8, 8, 8, 1])
    """

    several = True

    def __init__(
        self,
        in_features: int,
        out_features: int,
        kernel: int = 3,
        *,
        neuron: nn.Module | None,
        groups: int = 4,
        dilated: bool = False,
        fusion: str = "omega",
        theta: float = THETA,
        region: float | None = 0.1,
        norm: bool = True,
    ) -> None:
        if integer(kernel, "window kernel", 1) % 2 == 0:
            raise ValueError(f"window kernel: expected an odd number, as maps keep their size, got {kernel!r}")
        connections = [conv(in_features, out_features, kernel, 1, kernel // 2, norm=norm)]
        if fusion == "group" and groups > 1:
            connections.append(identity())  # what an earlier group's spike takes from the membrane
        super().__init__(connections, neuron)
        self.configure(groups, dilated, fusion, theta, region)

    @property
    def synapse_connection(self) -> Connection:
        """The convolution and its batch norm."""
        return next(iter(self.connections))

    @property
    def chained(self) -> bool:
        """Whether a group starts from the membrane that the preceding one left."""
        return len(self.connections) > 1

    def current(self, x: Tensor) -> Tensor:
        found: Tensor = self.synapse_connection(x.unsqueeze(-1)).squeeze(-1)
        return found

    def forward(self, *inputs: Tensor | None) -> Any:
        x = inputs[0]
        membrane = inputs[1] if len(inputs) > 1 else None
        if x is None or len(inputs) > 2 or (membrane is not None and not self.reads_layer):
            raise ValueError(f"a window block with fusion {self.fusion!r} got {len(inputs)} inputs")
        if self.quantization is not None:
            return self.integer_forward((x,), self.quantization)
        return self.float_forward(x, membrane)

    def integer_forward(self, inputs: tuple[Tensor, ...], q: Quantization) -> Tensor:
        spikes, _, windows = self.integer_spikes(inputs[0], q)
        return self.recomposed(spikes, windows, spiking(self.neuron).levels).unsqueeze(-1)

    def integer_spikes(self, x: Tensor, q: Quantization) -> tuple[Tensor, Tensor, Windows]:
        """Integer spikes of all groups, their inputs, and the windows.

        Shape:
            spikes and inputs: (groups, N, C, h, w).
        """
        neuron = spiking(self.neuron)
        maps = one_step(x)
        windows = self.windows(maps.shape)
        with torch.autocast(x.device.type, enabled=False):
            parts = self.parts(maps, windows)
            neuron.clamp()
            charges = self.charges(parts, self.dyadic(q))
            spikes: list[Tensor] = []
            left: Tensor | None = None
            for charge in charges:
                start = left if self.chained else None
                z, left = functional.fire(
                    charge, start, 1.0, neuron.levels, neuron.grad, neuron.sharpness, exact=neuron.exact
                )
                spikes.append(z.squeeze(-1))
        return torch.stack(spikes), parts, windows

    def charges(self, parts: Tensor, dyadic: Dyadic) -> Tensor:
        """Charge of each group in units of the threshold (groups, N, C', h, w, 1), multiples of 2^-exponent."""
        with torch.backends.nnpack.flags(enabled=False):  # its Winograd transforms are not exact on integers
            current = self.synapse_connection.apply_weight(parts.flatten(0, 1).unsqueeze(-1), dyadic.weights[0])
        current = current + dyadic.bias.reshape(-1, 1, 1, 1)
        current = current if current.device.type == "cpu" else on_grid(current, dyadic.exponent)
        return current.unflatten(0, (len(parts), -1))

    def specification(self, q: Quantization) -> Quantization:
        """``q`` for a membrane that accumulates the currents of all groups and is reset by their spikes."""
        if not self.chained:
            return q
        (x,) = q.inputs
        levels = spiking(self.neuron).levels
        return replace(q, steps=self.groups, inputs=(x, Signal(self.out_shape((x,)), float(levels), levels)))

    def dyadic(self, q: Quantization) -> Dyadic:
        """Quantized weights (including those of the identity that resets, if there is one) and bias."""
        neuron = spiking(self.neuron)
        threshold = torch.as_tensor(neuron.threshold).to(self.anchor)
        gains = [neuron.levels / q.inputs[0].levels / threshold]
        if self.chained:
            gains.append(-torch.ones_like(self.anchor))
        return self.rounded(gains, neuron.levels / threshold, self.specification(q), neuron.levels)

    def out_shape(self, inputs: tuple[Signal, ...]) -> Shape:
        self.windows(inputs[0].shape)
        return self.synapse_connection.out_shape(inputs[0].shape)

    def signal(self, *inputs: Signal) -> Signal:
        """What this block sends; ValueError for a block without an integer layer."""
        neuron = spiking(self.neuron)
        if self.no_integer_layer:
            raise ValueError(self.no_integer_layer)
        (x,) = inputs
        return Signal(self.out_shape((x,)), float(neuron.levels), neuron.levels)

    @property
    def no_integer_layer(self) -> str:
        """Why this block cannot become integer layers; empty if it can."""
        if not check_fusion(self.fusion).lowers:
            return (
                f"fusion {self.fusion!r} of membrane potentials has no integer layer: neurons exchange spikes, not "
                "functions of membranes; expected fusion 'group' or 'none', or train.float_run, which runs it as it is"
            )
        if self.region is None:
            return (
                "median spikes without region threshold (region=None) have no integer layer: expected 0 <= region < 1, "
                "or train.float_run"
            )
        return ""

    def layer(self, name: str, sources: tuple[str, ...], q: Quantization) -> WindowLayer:
        """The integer layer; ValueError if a membrane can leave 24 bits."""
        weights, bias, exponent = self.dyadic(q).checked(self.specification(q))
        synapse: Any = self.synapse
        return WindowLayer(
            name,
            sources,
            q.inputs[0].shape,
            self.windows(q.inputs[0].shape),
            ConvSynapse(weights[0].numpy(), padding=synapse.padding, groups=synapse.groups),
            (2**exponent).expand(len(bias)).numpy(),
            bias.numpy(),
            spiking(self.neuron).levels,
            self.chained,
            0.0 if self.region is None else self.region,
        )

    def layers(self, name: str, sources: tuple[str, ...], q: Quantization) -> tuple[Sequence[Layer], tuple[str, ...]]:
        layer = self.layer(name, sources, q)
        return layer.layers(), layer.outputs

    def layer_spikes(self, name: str, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        if self.quantization is None:
            raise ValueError("a window block has integer layers in quantized mode only: call block.quantized(net)")
        spikes, parts, windows = self.integer_spikes(x, self.quantization)
        whole = self.recomposed(spikes, windows, spiking(self.neuron).levels).unsqueeze(-1)
        if windows.groups > 1:
            for p, (part, sent) in enumerate(zip(parts, spikes, strict=True)):
                yield window_name(name, p), part.unsqueeze(-1)
                yield group_name(name, p), sent.unsqueeze(-1)
        if len(windows.covers) == 1:
            yield name, whole
            return
        cover = torch.from_numpy(windows.cover.copy()).to(whole.device)[..., None]
        for count in windows.covers:
            yield cover_name(name, count), whole * (cover == count)

    def extra_repr(self) -> str:
        mode = super().extra_repr()
        return self.options() + (f", {mode}" if mode else "")
