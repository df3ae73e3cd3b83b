"""A linear map over the sites of a feature map, the same for all channels ([Yao2023]), in floats and with integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import torch
from torch import Tensor, nn

from ..graph.graph import Connection as Edge
from ..graph.graph import Layer
from ..graph.neurons import Relay
from ..graph.synapses import Conv, Unflatten
from ..helpers.check import Shape, integer, positive_ints
from .core import Block, Connection, fold_time, integer_neuron, spiking, unfold_time
from .integer import Quantization
from .norm import affine

MAX_WEIGHTS = 2**24
"""Largest C (H W)^2 that becomes integer layers: 16 MiB of 8-bit weights, about what the cores of a Loihi 2 hold."""


class _OverSites(Connection):
    """One matrix over the sites of every channel, and a batch norm of the channels."""

    synapse: nn.Linear
    norm: nn.BatchNorm2d

    def __init__(self, shape: Shape) -> None:
        sites = prod(shape[1:])
        super().__init__(nn.Linear(sites, sites, bias=False), nn.BatchNorm2d(shape[0]))
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        maps, steps = fold_time(x)
        mixed = unfold_time(self.norm(self.synapse(maps.flatten(2)).reshape(maps.shape)), steps)
        return mixed if steps == x.shape[-1] else mixed.expand(*mixed.shape[:-1], x.shape[-1])

    def apply_weight(self, x: Tensor, weight: Tensor) -> Tensor:
        """Maps (N, C, H, W, T) and one row per neuron (C H W, H W) -> (N, C H W, T)."""
        maps, steps = fold_time(x)
        rows = weight.unflatten(0, (self.shape[0], -1))
        mixed = unfold_time(torch.einsum("nci,coi->nco", maps.flatten(2), rows).flatten(1), steps)
        return mixed if steps == x.shape[-1] else mixed.expand(*mixed.shape[:-1], x.shape[-1])

    def folded(self) -> tuple[Tensor, Tensor]:
        """One row per neuron (C H W, H W) and its bias (C H W,): the matrix, scaled by the norm of the channel."""
        weight = self.synapse.weight
        gain, shift = affine(self.norm, self.shape[0], weight)
        return (gain[:, None] * weight).flatten(0, 1), shift.expand(-1, len(weight)).flatten()

    def out_shape(self, shape: Shape) -> Shape:
        if shape != self.shape:
            raise ValueError(f"a map over the sites of {self.shape}: its input has the shape {shape}")
        return shape


class PatchMix(Block):
    """A fully connected layer over the sites of a map, the same for all channels, batch norm and neuron.

    It exchanges information between windows ([Yao2023], section 3.1, last paragraph; the cross-patch layer of ResMLP).
    It becomes two layers. ``NAME.sites`` holds the neurons in a column (C H W, 1, 1): a convolution as large as the
    map, with H W outputs per channel, each with a power of two of its own. As the norm scales channels, they share no
    weights: there are C (H W)^2. ``NAME`` relays their spikes to their places in the map, a step later.

    Args:
        channels: C.
        shape: rows and columns of the map.
        neuron: a module of (N, C, H, W, T).

    Shape:
        (N, C, H, W, T) -> the same.

    Example:
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> PatchMix(3, (4, 4), neuron=MultiLevel(levels=4))(torch.rand(2, 3, 4, 4, 1)).shape
        torch.Size([2, 3, 4, 4, 1])
    """

    several = True

    def __init__(self, channels: int, shape: tuple[int, int], *, neuron: nn.Module | None) -> None:
        rows, columns = positive_ints(shape, "shape", 2)
        self.shape = integer(channels, "channels", 1), rows, columns
        super().__init__([_OverSites(self.shape)], neuron)

    @property
    def no_integer_layer(self) -> str:
        """Why this block cannot become integer layers; empty if it can."""
        weights = prod(self.shape) * prod(self.shape[1:])
        if weights <= MAX_WEIGHTS:
            return ""
        return (
            f"a linear map over the sites of {self.shape} has {weights} weights where channels share none: expected at "
            f"most {MAX_WEIGHTS}, a 1x1 convolution (mixing='channel'), or train.float_run, which runs it as it is"
        )

    def integer_forward(self, inputs: tuple[Tensor, ...], q: Quantization) -> Tensor:
        return super().integer_forward(inputs, q).unflatten(1, self.shape)

    def layers(self, name: str, sources: tuple[str, ...], q: Quantization) -> tuple[Sequence[Layer], tuple[str, ...]]:
        (weight,), bias, exponent = self.dyadic(q).checked(q)
        channels, *size = self.shape
        mixing = Conv(weight.reshape(-1, 1, *size).numpy(), groups=channels)
        neuron, biases = integer_neuron(spiking(self.neuron), exponent, q.steps, bias)
        column, placed = Edge(sources, mixing), Edge((sites_name(name),), Unflatten(*size))
        mixed = Layer(sites_name(name), (column,), (len(bias), 1, 1), neuron, biases)
        return (mixed, Layer(name, (placed,), self.shape, Relay())), (name,)

    def layer_spikes(self, name: str, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        sent = self.forward(x)
        yield sites_name(name), sent.reshape(len(sent), -1, 1, 1, sent.shape[-1])
        yield name, sent


def sites_name(name: str) -> str:
    """Layer of the neurons of a linear map over sites."""
    return f"{name}.sites"
