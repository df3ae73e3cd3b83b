"""Neurons of a NetGraph: parameters and equations of integer point neurons; engines compute exactly these.

In every step a neuron receives the integer current ``a`` (sum of its synapses) plus the layer's bias ``b``, updates its
state, which is zero at the start of each sample, and emits an integer spike ``z``. Integer division rounds down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...helpers.check import IntArray, finite, int_array, integer, positive_ints
from ..spec import Spec

MAX_LEVELS = 2**15 - 1
"""Widest graded spike allowed for a multi-level neuron: 16-bit messages."""


@dataclass(frozen=True, eq=False)
class Neuron(Spec):
    """Base of all neurons.

    ``gated`` neurons do nothing before the first real input of the first sample has had the time to arrive at their
    depth; stock neurons run, with their bias, from the first timestep on, as Lava's do.
    """

    kind: ClassVar[str]
    gated: ClassVar[bool] = True
    spiking: ClassVar[bool] = True

    def message_bound(self, input_bound: int) -> int | None:
        """Largest absolute value that one spike can carry when a + b is at most ``input_bound``; None if unbounded."""
        raise NotImplementedError

    def check_population(self, channels: int) -> None:
        """ValueError if the parameters do not fit so many channels."""

    def check_steps(self, timesteps: int) -> None:
        """ValueError if parameters that differ from step to step do not fit T."""


@dataclass(frozen=True, eq=False)
class MultiLevel(Neuron):
    r"""Multi-level integrate-and-fire with soft reset (paper 000, section 4.1, Eq 6; binary IF for ``levels = 1``).

    .. math:: H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta \rfloor, 0, N), \quad V \leftarrow H - \theta z

    Args:
        levels: N >= 1, the largest value of a spike.
        threshold: theta >= 1, int32 () or one per channel (C,).
    """

    kind: ClassVar[str] = "multilevel"
    levels: int
    threshold: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", _levels(self.levels))
        object.__setattr__(self, "threshold", _threshold(self.threshold))

    def message_bound(self, input_bound: int) -> int:
        return self.levels


@dataclass(frozen=True, eq=False)
class Barrier(Neuron):
    r"""Barrier neuron behind a residual sum (paper 000, section 4.4): a multi-level neuron whose threshold is one.

    .. math:: H = V + a, \quad z = \mathrm{clip}(H, 0, N), \quad V \leftarrow H - z

    Its input is the sum of integer spikes, so one unit of input is one unit of output. It has no bias.
    """

    kind: ClassVar[str] = "barrier"
    levels: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", _levels(self.levels))

    def message_bound(self, input_bound: int) -> int:
        return self.levels


@dataclass(frozen=True, eq=False)
class Relay(Neuron):
    """No dynamics: z = a + b. It carries the result of a synapse that no neuron follows, such as sum pooling."""

    kind: ClassVar[str] = "relay"

    def message_bound(self, input_bound: int) -> int:
        return input_bound


@dataclass(frozen=True, eq=False)
class Readout(Neuron):
    """Integrator without spike: V <- V + a + b, and the output of a sample is V after its last step.

    Its trace holds V after each step. ``scale`` turns the integer V into the logits of the trained network:
    logits = scale V / T.
    """

    kind: ClassVar[str] = "readout"
    spiking: ClassVar[bool] = False
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", finite(self.scale, "readout scale", positive=True))

    def message_bound(self, input_bound: int) -> int | None:
        return None


@dataclass(frozen=True, eq=False)
class LIF(Neuron):
    r"""Lava's fixed-point leaky integrate-and-fire neuron (lava.proc.lif, fixed_pt), binary, hard reset.

    .. math::
        u \leftarrow \mathrm{wrap}_{24}(D(u, du + 1) + 64 a), \quad
        v \leftarrow \mathrm{clip}(D(v, dv) + u + b\,2^{bias\_exp}), \quad
        z = [v > 64\, vth], \quad v \leftarrow 0 \text{ where } z

    with the decay D(x, d) = sign(x) ((|x| (4096 - d)) >> 12), clip to +-(2**23 - 1), and the single asymmetric wrap of
    Lava for u above 2**23 or at or below -2**23.

    Args:
        vth: threshold mantissa, 17 bits on hardware.
        du, dv: decays, 12 bits: du in -1 .. 4095 (Lava adds one), dv in 0 .. 4096. NetX: du = iDecay - 1, dv = vDecay.
        bias_exp: the layer's bias is multiplied by 2**bias_exp.
    """

    kind: ClassVar[str] = "lif"
    gated: ClassVar[bool] = False
    vth: int
    du: int = 4095
    dv: int = 4096
    bias_exp: int = 6

    def __post_init__(self) -> None:
        for name, low, high in (("vth", 0, 2**24), ("du", -1, 4095), ("dv", 0, 4096), ("bias_exp", 0, 7)):
            object.__setattr__(self, name, integer(getattr(self, name), f"lif {name}", low, high))

    def message_bound(self, input_bound: int) -> int:
        return 1


MAX_MANTISSA = 2**15 - 1
"""Largest mantissa of a per-step scale: signed 16 bits."""

MAX_SHIFT = 31


@dataclass(frozen=True, eq=False)
class Stepwise(Neuron):
    r"""Base of neurons whose input passes a batch norm per timestep (BNTT, paper 002, section 3.2.2), in integers.

    .. math:: x_{c,t} = \big((a_c\, m_{c,t} + \lfloor 2^{s_c} / 2 \rfloor) >> s_c\big) + o_{c,t}

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        scale: mantissas m, signed 16 bits, int32 (C, T), or (C, 1) for the same in all steps.
        shift: s in 0 .. 31, int32 (C,).
        offset: o, int32 (C, T) or (C, 1); these neurons have no other bias.
    """

    scale: IntArray
    shift: IntArray
    offset: IntArray

    def __post_init__(self) -> None:
        scale, shift = int_array(self.scale, f"{self.kind} scale", 2), int_array(self.shift, f"{self.kind} shift", 1)
        offset = int_array(self.offset, f"{self.kind} offset", 2)
        if 0 in scale.shape or len(shift) != len(scale) or offset.shape[:1] != shift.shape or 0 in offset.shape:
            raise ValueError(
                f"{self.kind}: expected scale (C, T), shift (C,) and offset (C, T), "
                f"got {scale.shape}, {shift.shape} and {offset.shape}"
            )
        if np.abs(scale.astype(np.int64)).max() > MAX_MANTISSA:
            raise ValueError(f"{self.kind} scale: expected -{MAX_MANTISSA} .. {MAX_MANTISSA}, found {_largest(scale)}")
        if shift.min() < 0 or shift.max() > MAX_SHIFT:
            raise ValueError(f"{self.kind} shift: expected 0 .. {MAX_SHIFT}, found {shift.tolist()}")
        for name, value in (("scale", _shortest(scale)), ("shift", shift), ("offset", _shortest(offset))):
            object.__setattr__(self, name, value)

    @property
    def columns(self) -> int:
        """Number of steps that differ: T, or 1."""
        return max(self.scale.shape[1], self.offset.shape[1])

    def check_population(self, channels: int) -> None:
        if len(self.shift) != channels:
            raise ValueError(f"a {self.kind} neuron with parameters of {len(self.shift)} channels, expected {channels}")

    def check_steps(self, timesteps: int) -> None:
        for name in ("scale", "offset"):
            columns = getattr(self, name).shape[1]
            if columns not in (1, timesteps):
                raise ValueError(f"{self.kind} {name} of {columns} steps: expected 1 or T = {timesteps}")


@dataclass(frozen=True, eq=False)
class SoftLIF(Stepwise):
    r"""Leaky integrate-and-fire with soft reset behind a batch norm per timestep (paper 002, Eq 3 and 4, BNTT).

    .. math::
        H = D(V, dv) + x, \quad z = A\,[H > \theta], \quad V \leftarrow H - \theta\,[H > \theta]

    with x of :class:`Stepwise` and the 12-bit decay D(v, d) = sign(v) ((abs(v) (4096 - d)) >> 12) of Lava's LIF. The
    comparison is strict, as in the authors' code and in Lava.

    Args:
        scale, shift, offset: see :class:`Stepwise`.
        threshold: theta >= 1, int32 () or (C,).
        dv: decay in 0 .. 4096; 0 is no leak, 4096 keeps nothing.
        amplitude: A >= 1, the value of a spike: more than one where graded spikes are added to it (S2S residuals).
    """

    kind: ClassVar[str] = "soft_lif"
    threshold: IntArray
    dv: int = 0
    amplitude: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "threshold", _threshold(self.threshold))
        object.__setattr__(self, "dv", integer(self.dv, "soft_lif dv", 0, 4096))
        object.__setattr__(self, "amplitude", integer(self.amplitude, "soft_lif amplitude", 1, MAX_LEVELS))

    def message_bound(self, input_bound: int) -> int:
        return self.amplitude


@dataclass(frozen=True, eq=False)
class Rescale(Stepwise):
    r"""No dynamics: a current behind a batch norm per timestep, sent as a graded message.

    .. math:: z = \mathrm{clip}(x, -L, L)

    with x of :class:`Stepwise`. It carries what is no spike: the 1x1 convolution of a residual path (paper 002, Eq 13)
    and the postsynaptic potentials of V2V residuals (Eq 15).

    Args:
        scale, shift, offset: see :class:`Stepwise`.
        limit: L >= 1, the largest message.
    """

    kind: ClassVar[str] = "rescale"
    limit: int = 127

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "limit", integer(self.limit, "rescale limit", 1, 2**23 - 1))

    def message_bound(self, input_bound: int) -> int:
        return self.limit


SDN_MODELS = ("released", "corrected")
"""Fixed-point sigma-delta as released in lava-nc 0.10.0 (loses the truncated low bits) or as corrected upstream."""


@dataclass(frozen=True, eq=False)
class Delta(Neuron):
    r"""Lava's fixed-point delta encoder (lava.proc.sdn, fixed_pt).

    .. math::
        x = a\,2^{spike\_exp + state\_exp}, \quad d = x - x_{prev} + r, \quad s = d\,[|d| \ge \theta], \quad
        r \leftarrow d - s, \quad z = s >> state\_exp

    with :math:`\theta = vth\,2^{spike\_exp + state\_exp}`. ``model="corrected"`` keeps what the shift drops:
    :math:`r \leftarrow d - z\,2^{state\_exp}`.
    """

    kind: ClassVar[str] = "delta"
    gated: ClassVar[bool] = False
    vth: int
    spike_exp: int = 6
    state_exp: int = 6
    model: str = "released"

    def __post_init__(self) -> None:
        _check_sdn(self)

    def message_bound(self, input_bound: int) -> None:
        return None


@dataclass(frozen=True, eq=False)
class SigmaDelta(Neuron):
    r"""Lava's fixed-point sigma-delta neuron with ReLU (lava.proc.sdn, fixed_pt).

    .. math:: \sigma \leftarrow \sigma + a, \quad x = \max(\sigma + b\,2^{spike\_exp + state\_exp}, 0)

    then the delta encoding of :class:`Delta` (x is not shifted again).
    """

    kind: ClassVar[str] = "sigma_delta"
    gated: ClassVar[bool] = False
    vth: int
    spike_exp: int = 6
    state_exp: int = 6
    model: str = "released"

    def __post_init__(self) -> None:
        _check_sdn(self)

    def message_bound(self, input_bound: int) -> None:
        return None


@dataclass(frozen=True, eq=False)
class Sigma(Neuron):
    """Lava's sigma decoder: sigma <- sigma + a, z = sigma, sent at every step."""

    kind: ClassVar[str] = "sigma"
    gated: ClassVar[bool] = False

    def message_bound(self, input_bound: int) -> None:
        return None


