"""The network as a list of steps: who reads whom, in which units. Training with integers and export both follow it.

The network is traced with torch.fx; blocks (ours and SLAYER's) are leaves, and what is between them may only be sums.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from .add import Add
from .core import Block
from .dense import Readout
from .input import Input
from .integer import Quantization
from .pool import Flatten, Pool
from .signal import Signal
from .stock import is_stock, is_stock_flatten, stock_signal

_BLOCKS = (Input, Block, Add, Pool, Flatten)
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
        folded: a pool that the readout behind it absorbs into its weights.
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
        """Whether it is a sum in the dendrite of whatever reads it, not a layer."""
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
    if isinstance(module, _BLOCKS) or is_stock(module):
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
            f"{who} reads the network's input itself: expected block.Input as first block, which tells shape and "
            "scale; for example nn.Sequential(block.Input((1, 28, 28), scale=1 / 255), *blocks)"
        )
    raise ValueError(f"{who} reads {arg!r}: expected the output of one block")


def _with_folds(steps: list[Step], output: Step) -> list[Step]:
    """Drop what the output does not depend on; mark pools that only readouts read."""
    unique = list({step.name: step for step in steps}.values())
    needed, kept = {output.name}, []
    for step in reversed(unique):
        if step.name in needed:
            needed.update(step.sources)
            kept.append(step)
    kept.reverse()
    return [replace(step, folded=_folds(step, kept)) for step in kept]


def _folds(step: Step, steps: list[Step]) -> bool:
    """Whether all that reads a pool, through a flatten or not, is a readout, and each site is in one window."""
    if not isinstance(step.module, Pool):
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
        return isinstance(module, _BLOCKS) or is_stock(module) or super().is_leaf_module(module, name)


def _trace(net: nn.Module) -> fx.Graph:
    if isinstance(net, (*_BLOCKS, nn.Identity)):
        raise ValueError(f"network {type(net).__name__}: expected a network that contains blocks, got a single one")
    try:
        return _Tracer().trace(net)
    except (fx.proxy.TraceError, TypeError) as error:
        raise ValueError(
            f"the forward of {type(net).__name__} cannot be traced ({error}): expected blocks and sums without "
            "control flow that depends on tensors"
        ) from error


def quantized(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> nn.Module:
    """Put a network into quantised mode, in place: its forward becomes the integer network, exactly.

    Batch norm is folded with its running statistics, which stay as they are; weights, biases and messages are integers
    (see :mod:`lava_mlsnn.block.integer`); gradients pass straight through the rounding to the float parameters.

    Args:
        net: starts with :class:`block.Input`.
        weight_bits: 2 .. 8.
        per_channel: one power of two per output channel instead of one per layer; hardware has a threshold per channel.

    Returns:
        ``net`` itself.

    Raises:
        ValueError: a layer that has no integer counterpart, by name.
    """
    for step, quantization in specifications(plan(net), weight_bits, per_channel):
        if hasattr(step.module, "quantization"):
            step.module.quantization = quantization  # type: ignore[union-attr]
    return net


def unquantized(net: nn.Module) -> nn.Module:
    """Leave quantised mode, in place; parameters keep what they learnt."""
    for module in net.modules():
        if isinstance(module, _BLOCKS) and hasattr(module, "quantization"):
            module.quantization = None
    return net


def quantization_of(net: nn.Module) -> Quantization | None:
    """Bits and scales of a network in quantised mode, None in float mode."""
    found = [m.quantization for m in net.modules() if isinstance(m, Block)]
    return found[0] if found else None


def specifications(steps: list[Step], weight_bits: int, per_channel: bool) -> Iterator[tuple[Step, Quantization]]:
    """What each step must know to compute with integers."""
    timesteps = next(step.module.steps for step in steps if isinstance(step.module, Input))
    for step in steps:
        yield step, Quantization(weight_bits, per_channel, timesteps, step.inputs)


@contextmanager
def as_integers(net: nn.Module, weight_bits: int = 8, *, per_channel: bool = True) -> Iterator[nn.Module]:
    """The network in evaluation and quantised mode for a while; both are put back at the end."""
    blocks = [m for m in net.modules() if isinstance(m, _BLOCKS) and hasattr(m, "quantization")]
    before, training = [b.quantization for b in blocks], [(m, m.training) for m in net.modules()]
    try:
        net.eval()
        if quantization_of(net) is None:
            quantized(net, weight_bits, per_channel=per_channel)
        yield net
    finally:
        for block, quantization in zip(blocks, before, strict=True):
            block.quantization = quantization
        for module, mode in training:
            module.training = mode


@torch.no_grad()
def trace(net: nn.Module, x: Tensor, weight_bits: int = 8, *, per_channel: bool = True) -> dict[str, Tensor]:
    """Integer spikes of every layer, by the layer's name in the NetGraph, and of "input".

    A network in float mode is quantised for this one run. A readout's entry is its membrane after each step. Stock
    SLAYER blocks are left out: they compute in floating point, each one step behind the one before.

    Shape:
        x: as the network's input; each entry int32 (N, C, H, W, T).
    """
    found: dict[str, Tensor] = {}
    with as_integers(net, weight_bits, per_channel=per_channel):
        steps = [s for s in plan(net) if s.is_layer and not is_stock(cast(nn.Module, s.module))]
        hooks = [cast(nn.Module, s.module).register_forward_hook(_recorder(s, found)) for s in steps]
        try:
            net(x)
        finally:
            for hook in hooks:
                hook.remove()
    return found


def _recorder(step: Step, found: dict[str, Tensor]) -> Any:
    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        name = "input" if isinstance(module, Input) else step.name
        if isinstance(module, Readout):
            output = module.membrane(*inputs)
        shape = (output.shape[0], *step.output.shape, output.shape[-1])
        found[name] = output.round().to(torch.int32).reshape(shape)

    return record
