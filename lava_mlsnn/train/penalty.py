r"""Training for joules: the energy of each batch, differentiable, and the weight that brings it down to a target.

Energy is affine in the events of the layers (:func:`lava_mlsnn.energy.prices`), and a forward pass knows its events.
The share :math:`s` of the ANN's energy is added to the loss with a weight. For a target :math:`s^*` the training finds
the weight itself, as the method of multipliers does for an inequality: in each step the weight is
:math:`w = \max(0, \lambda + \rho (s - s^*))`, and the multiplier :math:`\lambda` rises while the network costs too much
and falls while it costs less, never below 0: a network that is cheap enough anyway is trained as if there were no
target.

An event is a spike that is not zero, whatever its value. Its derivative is that of :math:`\min(z, 1)`: only spikes of
the smallest value, and none at all, can be made or unmade by a small change; what a current must change for it is said
by the neuron's own surrogate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..block import Input, Pool, Readout
from ..block.export import quantize
from ..block.plan import Step, plan
from ..block.stock import is_stock
from ..energy.per_event import prices
from ..graph.graph import INPUT
from .recipe import Energy, Recipe
from .world import size

STIFFNESS = 20.0
"""rho: weight per unit of share that is too much, at once."""

RISE = 10.0
"""What the multiplier would gain in a whole training that costs twice its target.

A multiplier that rises faster than a network can save energy comes down too late, and the network ends far below its
target: of (rho, rise) = (0.5, 20), (1, 40), (2, 20), (5, 40), (10, 100) and (20, 10), tried on held-out images of
Fashion-MNIST with the target 0.25, the first four ended at 0.21 to 0.25, the last two at the target.
"""


class Penalty(nn.Module):
    """Counts what a network sends while it is trained, and prices it.

    Args:
        net: has an integer network, whose shapes and connections decide the prices.
        recipe: its ``energy`` and ``rate`` say what is added to the loss.

    Attributes:
        prices: joules per event.
        target: wanted share of the ANN's energy; None: a fixed weight.
        multiplier: the weight that was found so far; it is part of checkpoints.

    Raises:
        ValueError: a layer whose events cannot be counted in training, or a target that no training reaches.
    """

    multiplier: Tensor

    def __init__(self, net: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.prices = prices(quantize(net, recipe.weight_bits))
        assert self.prices.ann is not None  # of the Lemaire model
        self.ann = self.prices.ann
        self.rate, self.energy = recipe.rate, cast("Energy | None", recipe.energy)
        self.target = None if self.energy is None else self.energy.target(self.ann)
        fixed = self.prices.constant / self.ann
        if self.target is not None and self.target <= fixed:
            raise ValueError(
                f"energy: expected a target above {fixed:.3g} of the ANN ({self.prices.constant:.3g} J), which the "
                f"network costs without a single event, got {self.target:.3g}"
            )
        self.steps = [step for step in plan(net) if step.is_layer and not isinstance(step.module, Readout)]
        for step in self.steps:
            if is_stock(cast(nn.Module, step.module)) or getattr(step.module, "several", False):
                raise ValueError(
                    f"layer {step.name!r}: the events of {type(step.module).__name__} are not counted in training: "
                    "expected blocks of lava_mlsnn.block that become one layer; train it without energy and rate"
                )
        populations = [step for step in self.steps if getattr(step.module, "neuron", None) is not None]
        self.neurons = sum(int(torch.Size(step.output.shape).numel()) for step in populations)
        self.register_buffer("multiplier", torch.zeros((), dtype=torch.float64))
        self._joules: list[Tensor] = []
        self._spikes: list[Tensor] = []

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count every forward pass inside."""
        hooks = [cast(nn.Module, step.module).register_forward_hook(self._counter(step)) for step in self.steps]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def share(self, samples: int) -> Tensor:
        """Energy of the last forward pass as a share of the ANN's, mean over its ``samples``."""
        return torch.stack(self._joules).sum() / samples + self.prices.constant / self.ann

    def loss(self, samples: int, steps: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What is added to the loss of a batch in a training of ``steps`` steps, and what is logged."""
        share = self.share(samples)
        extra = share.new_zeros(()) + sum(self._spikes) * self.rate / samples
        if self.energy is not None and self.energy.weight is not None:
            extra = extra + share * self.energy.weight
        if self.target is None:
            return extra, {"energy_share": share.detach()}
        seen = _mean(share.detach().clone())
        weight = (self.multiplier + STIFFNESS * (seen - self.target)).clamp(min=0).to(share.dtype)
        self.multiplier.add_(RISE / steps * (seen / self.target - 1)).clamp_(min=0)
        return extra + share * weight, {"energy_share": seen, "energy_weight": self.multiplier.float()}

    def _counter(self, step: Step) -> Any:
        module = cast(Any, step.module)
        price = self.prices.events[INPUT if isinstance(module, Input) else step.name] / self.ann
        neuron = getattr(module, "neuron", None)
        per_step = 1 / self.neurons
        # A spike of the smallest value, where it stands for 1 / N as in float mode.
        smallest = 1 / step.output.levels if neuron is None else 1 / neuron.levels

        def count(_: nn.Module, __: Any, sent: Tensor) -> None:
            if isinstance(module, Input):  # a new pass
                self._joules.clear()
                self._spikes.clear()
            one = 1.0 if module.quantization is None else step.output.levels
            if neuron is None and not isinstance(module, Pool):  # pixels, and values of shortcuts: they have signs
                self._joules.append(price * torch.count_nonzero(sent).to(_wide(sent)))
                return
            self._joules.append(price * cast(Tensor, _Events.apply(sent, smallest * one)))
            if self.rate and neuron is not None:
                self._spikes.append(sent.sum(dtype=_wide(sent)) * (per_step / (one * sent.shape[-1])))

        return count


class _Events(torch.autograd.Function):
    """Number of spikes that are not zero, in units of which a spike's smallest value is ``unit``."""

    @staticmethod
    def forward(ctx: Any, sent: Tensor, unit: float) -> Tensor:
        ctx.save_for_backward(sent)
        ctx.unit = unit
        return sent.sign().sum(dtype=_wide(sent))  # several times as fast as count_nonzero

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (sent,) = ctx.saved_tensors
        few = torch.rsub(sent * (1 / ctx.unit), 2).clamp_(0, 1)  # 1 for z = 0 and 1, 0 for more
        return few.mul_(grad.to(sent.dtype) / ctx.unit), None


def _wide(sent: Tensor) -> torch.dtype:
    """What numbers of spikes are added up in: 16 bits do not hold them."""
    return torch.promote_types(sent.dtype, torch.float32)


def _mean(value: Tensor) -> Tensor:
    """Over the processes that train together, so that all have the same multiplier."""
    if size() > 1:
        dist.all_reduce(value)
        value = value / size()
    return value