NEURONS: dict[str, type[Neuron]] = {
    c.kind: c for c in (MultiLevel, Barrier, Relay, Readout, LIF, SoftLIF, Rescale, Delta, SigmaDelta, Sigma)
}


def _levels(value: int) -> int:
    (levels,) = positive_ints(value, "levels", 1)
    if levels > MAX_LEVELS:
        raise ValueError(f"levels: expected at most {MAX_LEVELS}, got {levels}")
    return levels


def _shortest(table: IntArray) -> IntArray:
    """(C, 1) where all steps are the same: one form for one meaning."""
    return (
        int_array(table[:, :1], "table") if np.array_equal(table, np.broadcast_to(table[:, :1], table.shape)) else table
    )


def _largest(table: IntArray) -> int:
    return int(table.flat[np.abs(table.astype(np.int64)).argmax()])


def _threshold(value: IntArray) -> IntArray:
    threshold = int_array(value, "threshold", (0, 1))
    if threshold.size == 0 or threshold.min() < 1:
        raise ValueError(f"threshold: expected integers >= 1, got {threshold.tolist()}")
    return threshold


def _check_sdn(neuron: Delta | SigmaDelta) -> None:
    for name, high in (("vth", 2**24), ("spike_exp", 7), ("state_exp", 7)):
        object.__setattr__(neuron, name, integer(getattr(neuron, name), f"{neuron.kind} {name}", 0, high))
    if neuron.model not in SDN_MODELS:
        raise ValueError(f"{neuron.kind} model: expected one of {SDN_MODELS}, got {neuron.model!r}")


