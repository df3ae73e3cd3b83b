r"""Arithmetic-only energy of [Yao2023]: additions and multiplications in 45 nm, 32-bit float, no memory.

* ANN layer: :math:`\#OP` multiply-accumulates (Eq 14), 4.6 pJ each.
* SNN layer: :math:`s\,T\,\#OP` additions, 0.9 pJ each, with s the mean spikes per neuron and timestep; the analog first
  layer does T times its multiply-accumulates.

Warning:
    * Eq 13 multiplies the spikes "over all time steps" by T, and the addition count multiplies by T again. Here
      :math:`s\,T` is the number of events per input site during one inference; for T = 1 both readings agree.
    * The rate that scales a layer's operations is that of its inputs, whose events cause them.
    * Table 2 charges 0.9 pJ per addition on top of 4.6 pJ per multiply-accumulate, so an ANN pays its additions twice
      (5.5 pJ instead of 4.6). ``double_count=True`` repeats that; it is off.
    * Every energy in Table 2 is printed 1000 times too large (J for mJ, mJ for uJ): see :func:`table2`.
    * [Yao2023] knows binary spikes only; N additions per operation of an N-level spike follow [Castagnetti2025]
      (extension).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..helpers.check import finite, flag, integer
from .constants import HOROWITZ_FP32
from .geometry import Geometry

KINDS = ("conv", "dense", "lstm", "pool", "add", "barrier", "identity", "flatten")


@dataclass(frozen=True)
class LayerEnergy:
    """Joules of one layer and one inference, and the operations behind them.

    Args:
        accumulate: joules of the additions.
        multiply: joules of the multiply-accumulates.
        additions, macs: their numbers; with ``double_count`` the additions include one per MAC.
        operations: #OP of Eq 14, the multiply-accumulates of the same layer in an ANN.
    """

    accumulate: float = 0.0
    multiply: float = 0.0
    additions: float = 0.0
    macs: float = 0.0
    operations: float = 0.0
    extension: bool = False

    @property
    def total(self) -> float:
        """Joules of the layer."""
        return self.accumulate + self.multiply

    @property
    def terms(self) -> dict[str, float]:
        """Term -> joules."""
        return {"accumulate": self.accumulate, "multiply": self.multiply}

    def __add__(self, other: LayerEnergy) -> LayerEnergy:
        return LayerEnergy(
            self.accumulate + other.accumulate,
            self.multiply + other.multiply,
            self.additions + other.additions,
            self.macs + other.macs,
            self.operations + other.operations,
            self.extension or other.extension,
        )


TERMS = ("accumulate", "multiply")


def operations(kind: str, in_shape: Any, out_shape: Any, kernel: Any = (3, 3), groups: int = 1) -> int:
    r"""#OP of Eq 14: multiply-accumulates of a layer of an ANN.

    conv: :math:`K_w K_h C_{in} H_{out} W_{out} C_{out}` (divided by ``groups``); lstm, per timestep:
    :math:`4 (C_{in} + C_{out}) C_{out}`; dense: :math:`f_{in} f_{out}`; pooling, sums and relays: 0.

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Example:
        >>> operations("conv", (3, 32, 32), (64, 32, 32)), operations("lstm", 8, 16)
        (1769472, 1536)
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    g = Geometry("dense" if kind == "lstm" else kind, in_shape, out_shape, kernel, groups=groups)
    if kind == "lstm":
        return 4 * (g.n_in + g.n_out) * g.n_out
    return g.dense_macs if kind in ("conv", "dense") else 0


