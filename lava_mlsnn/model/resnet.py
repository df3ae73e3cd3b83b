"""ResNet18 and 34 in the four residual forms of [Castagnetti2025], Fig. 3."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from ..block import Block, Conv, identity
from .residual import FORMS, Ms
from .setting import Network, Setting

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
STEMS = {"cifar": 1, "dvs": 2}
"""Stride of the first convolution."""


class ResNet(Network):
    """Stem, stages of residual blocks, average over the map, readout.

    Args:
        form: residual form: "spiking", "sew", "ms" or "sparse".
        width: channels of the first stage; they double at each further stage, which halves the map.
        blocks: residual blocks per stage.
        stem: "cifar" is one 3x3 convolution with stride 1; "dvs" is 7x7 and 3x3 with stride 2, in place of the
            convolution and max-pooling of large images; default is dvs for images of 64 rows and more.
    """

    def __init__(
        self,
        setting: Setting,
        form: str = "sparse",
        width: int = 64,
        blocks: Sequence[int] = BLOCKS[18],
        stem: str | None = None,
    ) -> None:
        super().__init__(setting)
        stem = stem_for(setting, stem)
        residual = FORMS[form]
        self.append("stem", _stem(setting, width, stem, None if residual is Ms else setting.make_neuron()))
        channels = width
        for i, count in enumerate(blocks):
            out = width * 2**i
            stage = [
                residual(setting, channels if j == 0 else out, out, 2 if i and j == 0 else 1) for j in range(count)
            ]
            self.append(f"stage{i + 1}", nn.Sequential(*stage))
            channels = out
        if residual is Ms:
            self.append("spike", Block([identity()], setting.make_neuron()))
        self.append_head(channels)


def stem_for(setting: Setting, stem: str | None) -> str:
    """``stem``, or where that is None what suits the images."""
    return stem or ("dvs" if setting.in_shape[1] >= 64 else "cifar")


def _stem(setting: Setting, width: int, kind: str, last: nn.Module | None) -> nn.Module:
    channels = setting.in_shape[0]
    if kind == "cifar":
        return Conv(channels, width, 3, STEMS[kind], 1, neuron=last)
    first = Conv(channels, width, 7, STEMS[kind], 3, neuron=setting.make_neuron())
    return nn.Sequential(OrderedDict(conv1=first, conv2=Conv(width, width, 3, 2, 1, neuron=last)))
