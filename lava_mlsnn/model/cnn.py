"""A small convolutional network."""

from __future__ import annotations

from ..block import Conv, Flatten, Readout
from .setting import Network, Setting


class CNN(Network):
    """3x3 convolutions, the first with stride 1, each further one with stride 2 and twice the channels; a readout.

    Args:
        width: channels of the first convolution.
        depth: number of convolutions.
    """

    def __init__(self, setting: Setting, width: int = 32, depth: int = 3) -> None:
        super().__init__(setting)
        channels = setting.in_shape[0]
        for i in range(depth):
            out = width * 2**i
            conv = Conv(channels, out, 3, 1 if i == 0 else 2, 1, neuron=setting.make_neuron())
            self.append(f"conv{i + 1}", conv)
            channels = out
        self.append("flatten", Flatten())
        self.append("readout", Readout(self.features(), setting.num_classes))
