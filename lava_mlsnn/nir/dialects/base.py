"""What NIR leaves to the libraries that write it, as one object per library."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import finite, flag, integer

Floats = NDArray[np.float64]

CHOICES = {
    "fires": (">", ">="),
    "reset": ("hard", "soft"),
    "leak": ("euler", "exp"),
    "gain": ("nir", "one", "keep"),
    "synapse_gain": ("nir", "one", "keep"),
    "readout_gain": ("nir", "one", "keep"),
    "if_gain": ("nir", "one"),
    "start": ("zero", "leak", "reset"),
}


@dataclass(frozen=True)
class Dialect:
    r"""How one library reads and writes the neurons of NIR, step by step of length dt.

    .. math::
        i \leftarrow k_{syn} i + g_{syn} I, \quad v \leftarrow k_{mem} v + (1 - k_{mem}) v_{leak} + g\, i

    Attributes:
        name: of the library.
        dt: seconds of a timestep.
        fires: ">" or ">=": how v compares with the threshold.
        reset: "hard", to v_reset, or "soft", which subtracts the threshold.
        reset_delay: whether a reset takes effect in the step after the spike.
        owed: whether, without ``reset_delay``, a soft reset that leaves more than the threshold counts as a spike that
            is still to be paid for, as in snnTorch.
        max_spikes: most spikes of a neuron in one step; None: as many as there are thresholds in v.
        leak: k is 1 - dt / tau ("euler") or exp(-dt / tau) ("exp").
        gain: g is r (1 - k) ("nir"), 1 ("one") or k ("keep"); a number is g itself.
        synapse_gain: the same for g_syn, with w_in in place of r.
        readout_gain: the same for g of a leaky integrator that never spikes.
        if_gain: g of an IF and of an I is r dt ("nir") or r ("one"), or a number.
        min_v_mem: lower bound of v after each step; None: none.
        start: v at the beginning: "zero", v_leak ("leak") or v_reset ("reset").
        tau_unit: seconds that a time constant of 1 in the file stands for.
        open: what files of the library do not say, so that it is assumed.
    """

    name: str
    dt: float = 1e-4
    fires: str = ">"
    reset: str = "hard"
    reset_delay: bool = False
    owed: bool = False
    max_spikes: int | None = 1
    leak: str = "euler"
    gain: str | float = "nir"
    synapse_gain: str | float = "nir"
    readout_gain: str | float = "nir"
    if_gain: str | float = "nir"
    min_v_mem: float | None = None
    start: str = "zero"
    tau_unit: float = 1.0
    open: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if "gain" in name and not isinstance(value, str):
                finite(value, name, positive=True)
            elif value not in allowed:
                numbers = " or a number" if "gain" in name else ""
                raise ValueError(f"{name}: expected one of {allowed}{numbers}, got {value!r}")
        for name in ("dt", "tau_unit"):
            object.__setattr__(self, name, finite(getattr(self, name), name, positive=True))
        for name in ("reset_delay", "owed"):
            object.__setattr__(self, name, flag(getattr(self, name), name))
        if self.max_spikes is not None:
            object.__setattr__(self, "max_spikes", integer(self.max_spikes, "max_spikes", 1, 2**31 - 1))
        if self.min_v_mem is not None:
            object.__setattr__(self, "min_v_mem", finite(self.min_v_mem, "min_v_mem"))

    def for_graph(self, nodes: dict[str, Any], given: dict[str, Any]) -> Dialect:
        """The dialect for the nodes of one file: what its numbers betray, unless it is among the options ``given``."""
        return self

    def decay(self, tau: Floats) -> Floats:
        """1 - k, of time constants as the file states them."""
        ratio = self.dt / (tau * self.tau_unit)
        return ratio if self.leak == "euler" else -np.expm1(-ratio)

    def gain_of(self, which: str, r: Floats, decay: Floats) -> Floats:
        """g of a leak ``decay``, for an option that is a gain; infinite time constants have infinite resistances."""
        kind = getattr(self, which)
        if kind == "nir":
            return np.where(np.isinf(r), 1.0, np.where(np.isinf(r), 0.0, r) * decay)
        if kind == "keep":
            return 1 - decay
        return np.full(decay.shape, 1.0 if kind == "one" else kind)

    def integrator_gain(self, r: Floats) -> Floats:
        """g of an IF or I, which have no leak."""
        if isinstance(self.if_gain, str):
            return r * self.dt if self.if_gain == "nir" else r
        return np.full(r.shape, self.if_gain)

    def takes_effect(self, recurrent: bool, filtered: bool) -> str:
        """When a reset of :class:`~lava_mlsnn.graph.neurons.CubaLIF` takes effect."""
        if self.reset_delay:
            return "next"
        return "owed" if self.owed and self.reset == "soft" else "same"


OPTIONS = tuple(f.name for f in fields(Dialect) if f.name not in ("name", "owed", "open"))
"""What of a dialect can be replaced."""
