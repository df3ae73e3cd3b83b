"""The layout that both dilated-window networks of [Yao2023] share: stages of window layers and fully connected layers.

The layout is printed as "48, F-48-shortcut, 48, PM, 96, F-96-shortcut, 96, PM, (192, F-192-shortcut) x 3, 384, F-384,
384, C" (appendix 5). It is read here as: a number is a window layer with that many channels, F a fully connected layer,
PM a patch merging; nine window layers and three mergings (the third, before 384, is not printed) are the twelve layers.

Warning:
    Which window layers are dilated is not printed beside the layout. "A fully connected layer is established after each
    dilated layer" (section 3.1), so those before an F are dilated here, except in the last stage (section 4.2). With F
    the cross-patch layer of ResMLP, and each map counted once, this makes 244 million operations for CIFAR-10; Table 2
    prints 247. F as a layer over channels, or a convolution in each F, makes 200 or 313. The recurrent network's
    first mixer multiplies 5.31 million times, as printed; all of it makes 154 million operations, and 251 are printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..block import Add, Conv
from ..block.fusion import THETA, THRESHOLD
from ..block.windowed import Windowed
from ..graph.windows import Windows
from ..neuron import MultiLevel
from .setting import Network, Setting

STAGES = ("wFw", "wFw", "wFwFwF", "wFw")
"""Per stage: w is a window layer, F a fully connected layer."""

_STAGE = re.compile(r"(wF?)+")


@dataclass(frozen=True)
class WindowOptions:
    """Options of all window layers of a network.

    Args:
        groups: windows per map, 1, 2 or 4.
        dilated: whether window layers before an F have dilated windows.
        fusion, theta, region: see :class:`lava_mlsnn.block.windowed.Windowed`.
    """

    groups: int = 4
    dilated: bool = True
    fusion: str = "omega"
    theta: float = THETA
    region: float | None = 0.1

    def arguments(self, dilated: bool) -> dict[str, Any]:
        """Keyword arguments of one window block."""
        return {
            "groups": self.groups,
            "dilated": self.dilated and dilated,
            "fusion": self.fusion,
            "theta": self.theta,
            "region": self.region,
        }


@dataclass(frozen=True)
class Part:
    """One letter of the layout.

    Args:
        kind: "w", "F" or "P" (patch merging).
        name: of the layer.
        channels, out: in and out.
        shape: rows and columns of the map that it reads.
        stage: counted from 0.
        dilated: whether a window layer stands before an F, not in the last stage.
        shortcut: whether an F adds its input.
    """

    kind: str
    name: str
    channels: int
    out: int
    shape: tuple[int, int]
    stage: int
    dilated: bool = False
    shortcut: bool = False


def layout(setting: Setting, width: int, stages: Sequence[str]) -> list[Part]:
    """The parts of a network; width doubles and the map halves from stage to stage.

    Raises:
        ValueError: a stage that is not written with w and F, or more stages than the map can be halved.

    Example:
        >>> [part.name for part in layout(Setting((1, 8, 8)), 8, ("wFw", "wF"))]
        ['stage1_window1', 'stage1_full1', 'stage1_window2', 'merge1', 'stage2_window1', 'stage2_full1']
    """
    stages = (stages,) if isinstance(stages, str) else tuple(stages)
    channels, height, columns = setting.in_shape
    parts: list[Part] = []
    if not stages:
        raise ValueError("stages: expected at least one, got none")
    for i, letters in enumerate(stages):
        if not isinstance(letters, str) or not _STAGE.fullmatch(letters):
            raise ValueError(f"stages: expected w's, each with or without an F after it, such as wFw, got {letters!r}")
        out, last = width * 2**i, i == len(stages) - 1
        if i:
            if height % 2 or columns % 2:
                raise ValueError(f"stages: a map of {height} x {columns} cannot be halved for stage {i + 1}")
            parts.append(Part("P", f"merge{i}", channels, out, (height, columns), i))
            channels, height, columns = out, height // 2, columns // 2
        counts = {"w": 0, "F": 0}
        for letter, following in zip(letters, [*letters[1:], ""], strict=True):
            counts[letter] += 1
            name = f"stage{i + 1}_{'window' if letter == 'w' else 'full'}{counts[letter]}"
            dilated, shortcut = letter == "w" and following == "F" and not last, letter == "F" and not last
            parts.append(Part(letter, name, channels, out, (height, columns), i, dilated, shortcut))
            channels = out
    return parts


class WindowNetwork(Network):
    """Base of both networks, which define the window layer and the F.

    Raises:
        ValueError: another neuron than MultiLevel or ReLU, or maps that the windows do not
            divide, by the layer's name.
    """

    def __init__(self, setting: Setting, width: int, stages: Sequence[str], options: WindowOptions) -> None:
        super().__init__(setting)
        channels = 0
        for part in layout(setting, width, stages):
            self.append(part.name, self.make(part, options))
            channels = part.out
        self.append_head(channels)

    def make(self, part: Part, options: WindowOptions) -> nn.Module:
        """The module of one part."""
        if part.kind == "P":
            return Conv(part.channels, part.out, 2, 2, neuron=self.make_neuron())
        if part.kind == "w":
            arguments = options.arguments(part.dilated)
            try:
                Windows(*part.shape, arguments["groups"], arguments["dilated"])
            except ValueError as error:
                raise ValueError(f"{part.name}: {error}") from None
            return self.make_window(part, arguments)
        full = self.make_full(part)
        if not part.shortcut:
            return full
        return Shortcut(full, Add(None if options.region is None else self.setting.make_barrier()))

    def make_neuron(self) -> nn.Module:
        """A neuron with the paper's threshold of 0.5, unless the setting gives another."""
        neuron = self.setting.make_neuron()
        given = self.setting.neuron
        if isinstance(neuron, MultiLevel) and (isinstance(given, str) or "threshold" not in given):
            rest = {} if isinstance(given, str) else {k: v for k, v in given.items() if k != "kind"}
            return MultiLevel(self.setting.levels, threshold=THRESHOLD, **rest)
        if not isinstance(neuron, (MultiLevel, nn.ReLU)):
            raise ValueError(f"neuron {type(neuron).__name__} in a window network: expected multilevel or relu")
        return neuron

    def make_window(self, part: Part, arguments: dict[str, Any]) -> nn.Module:
        """A window layer."""
        raise NotImplementedError

    def make_full(self, part: Part) -> nn.Module:
        """A fully connected layer, without its shortcut."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        membrane = None
        for name in self.order:
            part = getattr(self, name)
            if isinstance(part, Windowed) and part.reads_layer:
                x, membrane = part(x, membrane)
            else:
                x = part(x)
        return x


class Shortcut(nn.Module):
    """A layer whose input is added to its output: the sum of spikes passes a barrier (none for median spikes)."""

    def __init__(self, full: nn.Module, add: Add) -> None:
        super().__init__()
        self.full, self.add = full, add

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.add(self.full(x), x)
        return found
