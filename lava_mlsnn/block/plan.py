"""The network as a list of steps: which reads which, in which units. Quantized training and export both follow it.

The network is traced with torch.fx; blocks (ours and SLAYER's) are leaves, with nothing but sums between them.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import fx, nn

from .add import Add
from .core import RELU, Block
from .dense import Readout
from .input import Input
from .pool import Flatten, Pool
from .signal import Signal
from .stock import is_stock, is_stock_flatten, stock_signal

BLOCKS = (Input, Block, Add, Pool, Flatten)
_TRANSPARENT = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_SUMS = (operator.add, operator.iadd, torch.add)


@dataclass(frozen=True)
class Step:
    """One block in the order of computation.

    Args:
        name: the module's name in the network; that of its layer in the NetGraph.
        module: the block, or None for a ``+`` between tensors.
        sources: names of the steps it reads.
        inputs: the signals it reads.
        output: the signal it sends.
        folded: a pool that the following readout absorbs into its weights.
    """

    name: str
    module: nn.Module | None
    sources: tuple[str, ...]
    inputs: tuple[Signal, ...]
    output: Signal
    folded: bool = False

    @property
    def is_flatten(self) -> bool:
        """Whether it only reorders: no layer."""
        return isinstance(self.module, Flatten) or is_stock_flatten(self.module)

    @property
    def is_layer(self) -> bool:
        """Whether it becomes a layer of the NetGraph, or its input."""
        return not (self.is_sum or self.is_flatten or self.folded)

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum in the dendrites of its readers and not a layer."""
        return self.module is None or (isinstance(self.module, Add) and self.module.neuron is None)


def plan(net: nn.Module) -> list[Step]:
    """The steps of a network that starts with :class:`block.Input`, in topological order.

    Raises:
        ValueError: a module, an operation or a signal that has no integer counterpart; names the layer and says why.

    Example:
        >>> from lava_mlsnn.block import Conv, Readout
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> net = nn.Sequential(Input((1, 8, 8)), Conv(1, 4, 3, neuron=MultiLevel(levels=4)), Readout(144, 10))
        >>> [(step.name, step.output.shape) for step in plan(net)]
        [('0', (1, 8, 8)), ('1', (4, 6, 6)), ('2', (10, 1, 1))]
    """
    reason = no_integer_layer(net)
    if reason:
        raise ValueError(reason)
    graph, modules = _trace(net), dict(net.named_modules())
    steps: dict[fx.Node, Step] = {}
    seen: dict[nn.Module, str] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            continue
        if node.op == "output":
            return _with_folds(list(steps.values()), _step_of(node.args[0], steps, "the output"))
        module = _module(node, modules, seen)
        if isinstance(module, Input):
            if steps:
                raise ValueError(f"layer {node.target!r}: expected one block.Input, the first of the network")
            steps[node] = Step(str(node.target), module, (), (), module.signal())
            continue
        name = str(node.target) if module is not None else node.name
        sources = [_step_of(arg, steps, f"layer {name!r}") for arg in node.args]
        if isinstance(module, _TRANSPARENT):
            steps[node] = sources[0]
            continue
        inputs = tuple(source.output for source in sources)
        steps[node] = Step(name, module, tuple(s.name for s in sources), inputs, _output(name, module, inputs))
    raise AssertionError("a traced graph ends with its output")


def no_integer_layer(net: nn.Module) -> str:
    """The first block without an integer layer, and why it has none; empty if every block has one.

    >>> no_integer_layer(nn.Sequential(nn.Identity()))
    ''
    """
    for name, module in net.named_modules():
        is_twin = isinstance(getattr(module, "neuron", None), nn.ReLU)
        reason = RELU if is_twin else getattr(module, "no_integer_layer", "")
        if reason:
            return f"layer {name!r}: {reason}"
    return ""