@dataclass(frozen=True, eq=False)
class Scheduled(Neuron):
    r"""Multi-level integrate-and-fire whose threshold changes from step to step (ATIF-nu, paper 003, section 3.4).

    .. math::
        H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta_t \rfloor, 0, N), \quad V \leftarrow H - \theta_t z

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        levels: N >= 1, the largest value of a spike.
        thresholds: theta >= 1, int32 (C, T), or (1, T) for the same in all channels.
    """

    kind: ClassVar[str] = "scheduled"
    levels: int
    thresholds: IntArray

    def __post_init__(self) -> None:
        (levels,) = positive_ints(self.levels, "levels", 1)
        if levels > MAX_LEVELS:
            raise ValueError(f"levels: expected at most {MAX_LEVELS}, got {levels}")
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "thresholds", _table(self.thresholds, self.kind, "T"))

    def message_bound(self, input_bound: int) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        _check_channels(self.kind, self.thresholds, channels)

    def check_steps(self, timesteps: int) -> None:
        if self.thresholds.shape[1] != timesteps:
            raise ValueError(f"thresholds of {self.thresholds.shape[1]} steps: expected T = {timesteps}")


@dataclass(frozen=True, eq=False)
class Staircase(Neuron):
    r"""Any quantisation in one step, without memory: the exact form of ATIF-nu that graded spikes make possible.

    .. math:: H = a + b, \quad z = \sum_{n = 1}^{N} [H \ge c_n]

    Args:
        thresholds: 1 <= c_1 <= ... <= c_N, int32 (C, N), or (1, N) for the same in all channels.
    """

    kind: ClassVar[str] = "staircase"
    thresholds: IntArray

    def __post_init__(self) -> None:
        table = _table(self.thresholds, self.kind, "N")
        if table.shape[1] > MAX_LEVELS:
            raise ValueError(f"staircase thresholds: expected at most {MAX_LEVELS} levels, got {table.shape[1]}")
        if (np.diff(table.astype(np.int64), axis=1) < 0).any():
            raise ValueError(f"staircase thresholds: expected ascending rows, got {table.tolist()}")
        object.__setattr__(self, "thresholds", table)

    @property
    def levels(self) -> int:
        """N, the largest value of a spike."""
        return int(self.thresholds.shape[1])

    def message_bound(self, input_bound: int) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        _check_channels(self.kind, self.thresholds, channels)


NEURONS.update({c.kind: c for c in (Scheduled, Staircase)})


def _table(value: IntArray, kind: str, columns: str) -> IntArray:
    """(C, columns), or (1, columns) where all channels are the same: one form for one meaning."""
    table = int_array(value, f"{kind} thresholds", 2)
    if table.size == 0 or table.min() < 1:
        raise ValueError(f"{kind} thresholds: expected integers >= 1, int32 (C, {columns}), got {table.tolist()}")
    return int_array(table[:1], "thresholds") if (table == table[:1]).all() else table


def _check_channels(kind: str, table: IntArray, channels: int) -> None:
    if len(table) not in (1, channels):
        raise ValueError(f"a {kind} neuron with thresholds of {len(table)} channels: expected 1 or {channels}")
