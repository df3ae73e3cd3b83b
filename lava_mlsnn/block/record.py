"""What the layers of a network send in quantized mode: their spikes, and the counts of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..graph.activity import Activity
from .core import Block
from .dense import Readout
from .export import quantize
from .input import Input
from .mode import as_integers
from .plan import Step, plan
from .stock import is_stock, shifted, shifts


@torch.no_grad()
def trace(net: nn.Module, x: Tensor, weight_bits: int = 8, *, per_channel: bool = True) -> dict[str, Tensor]:
    """Integer spikes of every layer, by the layer's name in the NetGraph, and of "input".

    A network in float mode is quantized for this run only. A readout's entry is its membrane after each step.

    Shape:
        x: as the network's input; each entry int32 (N, C, H, W, T).
    """
    with as_integers(net, weight_bits, per_channel=per_channel):
        return heard(net, x, _hooks)


def heard(net: nn.Module, x: Tensor, hooks: Callable[[Step, dict[str, Tensor]], Iterator[Any]]) -> dict[str, Tensor]:
    """What the hooks of each layer write down while ``net`` computes ``x``."""
    found: dict[str, Tensor] = {}
    placed = [hook for step in plan(net) if step.is_layer for hook in hooks(step, found)]
    try:
        net(x)
    finally:
        for hook in placed:
            hook.remove()
    return found


def _hooks(step: Step, found: dict[str, Tensor]) -> Iterator[Any]:
    """Of a stock block, the neuron's spikes and what the block makes of them, in integers."""
    module = cast(Any, step.module)
    if not is_stock(module):
        yield module.register_forward_hook(_recorder(step, found))
        return

    def recorder(name: str) -> Any:
        def record(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found[name] = _integers(output * step.output.levels, step)

        return record

    if shifts(module):
        yield module.neuron.register_forward_hook(recorder(step.name))
    yield module.register_forward_hook(recorder(shifted(step.name) if shifts(module) else step.name))


def _integers(spikes: Tensor, step: Step) -> Tensor:
    """As int32 (N, C, H, W, T)."""
    return spikes.round().to(torch.int32).reshape(spikes.shape[0], *step.output.shape, spikes.shape[-1])


def _recorder(step: Step, found: dict[str, Tensor]) -> Any:
    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, Block) and module.several:
            found.update({n: z.round().to(torch.int32) for n, z in module.layer_spikes(step.name, inputs[0])})
            return
        name = step.name
        if isinstance(module, Input):
            name, output = "input", output if module.quantization else output / module.pixel_scale
        if isinstance(module, Readout):
            output = module.membrane(*inputs)
        found[name] = _integers(output, step)

    return record


def activity(net: nn.Module, x: Tensor, weight_bits: int = 8, *, per_channel: bool = True) -> Activity:
    """Counts of what the layers sent in torch's own forward: those of :func:`lava_mlsnn.sim.run` for the same images.

    Activities of several batches can be added.

    Args:
        net, weight_bits, per_channel: as for :func:`trace`.
        x: images, all T steps of them.

    Raises:
        ValueError: another number of timesteps.

    Example:
        >>> from lava_mlsnn.block import Conv, Readout
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> net = nn.Sequential(Input((1, 4, 4)), Conv(1, 2, 3, neuron=MultiLevel(levels=4)), Readout(8, 10))
        >>> activity(net, torch.ones(5, 1, 4, 4, dtype=torch.uint8)).mean_events("input")
        16.0
    """
    with as_integers(net, weight_bits, per_channel=per_channel):
        graph = quantize(net)
        spikes = {name: sent.numpy() for name, sent in trace(net, x).items()}
    if spikes["input"].shape[-1] != graph.timesteps:
        raise ValueError(f"activity: expected {graph.timesteps} timesteps, got {spikes['input'].shape[-1]}")
    found = Activity.of_spikes(graph, spikes)
    for layer in graph:
        for i, connection in enumerate(layer.connections):
            summed = sum(spikes[source] for source in connection.sources)
            found.sites[layer.name][i] = np.count_nonzero(summed, axis=(0, 1, 2, 3))
    return found
