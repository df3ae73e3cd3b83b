"""The three residual connections of spiking networks ([VicenteSola2022], section 3.2.1, Fig. 1): S2S, S2M and V2V."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from ..block import Connection, Leaky
from ..block.norm import Norm


@dataclass(frozen=True)
class Parts:
    """What the layers of a network are made of.

    Args:
        neuron, norm: make a new neuron, and a norm for a number of channels.
        threshold: Vth, the weight of a residual spike in S2M.
        fraction, bits: of currents that are sent as messages.
    """

    neuron: Callable[[], nn.Module]
    norm: Callable[[int], Norm | None]
    threshold: float
    fraction: int
    bits: int

    def conv(self, channels: int, out: int, kernel: int, stride: int) -> Connection:
        """A convolution without bias, and its norm."""
        return Connection(nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False), self.norm(out))

    def fire(self, channels: int, out: int, kernel: int = 3, stride: int = 1, graded: bool = False) -> Leaky:
        """Convolution, norm, neurons; ``graded`` spikes are of the size of 1.0 in a sum with currents."""
        return Leaky([self.conv(channels, out, kernel, stride)], self.neuron(), self.fraction if graded else 0)

    def current(self, channels: int, out: int, kernel: int = 3, stride: int = 1) -> Leaky:
        """Convolution and norm, whose current is sent as it is."""
        return Leaky([self.conv(channels, out, kernel, stride)], None, self.fraction, self.bits)

    def shortcut(self, channels: int, out: int, stride: int) -> Leaky | None:
        """The 1x1 convolution of a residual path that changes its shape; None if it does not."""
        return None if channels == out and stride == 1 else self.current(channels, out, 1, stride)


class S2S(nn.Module):
    """Spikes are added to spikes (Eq 10). Where the map shrinks, a 1x1 convolution without neuron (Eq 13) is added.

    A network of integers adds graded spikes: after the first 1x1 convolution a spike is the integer 2^fraction.
    """

    def __init__(self, parts: Parts, channels: int, out: int, stride: int, graded: bool) -> None:
        super().__init__()
        self.conv1 = parts.fire(channels, out, 3, stride)
        self.conv2 = parts.fire(out, out, 3, 1, graded)
        self.shortcut = parts.shortcut(channels, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x)) + (x if self.shortcut is None else self.shortcut(x))

    @classmethod
    def stem(cls, parts: Parts, channels: int, out: int, kernel: int, stride: int) -> nn.Module:
        """The first layer."""
        return parts.fire(channels, out, kernel, stride)

    @classmethod
    def body(cls, parts: Parts, blocks: Sequence[nn.Module]) -> nn.Module:
        """All blocks, one after the other."""
        return nn.Sequential(*blocks)


class S2M(S2S):
    """Spikes enter the membrane of the second layer with the weight Vth (Eq 7).

    A norm per timestep scales the second convolution but not the residual spikes. The integer network therefore sends
    the normed current as messages, to neurons that also read the residual spikes through an identity synapse.
    """

    def __init__(self, parts: Parts, channels: int, out: int, stride: int, graded: bool) -> None:
        nn.Module.__init__(self)
        self.conv1 = parts.fire(channels, out, 3, stride)
        self.conv2 = parts.current(out, out)
        self.shortcut = parts.shortcut(channels, out, stride)
        gain = parts.threshold if self.shortcut is None else 1.0
        self.fire = Leaky([Connection(nn.Identity()), Connection(nn.Identity(), gain=gain)], parts.neuron())

    def forward(self, x: Tensor) -> Tensor:
        return self.fire(self.conv2(self.conv1(x)), x if self.shortcut is None else self.shortcut(x))


class V2V(nn.Module):
    """What entered the membrane a block earlier enters the membrane of the second layer, too (Eq 15 and 16).

    The integer network sends the normed currents as messages; the neurons add those of all blocks of the stage, through
    one identity synapse with several sources (Eq 18).

    Shape:
        spikes and currents (N, C, H, W, T) -> the same.
    """

    def __init__(self, parts: Parts, channels: int, out: int, stride: int, graded: bool) -> None:
        super().__init__()
        self.conv1 = parts.fire(channels, out, 3, stride)
        self.conv2 = parts.current(out, out)
        self.shortcut = parts.shortcut(channels, out, stride)
        self.fire = Leaky([Connection(nn.Identity())], parts.neuron())

    def forward(self, spikes: Tensor, entered: Tensor) -> tuple[Tensor, Tensor]:
        residual = entered if self.shortcut is None else self.shortcut(entered)
        entered = self.conv2(self.conv1(spikes)) + residual
        return self.fire(entered), entered

    @classmethod
    def stem(cls, parts: Parts, channels: int, out: int, kernel: int, stride: int) -> nn.Module:
        """The first convolution, whose current the body needs."""
        return parts.current(channels, out, kernel, stride)

    @classmethod
    def body(cls, parts: Parts, blocks: Sequence[nn.Module]) -> nn.Module:
        """All blocks, after the neurons of the first layer."""
        return _V2VBody(blocks, Leaky([Connection(nn.Identity())], parts.neuron()))


class _V2VBody(nn.Module):
    """Passes spikes and currents from block to block; the first neurons read the stem's current."""

    def __init__(self, blocks: Sequence[nn.Module], fire: Leaky) -> None:
        super().__init__()
        self.fire = fire
        self.blocks = nn.ModuleList(blocks)

    def forward(self, entered: Tensor) -> Tensor:
        spikes = self.fire(entered)
        for part in self.blocks:
            spikes, entered = part(spikes, entered)
        return spikes


RESIDUALS: dict[str, type[S2S] | type[V2V]] = {"s2s": S2S, "s2m": S2M, "v2v": V2V}
