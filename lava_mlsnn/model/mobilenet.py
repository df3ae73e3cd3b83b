"""MobileNetV2 with spiking inverted residuals: the next architecture that [Castagnetti2025]'s conclusion asks for.

Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, CVPR 2018, Table 2 and section 3.3. The
original adds the linear outputs of its bottlenecks, which are membrane potentials and no events (as in MS-ResNet). Here
a neuron follows the projection, too, and spikes are added: as in SEW-ResNet, or with a barrier as in Sparse-ResNet.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..block import Add, Conv
from .resnet import STEMS, stem_for
from .setting import Network, Setting

CHANNELS = (16, 24, 32, 64, 96, 160, 320)
"""Of the stages, for a stem of 32."""
STRIDES = {"cifar": (1, 1, 2, 2, 1, 2, 1), "dvs": (1, 2, 2, 2, 1, 2, 1)}
HEAD = 1280
WIDTH = 32


class InvertedResidual(nn.Module):
    """1x1 convolution to ``expansion`` times the channels, 3x3 depthwise convolution, 1x1 convolution back.

    Each has a batch norm and a neuron. Input spikes are added to output spikes where the shapes are equal.

    Shape:
        (N, channels, H, W, T) -> (N, out, H / stride, W / stride, T).
    """

    def __init__(self, setting: Setting, channels: int, out: int, stride: int, expansion: int, form: str) -> None:
        super().__init__()
        wide = channels * expansion
        expands = expansion > 1
        self.expand = Conv(channels, wide, 1, neuron=setting.make_neuron()) if expands else None
        self.depthwise = Conv(wide, wide, 3, stride, 1, neuron=setting.make_neuron(), groups=wide)
        self.project = Conv(wide, out, 1, neuron=setting.make_neuron())
        self.add = None
        if stride == 1 and channels == out:
            self.add = Add(setting.make_barrier() if form == "sparse" else None)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return y if self.add is None else self.add(y, x)


class MobileNet(Network):
    """Stem, seven stages of inverted residuals, 1x1 convolution, average over the map, readout.

    Args:
        form: "sew" adds spikes; "sparse" puts a barrier after each sum.
        width: channels of the stem; 32 is the paper's network, all others have ``width / 32`` times its channels.
        blocks: inverted residuals per stage, up to seven stages; the first one of a stage has its stride.
        expansion: of all stages but the first, which has none.
        stem: "dvs" has the strides of the paper, 32 in all; "cifar" leaves out the first two, so that images of 32x32
            end as maps of 4x4; default is dvs for images of 64 rows and more.

    Example:
        >>> import torch
        >>> from lava_mlsnn import model
        >>> net = model.create("sparse_mobilenet_v2", in_shape=(3, 32, 32), width=8, levels=4)
        >>> net(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        setting: Setting,
        form: str = "sparse",
        width: int = WIDTH,
        blocks: Sequence[int] = (1, 2, 3, 4, 3, 3, 1),
        expansion: int = 6,
        stem: str | None = None,
    ) -> None:
        super().__init__(setting)
        stem = stem_for(setting, stem)
        first = Conv(setting.in_shape[0], width, 3, STEMS[stem], 1, neuron=setting.make_neuron())
        self.append("stem", first)
        channels = width
        for i, (count, base, stride) in enumerate(zip(blocks, CHANNELS, STRIDES[stem], strict=False)):
            out = _scaled(base, width)
            stage = []
            for j in range(count):
                grow = expansion if i else 1
                stage.append(InvertedResidual(setting, channels, out, 1 if j else stride, grow, form))
                channels = out
            self.append(f"stage{i + 1}", nn.Sequential(*stage))
        head = _scaled(HEAD, width)
        self.append("head", Conv(channels, head, 1, neuron=setting.make_neuron()))
        self.append_head(head)


def _scaled(channels: int, width: int) -> int:
    return max(1, round(channels * width / WIDTH))
