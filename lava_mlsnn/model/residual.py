"""The four residual forms of [Castagnetti2025], Fig. 3. Each is a module of one residual block: (in, out, stride) ->
spikes."""

from __future__ import annotations

from torch import Tensor, nn

from ..block import Add, Block, Conv, conv, identity
from .setting import Setting


class Spiking(nn.Module):
    """(a) Spiking ResNet: the neuron follows the sum of two currents."""

    def __init__(self, setting: Setting, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Conv(channels, out, 3, stride, 1, neuron=setting.make_neuron())
        shortcut = identity() if _same(channels, out, stride) else conv(channels, out, 1, stride)
        self.conv2 = Block([conv(out, out, 3, 1, 1), shortcut], setting.make_neuron())

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x), x)


class Sew(nn.Module):
    """(b) SEW ResNet: spikes are added (g = ADD); nothing limits the sum."""

    def __init__(self, setting: Setting, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Conv(channels, out, 3, stride, 1, neuron=setting.make_neuron())
        self.conv2 = Conv(out, out, 3, 1, 1, neuron=setting.make_neuron())
        self.shortcut = (
            None if _same(channels, out, stride) else Conv(channels, out, 1, stride, neuron=setting.make_neuron())
        )
        self.add = self.make_add(setting)

    @staticmethod
    def make_add(setting: Setting) -> Add:
        """The sum at the end of the block."""
        return Add()

    def forward(self, x: Tensor) -> Tensor:
        return self.add(self.conv2(self.conv1(x)), x if self.shortcut is None else self.shortcut(x))


class Sparse(Sew):
    """(d) Sparse ResNet: SEW with a barrier neuron after the sum (section 4.4)."""

    @staticmethod
    def make_add(setting: Setting) -> Add:
        return Add(setting.make_barrier())


class Ms(nn.Module):
    """(c) MS ResNet: the residual adds currents to currents, so it is not event based and cannot be exported."""

    def __init__(self, setting: Setting, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.spike = Block([identity()], setting.make_neuron())
        self.conv1 = Conv(channels, out, 3, stride, 1, neuron=setting.make_neuron())
        self.conv2 = Conv(out, out, 3, 1, 1)
        self.shortcut = None if _same(channels, out, stride) else Conv(channels, out, 1, stride)
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        return self.add(self.conv2(self.conv1(self.spike(x))), x if self.shortcut is None else self.shortcut(x))


FORMS: dict[str, type[nn.Module]] = {"spiking": Spiking, "sew": Sew, "ms": Ms, "sparse": Sparse}


def _same(channels: int, out: int, stride: int) -> bool:
    return channels == out and stride == 1
