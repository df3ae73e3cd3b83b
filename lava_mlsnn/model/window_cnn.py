"""The convolutional dilated-window network of [Yao2023] ("ResNET-12F")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from ..block import Conv, PatchMix, Window
from ..block.fusion import THETA
from .setting import Setting
from .window import STAGES, Part, WindowNetwork, WindowOptions


class WindowCNN(WindowNetwork):
    """3x3 convolutions in windows; see :mod:`lava_mlsnn.model.window` for the layout and how it was read.

    With fusion "group" or "none" it exports; otherwise ``train.float_run`` measures it.

    Args:
        width: channels of the first stage.
        stages: one text per stage: w is a window layer, F a fully connected layer.
        groups, dilated, fusion, theta, region: see :class:`lava_mlsnn.model.window.WindowOptions`.
        mixing: what an F connects: "patch" all sites, the same for each channel (as ResMLP does), which exports up to
            C (H W)^2 = 2^24; "channel" all channels, the same at each site.
    """

    def __init__(
        self,
        setting: Setting,
        width: int = 48,
        stages: Sequence[str] = STAGES,
        groups: int = 4,
        dilated: bool = True,
        fusion: str = "omega",
        theta: float = THETA,
        region: float | None = 0.1,
        mixing: str = "patch",
    ) -> None:
        self.mixing = mixing
        super().__init__(setting, width, stages, WindowOptions(groups, dilated, fusion, theta, region))

    def make_window(self, part: Part, arguments: dict[str, Any]) -> nn.Module:
        return Window(part.channels, part.out, 3, neuron=self.make_neuron(), **arguments)

    def make_full(self, part: Part) -> nn.Module:
        if self.mixing == "patch":
            return PatchMix(part.channels, part.shape, neuron=self.make_neuron())
        return Conv(part.channels, part.out, 1, neuron=self.make_neuron())
