"""What the neurons of a network in torch hold after each step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from operator import add
from typing import Any, cast

import torch
from lava.lib.dl.slayer.neuron import cuba
from torch import Tensor, nn

from ..neuron import ATIF, GradedNeuron, SoftLIF
from .add import Add
from .core import Block
from .dense import Readout
from .integer import power_of_two
from .leaky import Leaky
from .mode import as_integers, evaluated, quantization_of
from .plan import Step
from .pool import Pool
from .record import heard
from .stock import is_stock

SLAYER = 64 * 64
"""Integers of a CUBA neuron's voltage that are 1 in SLAYER."""


@torch.no_grad()
def membranes(
    net: nn.Module, x: Tensor, *, integers: bool = False, weight_bits: int = 8, per_channel: bool = True
) -> dict[str, Tensor]:
    """The membrane potential of every layer that has one after each step, by the layer's name in the NetGraph.

    They follow from what each layer received and sent in torch's own forward, in evaluation mode.

    Args:
        net: starts with :class:`block.Input`.
        x: as the network's input.
        integers: False: of the float network, in the units in which a neuron's threshold is Vth (multi-level neurons
            receive N times their current), of a readout in those of the logits. True: of the integer network, int32:
            what :func:`lava_mlsnn.sim.run` has with ``trace="membrane"``.
        weight_bits, per_channel: of the integer network, as for :func:`lava_mlsnn.block.quantized`.

    Raises:
        ValueError: window blocks, whose membranes are traced by ``sim.run`` only; a network in quantized mode whose
            float membranes are asked for.

    Shape:
        each entry (N, C, H, W, T).

    Example:
        >>> from lava_mlsnn.block import Dense, Input
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> net = nn.Sequential(Input((1, 1, 1), scale=1.0, steps=3), Dense(1, 1, norm=False, neuron=MultiLevel(1)))
        >>> _ = nn.init.constant_(net[1].synapse.weight, 0.75), nn.init.zeros_(net[1].synapse.bias)
        >>> membranes(net, torch.ones(1, 1, 1, 1))["1"].flatten()
        tensor([0.7500, 0.5000, 0.2500])
    """
    if not integers and quantization_of(net) is not None:
        raise ValueError("membranes of a network in quantized mode: expected integers=True, or block.unquantized first")
    mode = as_integers(net, weight_bits, per_channel=per_channel) if integers else evaluated(net)
    with mode:
        return heard(net, x, partial(_hooks, integers=integers))


def _hooks(step: Step, found: dict[str, Tensor], integers: bool) -> Iterator[Any]:
    module = cast(Any, step.module)
    if isinstance(module, Block) and module.several:
        raise ValueError(f"layer {step.name!r}: a {type(module).__name__}: expected sim.run(..., trace='membrane')")

    def record(_: nn.Module, inputs: tuple[Tensor, ...], sent: Tensor) -> None:
        held = _stock(module, inputs[0], sent, integers) if is_stock(module) else _held(module, inputs, sent)
        if held is not None:
            held = held.round().to(torch.int32) if integers else held.to(sent.dtype)
            found[step.name] = held.reshape(held.shape[0], *step.output.shape, held.shape[-1])

    yield (module.neuron if is_stock(module) else module).register_forward_hook(record)


def _held(module: nn.Module, inputs: tuple[Tensor, ...], sent: Tensor) -> Tensor | None:
    """Potentials of one of our blocks; None where it has none."""
    if isinstance(module, Readout):
        return _read(module, inputs)
    neuron = getattr(module, "neuron", None)
    if isinstance(module, Leaky):
        return _leaky(module, neuron, inputs, sent) if isinstance(neuron, SoftLIF) else None
    if isinstance(module, Pool) and module.mode == "max":
        return torch.zeros_like(sent)  # a spike empties it, and without any it is empty
    if not isinstance(module, Add | Block) or not isinstance(neuron, GradedNeuron):
        return None
    whole = module.quantization is not None
    theta: float | Tensor
    if isinstance(module, Add):
        drive, theta, rest = reduce(add, inputs), 1.0, torch.zeros(())
    elif module.quantization is not None:
        dyadic = module.dyadic(module.quantization)
        unit = power_of_two(dyadic.exponent, torch.float64)
        kind, numbers = neuron.integer_form(unit, module.quantization.steps)
        if kind not in ("multilevel", "scheduled"):
            return None
        drive = module.charge(inputs, dyadic).double()
        drive = drive * _channels(unit, drive)
        theta = _channels(torch.as_tensor(numbers["thresholds" if kind == "scheduled" else "threshold"]), drive)
        rest = _channels(neuron.resting(unit), drive)
    else:
        if isinstance(neuron, ATIF) and neuron.is_staircase:
            return None
        drive = _current(module, inputs)
        theta = neuron.thresholds if isinstance(neuron, ATIF) else neuron.threshold
        rest = torch.as_tensor(neuron.start * neuron.threshold, device=drive.device)
    if not whole:
        drive, sent = drive * neuron.levels, sent * neuron.levels
    steps = drive.shape[-1]
    if isinstance(theta, Tensor) and theta.ndim and theta.shape[-1] > 1:
        theta = theta[..., :steps]
    return rest + (drive.double() - theta * sent.double()).cumsum(-1)


def _leaky(module: Leaky, neuron: SoftLIF, inputs: tuple[Tensor, ...], sent: Tensor) -> Tensor:
    q = module.quantization
    leak = neuron.leak() if q is None else neuron.keep / 4096
    if q is None:
        drive, theta = _current(module, inputs).double(), torch.as_tensor(neuron.vth)
    else:
        numbers = module.integers(q)
        drive, theta, sent = module.drive(inputs, numbers), numbers.threshold, sent / 2**module.fraction
        theta = _channels(theta, drive)[..., 0]
    v, held = torch.zeros_like(drive[..., 0]), torch.empty_like(drive)
    for t in range(drive.shape[-1]):
        left = v * leak
        v = (left if q is None else left.trunc()) + drive[..., t] - theta * sent[..., t]
        held[..., t] = v
    return held


def _read(module: Readout, inputs: tuple[Tensor, ...]) -> Tensor:
    if module.quantization is not None:
        return module.membrane(*inputs)
    current = _current(module, inputs)
    return current.unflatten(1, (-1, module.votes)).mean(2).cumsum(-1)


def _current(module: Block, inputs: tuple[Tensor, ...]) -> Tensor:
    return reduce(add, [connection(x) for connection, x in zip(module.connections, inputs, strict=True)])


def _channels(values: Tensor, drive: Tensor) -> Tensor:
    """Numbers (), (C,) or (C, T), to be broadcast against (N, C, ..., T)."""
    values = values.to(drive.device)
    if values.ndim < 2:
        return values.reshape(-1, *[1] * (drive.ndim - 2))
    return values.reshape(len(values), *[1] * (drive.ndim - 3), -1)


def _stock(module: Any, current: Tensor, sent: Tensor, integers: bool) -> Tensor | None:
    """SLAYER's voltage, which is zero where it fired."""
    if not isinstance(module.neuron, cuba.Neuron):
        return None
    voltage: Tensor = module.neuron.dynamics(current)[1].masked_fill(sent != 0, 0)
    return voltage * SLAYER if integers else voltage