def layer(
    kind: str,
    in_shape: Any,
    out_shape: Any,
    kernel: Any = (3, 3),
    groups: int = 1,
    events_in: float | None = None,
    steps: int = 1,
    levels: float = 1,
    analog_input: bool = False,
    double_count: bool = False,
) -> LayerEnergy:
    """Energy of one layer: of an ANN when ``events_in`` is None, else of a spiking network.

    Args:
        kind: "conv", "dense", "lstm"; or "pool", "add", "barrier", "identity", "flatten", which cost nothing.
        in_shape, out_shape: (C, H, W), or the number of features.
        kernel, groups: of a convolution.
        events_in: spikes that enter during one inference, all T steps together.
        steps: T, which multiplies the MACs of an analog input ([Yao2023], section 4.2).
        levels: additions per operation of a spike, N in the worst case (extension for N > 1).
        analog_input: the input is an image; multiply-accumulates in every timestep.
        double_count: charge the addition inside a MAC a second time, as Table 2 does.

    Returns:
        LayerEnergy: ``.accumulate .multiply .total`` in joules, ``.additions .macs``.

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Source:
        [Yao2023], Eq 13 and 14, section 4.2.

    Example:
        >>> layer("dense", 100, 10).total, layer("dense", 100, 10, events_in=25).additions
        (4.6e-09, 250.0)
    """
    ops = operations(kind, in_shape, out_shape, kernel, groups)
    steps, levels = integer(steps, "steps", 1), finite(levels, "levels", low=0)
    analog_input, double_count = flag(analog_input, "analog_input"), flag(double_count, "double_count")
    if events_in is None or analog_input:
        macs = ops * (1 if events_in is None else steps)
        return _price(0.0, macs, ops, double_count)
    rate = finite(events_in, "events_in", low=0) / Geometry("dense", in_shape, out_shape).n_in
    return _price(levels * rate * ops, 0.0, ops, double_count, extension=levels > 1)


def energy(additions: float, macs: float) -> float:
    """Joules of additions (0.9 pJ) and multiply-accumulates (4.6 pJ, their own addition included).

    Example:
        >>> round(energy(132e6, 2.14e6) * 1e6, 1)  # microjoules, SNN Res12F-CNN of Table 2
        128.6
    """
    return additions * HOROWITZ_FP32["add"] + macs * HOROWITZ_FP32["mac"]


def _price(additions: float, macs: float, ops: float, double_count: bool, extension: bool = False) -> LayerEnergy:
    additions = additions + (macs if double_count else 0.0)
    return LayerEnergy(energy(additions, 0.0), energy(0.0, macs), additions, macs, float(ops), extension)


@dataclass(frozen=True)
class Table2Row:
    """One row of Table 2 of [Yao2023].

    Args:
        network: its name there, "ANN" or "SNN" first.
        additions, macs: its columns #Add and #Mult.
        printed, unit: its energy as printed.
    """

    network: str
    additions: float
    macs: float
    printed: float
    unit: str

    @property
    def as_printed(self) -> float:
        """Joules, taking the printed unit literally."""
        return self.printed * {"J": 1.0, "mJ": 1e-3}[self.unit]

    @property
    def recomputed(self) -> float:
        """Joules from the row's own counts by the table's rule, 0.9 pJ per #Add and 4.6 pJ per #Mult."""
        return energy(self.additions, self.macs)

    @property
    def corrected(self) -> float:
        """Joules with the addition inside each MAC charged once: an ANN's #Add are those of its MACs."""
        inside = self.macs if self.network.startswith("ANN") else 0.0
        return energy(self.additions - inside, self.macs)


def table2() -> tuple[Table2Row, ...]:
    """The seven rows of Table 2 of [Yao2023] (CIFAR-10, 45 nm).

    Example:
        >>> [f"{row.recomputed * 1e3:.4g} mJ, printed {row.printed} {row.unit}" for row in table2()][::3]
        ['12.57 mJ, printed 12.6 J', '0.1683 mJ, printed 168 mJ', '0.09553 mJ, printed 96 mJ']
    """
    return (
        Table2Row("ANN Res-19", 2285e6, 2285e6, 12.6, "J"),
        Table2Row("ANN ResNET-12F", 247e6, 247e6, 1.35, "J"),
        Table2Row("ANN VIT-12", 251e6, 251e6, 1.38, "J"),
        Table2Row("SNN Res-20 (T=5)", 142e6, 8.80e6, 168, "mJ"),
        Table2Row("SNN Res-19 (T=2)", 360e6, 6.80e6, 355, "mJ"),
        Table2Row("SNN Res12F-CNN (T=1)", 132e6, 2.14e6, 128, "mJ"),
        Table2Row("SNN VIT-12-LSTM (T=1)", 79e6, 5.31e6, 96, "mJ"),
    )