def _module(node: fx.Node, modules: dict[str, nn.Module], seen: dict[nn.Module, str]) -> nn.Module | None:
    """The block that a node calls, None for a sum; ValueError for anything else."""
    if node.op == "call_function" and node.target in _SUMS and not node.kwargs:
        return None
    if node.op != "call_module" or node.kwargs:
        what = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.target)
        raise ValueError(
            f"operation {what!r} ({node.op.replace('_', ' ')}) in the network's forward has no integer layer: "
            "expected blocks called with tensors, and sums of their spikes"
        )
    module = modules[str(node.target)]
    if isinstance(module, BLOCKS) or is_stock(module):
        if module in seen:
            raise ValueError(
                f"layer {node.target!r} is called twice: expected one module per layer, as weights are not shared"
            )
        seen[module] = str(node.target)
    elif not isinstance(module, _TRANSPARENT):
        raise ValueError(
            f"layer {node.target!r}: {type(module).__module__}.{type(module).__name__} has no integer layer: "
            "expected blocks of lava_mlsnn.block or of lava.lib.dl.slayer.block"
        )
    return module


def _output(name: str, module: nn.Module | None, inputs: tuple[Signal, ...]) -> Signal:
    try:
        if module is None:
            return inputs[0] + inputs[1]
        if is_stock(module):
            return stock_signal(module, *inputs)
        if any(x.deltas for x in inputs) and not isinstance(module, Flatten):
            raise ValueError("it reads the changes that a sigma-delta block sends: expected such a block or spikes")
        return cast(Any, module).signal(*inputs)
    except ValueError as error:
        raise ValueError(f"layer {name!r}: {error}") from None


def _step_of(arg: Any, steps: dict[fx.Node, Step], who: str) -> Step:
    if isinstance(arg, fx.Node) and arg in steps:
        return steps[arg]
    if isinstance(arg, fx.Node) and arg.op == "placeholder":
        raise ValueError(
            f"{who} reads the network's input itself: expected block.Input as first block, which defines shape and "
            "scale; for example nn.Sequential(block.Input((1, 28, 28), scale=1 / 255), *blocks)"
        )
    raise ValueError(f"{who} reads {arg!r}: expected the output of one block")


def _with_folds(steps: list[Step], output: Step) -> list[Step]:
    """Drop steps that the output does not depend on; mark pools that only readouts read."""
    unique = list({step.name: step for step in steps}.values())
    needed, kept = {output.name}, []
    for step in reversed(unique):
        if step.name in needed:
            needed.update(step.sources)
            kept.append(step)
    kept.reverse()
    return [replace(step, folded=_folds(step, kept)) for step in kept]


def _folds(step: Step, steps: list[Step]) -> bool:
    """Whether only readouts read the sums of a pool, directly or through a flatten, and its windows do not overlap."""
    if not isinstance(step.module, Pool) or step.module.mode == "max" or any(step.module.padding):
        return False
    kernel, stride = step.module.sizes(step.inputs[0].shape)
    tiles = kernel == stride and all(n % k == 0 for n, k in zip(step.inputs[0].shape[1:], kernel, strict=True))
    return tiles and all(isinstance(reader.module, Readout) for reader in _readers(step, steps))


def _readers(step: Step, steps: list[Step]) -> Iterator[Step]:
    for reader in steps:
        if step.name in reader.sources:
            if reader.is_flatten:
                yield from _readers(reader, steps)
            else:
                yield reader


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, BLOCKS) or is_stock(module) or super().is_leaf_module(module, name)


def _trace(net: nn.Module) -> fx.Graph:
    if isinstance(net, (*BLOCKS, nn.Identity)):
        raise ValueError(f"network {type(net).__name__}: expected a network that contains blocks, got a single one")
    try:
        return _Tracer().trace(net)
    except (fx.proxy.TraceError, TypeError) as error:
        raise ValueError(
            f"the forward of {type(net).__name__} cannot be traced ({error}): expected blocks and sums without "
            "control flow that depends on tensors"
        ) from error
