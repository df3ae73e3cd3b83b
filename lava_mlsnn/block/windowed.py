"""The base of window blocks: groups that fire one after the other within one timestep ([Yao2023], section 3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..graph.windows import Windows, check_region
from ..helpers.check import finite, flag
from ..neuron import MultiLevel, functional
from .fusion import THETA, check_fusion
from .partition import condense, partition, region_threshold


class Windowed(nn.Module):
    r"""The base of all window blocks: the sequence of groups and the recomposition of their maps.

    The input is cut into windows; ``current`` turns each into currents I_p. In order p = 1 .. P, with :math:`V_0 = 0`
    and the window :math:`M_p` of the condensed membrane of the preceding layer ([Yao2023], Eq 4 to 6, 9):

    .. math::
        H_p = \mathrm{fusion}(V_{p-1}, M_p) + N I_p, \quad
        z_p = \mathrm{clip}(\lfloor H_p / V_{th} \rfloor, 0, N), \quad V_p = H_p - V_{th} z_p

    The windows of z are condensed and pass the region threshold; those of V are condensed to this layer's membrane.

    Args:
        neuron: :class:`lava_mlsnn.neuron.MultiLevel`, the paper's with levels 1 and threshold 0.5 (it fires at the
            threshold, the paper's only above it); torch.nn.ReLU makes the ANN twin, which has no membranes: its windows
            are only condensed.
        groups: 1, 2 or 4.
        dilated: whether windows overlap.
        fusion: see :data:`lava_mlsnn.block.fusion.FUSIONS`: "omega" is the paper's.
        theta: radian factor of "omega".
        region: region threshold Th_R; None keeps median spikes ([Yao2023], Table 1, "MSp").

    Shape:
        (N, C, H, W, 1) -> (N, C', H, W, 1); where the fusion reads the preceding layer, ``forward`` also takes and
        returns a membrane (N, C', H, W), None for a network's first; one of another shape is ignored.

    Raises:
        ValueError: an unknown option, more than one timestep, or a map that the windows do not divide.
    """

    groups: int
    dilated: bool
    fusion: str
    theta: float
    region: float | None
    neuron: nn.Module | None

    def configure(self, groups: int, dilated: bool, fusion: str, theta: float, region: float | None) -> None:
        """Check and store the options; the constructor calls it."""
        dilated = flag(dilated, "dilated")
        Windows(8, 8, groups, dilated)
        if not isinstance(self.neuron, (MultiLevel, nn.ReLU, type(None))):
            raise ValueError(
                f"neuron {type(self.neuron).__name__} in windows: expected neuron.MultiLevel, torch.nn.ReLU or None: "
                "its membrane passes from group to group"
            )
        if start := getattr(self.neuron, "start", 0):
            raise ValueError(f"start of a neuron in windows: expected 0, as its first group has, got {start:g}")
        check_fusion(fusion)
        self.groups, self.dilated, self.fusion = groups, dilated, fusion
        self.theta, self.region = finite(theta, "theta"), None if region is None else check_region(region)

    @property
    def reads_layer(self) -> bool:
        """Whether it takes the membrane of the preceding layer and returns its own."""
        return isinstance(self.neuron, MultiLevel) and check_fusion(self.fusion).reads_layer

    def windows(self, shape: Any) -> Windows:
        """Windows of a map (..., H, W)."""
        return Windows(int(shape[-2]), int(shape[-1]), self.groups, self.dilated)

    def parts(self, maps: Tensor, windows: Windows) -> Tensor:
        """What the windows of (N, C, H, W) hold: (groups, N, C, h, w)."""
        return partition(maps, windows)

    def current(self, x: Tensor) -> Tensor:
        """Currents of windows (B, C, h, w) -> (B, C', h, w)."""
        raise NotImplementedError

    def float_forward(self, x: Tensor, membrane: Tensor | None) -> Any:
        """``forward`` in float mode, with spikes as z / N."""
        maps = one_step(x)
        windows = self.windows(maps.shape)
        parts = self.parts(maps, windows)
        currents = self.current(parts.flatten(0, 1)).unflatten(0, (windows.groups, -1))
        if not isinstance(self.neuron, MultiLevel):
            sent = currents if self.neuron is None else self.neuron(currents)
            return condense(sent, windows).unsqueeze(-1)
        if membrane is not None and membrane.shape != (*maps.shape[:1], *currents.shape[2:3], *maps.shape[2:]):
            membrane = None
        before = None if membrane is None else partition(membrane, windows)
        spikes, left = self.fired(currents, before, self.neuron)
        out = self.recomposed(spikes, windows, self.neuron.levels).unsqueeze(-1) / self.neuron.levels
        return (out, condense(left, windows)) if self.reads_layer else out

    def fired(self, currents: Tensor, before: Tensor | None, neuron: MultiLevel) -> tuple[Tensor, Tensor]:
        """Whole-numbered spikes and membranes of all groups, one after the other.

        Shape:
            currents, before and both results: (groups, N, C, h, w).
        """
        neuron.clamp()
        fuse = check_fusion(self.fusion).function
        spikes: list[Tensor] = []
        left: list[Tensor] = []
        for p, current in enumerate(currents):
            start = None
            if fuse is not None and (left or before is not None):
                a = left[-1] if left else torch.zeros_like(current)
                start = fuse(a, torch.zeros_like(current) if before is None else before[p], self.theta)
            z, v = functional.multilevel(
                current.unsqueeze(-1), start, neuron.threshold, neuron.levels, neuron.alpha, neuron.grad
            )
            spikes.append(z.squeeze(-1))
            left.append(v)
        return torch.stack(spikes), torch.stack(left)

    def recomposed(self, spikes: Tensor, windows: Windows, levels: int) -> Tensor:
        """Spikes of the whole map (N, C, H, W) from those of its windows."""
        median = condense(spikes, windows)
        return median if self.region is None else region_threshold(median, levels, self.region)

    def options(self) -> str:
        """The options as text."""
        return (
            f"groups={self.groups}, dilated={self.dilated}, fusion={self.fusion!r}, theta={self.theta:g}, "
            f"region={self.region}"
        )


class WindowMixer(Windowed):
    """Any map of windows as the current, a recurrent mixer for instance. It has no integer layer.

    Args:
        mixer: windows (B, C, h, w) -> (B, C', h, w). Its attribute ``needs``, if it has one, says what it needs that
            integer layers do not have.
        neuron, groups, dilated, fusion, theta, region: see :class:`Windowed`.
        norm: batch norm of the current, or None.
    """

    def __init__(
        self,
        mixer: nn.Module,
        *,
        neuron: nn.Module | None,
        groups: int = 4,
        dilated: bool = False,
        fusion: str = "omega",
        theta: float = THETA,
        region: float | None = 0.1,
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.mixer, self.norm, self.neuron = mixer, norm, neuron
        self.configure(groups, dilated, fusion, theta, region)

    def current(self, x: Tensor) -> Tensor:
        y: Tensor = self.mixer(x)
        return y if self.norm is None else self.norm(y)

    def forward(self, x: Tensor, membrane: Tensor | None = None) -> Any:
        return self.float_forward(x, membrane)

    @property
    def no_integer_layer(self) -> str:
        """Why this block cannot become integer layers: what its mixer says of itself, if it does."""
        why = getattr(self.mixer, "needs", "convolutions alone have one there")
        return (
            f"a {type(self.mixer).__name__} in windows has no integer layer: {why}; expected a convolution "
            "(block.Window), or train.float_run, which runs it as it is"
        )

    def extra_repr(self) -> str:
        return self.options()


def one_step(x: Tensor) -> Tensor:
    """(N, C, H, W, 1) -> (N, C, H, W).

    Raises:
        ValueError: more than one timestep: groups follow one another within a timestep.
    """
    if x.ndim != 5 or x.shape[-1] != 1:
        raise ValueError(
            f"window block: expected one timestep, (N, C, H, W, 1), got {tuple(x.shape)}: create the network with "
            "steps=1, groups replace timesteps ([Yao2023], Eq 10)"
        )
    return x[..., 0]
