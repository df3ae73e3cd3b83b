"""The recurrent dilated-window network of [Yao2023] ("VIT-12"): window layers are 2-D recurrent mixers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..block import Conv, ScanWindow, Window, WindowMixer
from ..block.fusion import THETA
from ..block.scan import CLIP
from ..helpers.check import choice, integer
from ..neuron import MultiLevel
from .setting import Setting
from .window import STAGES, Part, WindowNetwork, WindowOptions

CELLS: dict[str, tuple[Any, bool]] = {
    "lstm": (nn.LSTM, False),
    "gru": (nn.GRU, False),
    "rnn": (nn.RNN, False),
    "birnn": (nn.RNN, True),
    "mlp": (None, False),
}
"""Name -> recurrent cell (None: a perceptron per site) and whether it reads in both directions ([Yao2023], Table 6)."""

_PRODUCTS = "its gates multiply states of the network with one another, and a synapse multiplies by stored weights only"
_TANH = (
    "the state that passes from site to site is the tanh of a sum, a real number, and neurons send integers "
    "(option messages=15 does)"
)
NEEDS = {
    "lstm": _PRODUCTS,
    "gru": _PRODUCTS,
    "rnn": _TANH,
    "birnn": _TANH,
    "mlp": "the ReLU between its two layers sends real numbers, and neurons send integers (option messages=15 does)",
}
"""Name -> why a mixer of these cells has no integer layer."""


class Mixer2d(nn.Module):
    """Two recurrent networks over a window: one along each row, one along each column, half of the channels each.

    Args:
        channels, out: features per site.
        cell: one of :data:`CELLS`; "mlp" is a perceptron with one hidden layer at each site, without recurrence.

    Shape:
        (B, C, h, w) -> (B, C', h, w).

    Raises:
        ValueError: unknown cell, or ``out`` not a multiple of 2 (4 for "birnn").

    Example:
        >>> Mixer2d(3, 8, "lstm")(torch.rand(2, 3, 4, 6)).shape
        torch.Size([2, 8, 4, 6])
    """

    def __init__(self, channels: int, out: int, cell: str = "lstm") -> None:
        super().__init__()
        choice(cell, "cell", CELLS)
        self.channels, self.out = integer(channels, "channels", 1), integer(out, "channels", 1)
        self.cell = cell
        kind, both = CELLS[cell]
        if kind is None:
            self.hidden = out
            self.site = nn.Sequential(nn.Linear(channels, out), nn.ReLU(), nn.Linear(out, out))
            return
        share = 4 if both else 2
        if out % share:
            raise ValueError(f"a {cell} mixer of {out} channels: expected a multiple of {share}")
        self.hidden = out // share
        self.row = kind(channels, self.hidden, batch_first=True, bidirectional=both)
        self.column = kind(channels, self.hidden, batch_first=True, bidirectional=both)

    def forward(self, x: Tensor) -> Tensor:
        sites = x.permute(0, 2, 3, 1)  # (B, h, w, C)
        if CELLS[self.cell][0] is None:
            mixed = self.site(sites)
        else:
            along_rows = _along(self.row, sites)
            along_columns = _along(self.column, sites.transpose(1, 2)).transpose(1, 2)
            mixed = torch.cat((along_rows, along_columns), -1)
        return mixed.permute(0, 3, 1, 2).contiguous()

    @property
    def needs(self) -> str:
        """What it needs that integer layers do not have."""
        return NEEDS[self.cell]

    def extra_repr(self) -> str:
        return f"{self.channels}, {self.out}, cell={self.cell!r}"


def _along(cell: nn.Module, sites: Tensor) -> Tensor:
    """A recurrent cell over the second to last axis of (B, lines, sites, C)."""
    found: Tensor = cell(sites.flatten(0, 1))[0]
    return found.unflatten(0, sites.shape[:2])


class WindowRNN(WindowNetwork):
    """2-D recurrent mixers in windows; see :mod:`lava_mlsnn.model.window` for the layout and how it was read.

    Its cells do not export as printed (:data:`NEEDS` says why); ``train.float_run`` measures them. Every F is a
    perceptron of two layers of spiking neurons at each site, without shortcut, as printed: "MLP-96" in the third stage
    of 192 channels has 96 hidden neurons.

    With ``messages`` the mixers "mlp", "rnn" and "birnn" export like
    :class:`~lava_mlsnn.model.window_cnn.WindowCNN`. What passes within a mixer becomes graded spikes, rounded down to
    multiples of :data:`~lava_mlsnn.block.scan.CLIP` / ``messages`` and clipped at that, behind a batch norm:

    * "mlp" is two 1x1 convolutions, ``NAME_mlp`` and, in windows, ``NAME``, with messages in place of the ReLU between
      them. Nothing else changes, as a perceptron of each site computes the same before a map is cut into windows.
    * "rnn" and "birnn" are a :class:`~lava_mlsnn.block.ScanWindow`, with messages in place of the tanh. Their ANN twin
      keeps the tanh.

    Args:
        width: channels of the first stage.
        stages: one text per stage: w is a window layer, F a perceptron.
        cell: "lstm", "gru", "rnn", "birnn" or "mlp".
        groups, dilated, fusion, theta, region: see :class:`lava_mlsnn.model.window.WindowOptions`.
        messages: levels of the spikes within a mixer without gates; None sends real numbers there.
    """

    def __init__(
        self,
        setting: Setting,
        width: int = 48,
        stages: Sequence[str] = STAGES,
        cell: str = "lstm",
        groups: int = 4,
        dilated: bool = True,
        fusion: str = "omega",
        theta: float = THETA,
        region: float | None = 0.1,
        messages: int | None = None,
    ) -> None:
        self.cell, self.messages = cell, messages
        super().__init__(setting, width, stages, WindowOptions(groups, dilated, fusion, theta, region))

    def make_window(self, part: Part, arguments: dict[str, Any]) -> nn.Module:
        recurrent, both = CELLS[self.cell]
        if self.messages is not None and recurrent is None:
            relu = nn.ReLU() if self.setting.is_twin else MultiLevel(self.messages, CLIP, grad="ste")
            self.append(f"{part.name}_mlp", Conv(part.channels, part.out, 1, neuron=relu))
            return Window(part.out, part.out, 1, neuron=self.make_neuron(), **arguments)
        if self.messages is not None and not self.setting.is_twin:
            neuron, messages = self.make_neuron(), self.messages
            return ScanWindow(part.channels, part.out, messages=messages, both=both, neuron=neuron, **arguments)
        mixer = Mixer2d(part.channels, part.out, self.cell)
        return WindowMixer(mixer, neuron=self.make_neuron(), norm=nn.BatchNorm2d(part.out), **arguments)

    def make_full(self, part: Part) -> nn.Module:
        hidden = max(part.channels // 2, 1) if part.stage == 2 else part.channels
        first = Conv(part.channels, hidden, 1, neuron=self.make_neuron())
        return nn.Sequential(OrderedDict(fc1=first, fc2=Conv(hidden, part.out, 1, neuron=self.make_neuron())))

    def make(self, part: Part, options: WindowOptions) -> nn.Module:
        return self.make_full(part) if part.kind == "F" else super().make(part, options)
