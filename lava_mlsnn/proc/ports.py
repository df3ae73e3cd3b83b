"""Ports in Lava's own order of axes, whatever the order of the graph.

A NetGraph counts (C, H, W), as torch does. Lava's Conv and with it stock NetX count (W, H, C), and dense layers (C,).
All ports of this room keep Lava's order: the channel is the last axis everywhere, and a value per channel broadcasts.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.graph.graph import INPUT, NetGraph
from lava_mlsnn.helpers.check import Shape

PortShape = tuple[int, ...]


def port_shape(shape: Shape, flat: bool) -> PortShape:
    """Shape of the port that carries spikes of ``shape``: (C H W,) if ``flat``, (W, H, C) otherwise.

    Example:
        >>> port_shape((3, 8, 10), flat=False), port_shape((12, 1, 1), flat=True)
        ((10, 8, 3), (12,))
    """
    return (prod(shape),) if flat else (shape[2], shape[1], shape[0])


def port_shapes(graph: NetGraph) -> dict[str, PortShape]:
    """Shape of the port of each layer and of "input", as stock NetX has them.

    A layer with a dense synapse is flat, one with a convolution or a pool is not, others are as what they read. The
    input is flat if dense synapses alone read it, or if it has one site per channel and nothing reads it as an image.
    """
    readers = [c.synapse.flat for layer in graph for c in layer.connections if INPUT in c.sources]
    flat = {INPUT: all(readers) or (graph.input.shape[1:] == (1, 1) and False not in readers)}
    for layer in graph:
        made = [c.synapse.flat for c in layer.connections]
        flat[layer.name] = True in made or (False not in made and flat[layer.inputs[0]])
    return {name: port_shape(graph.shape(name), is_flat) for name, is_flat in flat.items()}


def to_port(array: NDArray[Any], shape: PortShape) -> NDArray[Any]:
    """(..., C, H, W) in the order of a port of ``shape``.

    Example:
        >>> to_port(np.zeros((5, 3, 8, 10)), (10, 8, 3)).shape
        (5, 10, 8, 3)
    """
    if len(shape) == 1:
        return array.reshape(*array.shape[:-3], -1)
    return np.moveaxis(array, (-1, -2, -3), (-3, -2, -1))


def from_port(array: NDArray[Any], shape: Shape, flat: bool) -> NDArray[Any]:
    """What a port carries, (..., W, H, C) or (..., C H W) if ``flat``, as (..., \\*shape): inverse of :func:`to_port`.

    Example:
        >>> from_port(np.zeros((5, 240)), (3, 8, 10), flat=True).shape
        (5, 3, 8, 10)
    """
    if flat:
        return array.reshape(*array.shape[:-1], *shape)
    return np.moveaxis(array, (-3, -2, -1), (-1, -2, -3))


def connect(source: Any, target: Any) -> None:
    """Connect two ports that carry the same sites, in whichever order each has them.

    Raises:
        ValueError: the ports have different numbers of sites.
    """
    if source.size != target.size:
        raise ValueError(f"cannot connect a port of shape {source.shape} to one of shape {target.shape}")
    if source.shape == target.shape:
        source.connect(target)
    elif len(source.shape) == 3:  # dense weights count sites in the order (C, H, W)
        source.transpose([2, 1, 0]).flatten().connect(target)
    else:
        source.reshape(target.shape).connect(target)
