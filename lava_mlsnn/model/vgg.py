"""VGG16 with batch norm ([Castagnetti2025], sec. 5; configuration of reference/neurons-and-networks.md, sec. 3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from ..block import Conv, Dense, Flatten, Pool, Readout
from .setting import Network, Setting


class VGG(Network):
    """Stages of 3x3 convolutions with batch norm, each of which halves the map, then dense layers without norm.

    Args:
        width: channels of the first stage; the next have 2, 4, 8 and 8 times as many.
        blocks: convolutions per stage.
        hidden: neurons of the dense layers before the readout.
        downsample: "stride" of the last convolution of a stage, or pooling after it: "sumpool" of spikes, "maxpool",
            which exports with levels=1 only.
    """

    def __init__(
        self,
        setting: Setting,
        width: int = 64,
        blocks: Sequence[int] = (2, 2, 3, 3, 3),
        hidden: Sequence[int] = (512, 512),
        downsample: str = "stride",
    ) -> None:
        super().__init__(setting)
        channels = setting.in_shape[0]
        for i, count in enumerate(blocks):
            out = width * 2 ** min(i, 3)
            self.append(f"stage{i + 1}", _stage(setting, channels, out, count, downsample))
            channels = out
        self.append("flatten", Flatten())
        features = self.features()
        for i, neurons in enumerate(hidden):
            self.append(f"dense{i + 1}", Dense(features, neurons, neuron=setting.make_neuron(), norm=False))
            features = neurons
        self.append("readout", Readout(features, setting.num_classes))


def _stage(setting: Setting, channels: int, out: int, count: int, downsample: str) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i in range(count):
        stride = 2 if downsample == "stride" and i == count - 1 else 1
        layers[f"conv{i + 1}"] = Conv(channels, out, 3, stride, 1, neuron=setting.make_neuron())
        channels = out
    if downsample != "stride":
        layers["pool"] = Pool(2, mode=downsample.removesuffix("pool"))
    return nn.Sequential(layers)
