"""What flows between blocks: the units and bounds that turn real-valued training into integers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..helpers.check import Shape


@dataclass(frozen=True)
class Signal:
    r"""Spikes (or pixels) between two blocks.

    In float mode a tensor holds :math:`z / N`, in quantized mode the integers :math:`z` themselves.

    Args:
        shape: (C, H, W) of one timestep; (features, 1, 1) for dense features.
        levels: N, the integer that stands for 1.0: levels of the spikes; 1 / scale for pixels; N K^2 after an average
            over K x K sites.
        bound: largest absolute value of z; more than N after a sum.
        deltas: whether the messages are changes, as sigma-delta neurons send them.
        signed: whether z can be negative.
    """

    shape: Shape
    levels: float
    bound: int
    deltas: bool = False
    signed: bool = False

    def __add__(self, other: Signal) -> Signal:
        """The sum of two signals in a dendrite.

        Raises:
            ValueError: other shape, or other levels, as integers can only be added in one unit.

        >>> (Signal((8, 4, 4), 4, 4) + Signal((8, 4, 4), 4, 4)).bound
        8
        """
        if self.shape != other.shape:
            raise ValueError(f"a sum of shapes {self.shape} and {other.shape}: expected one shape")
        if self.levels != other.levels:
            raise ValueError(
                f"a sum of spikes with levels {self.levels:g} and {other.levels:g}: expected equal levels, "
                "as integer spikes are added without weights"
            )
        if self.deltas != other.deltas:
            raise ValueError("a sum of spikes and of changes (sigma-delta): expected one kind")
        return replace(self, bound=self.bound + other.bound, signed=self.signed or other.signed)
