"""What all architectures share: input, classes, neurons."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..block import Flatten, Input, Pool, Readout
from ..helpers.check import Shape, choice, integer, positive_ints
from ..neuron import ATIF, Barrier, GradedNeuron, MultiLevel

_KINDS: dict[str, tuple[type[GradedNeuron], tuple[str, ...]]] = {
    "multilevel": (MultiLevel, ("levels",)),
    "atif": (ATIF, ("levels", "steps")),
}
"""Spiking neurons by name, and the arguments that they get from the setting."""


@dataclass(frozen=True)
class Setting:
    """Input, output and neurons of a network.

    Args:
        in_shape: (C, H, W) of an image.
        num_classes: number of outputs.
        levels: N of all neurons; 1 is the binary spiking network.
        steps: T, how often an image is presented.
        neuron: "multilevel"; "atif" ([Castagnetti2023]); "relu" for the ANN twin of the same shapes; or a mapping of
            a neuron's
            arguments, such as ``{"grad": "ste", "trainable": True}`` or ``{"kind": "atif", "mode": "nonuniform"}``;
            its ``kind`` is "multilevel" if not given.
        barrier_grad: gradient of barrier neurons, see :class:`lava_mlsnn.neuron.Barrier`: "clip" did best on held-out
            images (docs/choices.md), "ste" is the paper's.
        input_scale: value of one integer step of the input, 1 / 255 for 8-bit pixels in 0 .. 1.
        input_bits: width of an input message.
    """

    in_shape: Shape = (3, 32, 32)
    num_classes: int = 10
    levels: int = 4
    steps: int = 1
    neuron: str | Mapping[str, Any] = "multilevel"
    barrier_grad: str = "clip"
    input_scale: float = 1 / 255
    input_bits: int = 8

    def __post_init__(self) -> None:
        counts = {name: integer(getattr(self, name), name, 1) for name in ("num_classes", "levels", "steps")}
        for name, value in {"in_shape": positive_ints(self.in_shape, "in_shape", 3), **counts}.items():
            object.__setattr__(self, name, value)
        if isinstance(self.neuron, Mapping):
            cls, own = _kind(self.neuron)
            known = [*(name for name in inspect.signature(cls).parameters if name not in own), "kind"]
            for key in self.neuron:
                choice(key, f"argument of neuron {cls.__name__}", known)

    @property
    def is_twin(self) -> bool:
        """Whether the neurons are ReLUs."""
        return self.neuron == "relu"

    def make_input(self) -> Input:
        """The first block."""
        return Input(self.in_shape, self.input_scale, self.input_bits, self.steps)

    def make_neuron(self) -> nn.Module:
        """A new neuron."""
        if self.is_twin:
            return nn.ReLU()
        given = self.neuron if isinstance(self.neuron, Mapping) else {"kind": self.neuron}
        cls, own = _kind(given)
        arguments = {name: value for name, value in given.items() if name != "kind"}
        return cls(**{name: getattr(self, name) for name in own}, **arguments)

    def make_barrier(self) -> nn.Module:
        """A new barrier neuron; the twin's sums of ReLUs pass a ReLU unchanged."""
        return nn.ReLU() if self.is_twin else Barrier(self.levels, self.barrier_grad)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready keyword arguments."""
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in asdict(self).items()}


def _kind(neuron: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Class of a neuron and the names of the arguments that it gets from the setting."""
    return _KINDS[choice(neuron.get("kind", "multilevel"), "neuron kind", _KINDS)]


class Network(nn.Module):
    """Base of all architectures: an input block, a body, a readout.

    Shape:
        images (N, C, H, W), presented ``steps`` times, or (N, C, H, W, T) -> logits (N, classes), averaged over T.
        Integer tensors are pixels, floating point numbers are pixels times ``input_scale``.

    Attributes:
        config: name and arguments that :func:`lava_mlsnn.model.create` builds it from.
        notes: what :func:`lava_mlsnn.model.save` was given to keep.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.config: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}
        self.order: list[str] = []
        self.append("input", setting.make_input())

    def append(self, name: str, module: nn.Module) -> None:
        """Add a part at the end; its name becomes that of its layer."""
        self.add_module(name, module)
        self.order.append(name)

    def append_head(self, channels: int, **options: Any) -> None:
        """Add the end of a convolutional network: average over the map, and a readout of the ``channels``."""
        self.append("pool", Pool(None, mode="average"))
        self.append("flatten", Flatten())
        self.append("readout", Readout(channels, self.setting.num_classes, **options))

    def forward(self, x: Tensor) -> Tensor:
        for name in self.order:
            x = getattr(self, name)(x)
        return x

    @property
    def in_shape(self) -> Shape:
        """(C, H, W)."""
        return self.setting.in_shape

    @property
    def example_shape(self) -> tuple[int, ...]:
        """(1, C, H, W, T)."""
        return (1, *self.setting.in_shape, self.setting.steps)

    @torch.no_grad()
    def features(self) -> int:
        """Number of values per step that the parts so far make of an image."""
        training = self.training
        size = self.eval()(torch.zeros(1, *self.in_shape, 1)).numel()
        self.train(training)
        return size
