"""Neurons of a NetGraph: parameters and equations of integer point neurons; engines compute exactly these.

In every step a neuron receives the integer current ``a`` (sum of its synapses) plus the layer's bias ``b``, updates its
state, which is zero at the start of each sample, and emits an integer spike ``z``. Integer division rounds down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .spec import IntArray, Spec, finite, int_array, integer, positive_ints

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
    c.kind: c for c in (MultiLevel, Barrier, Relay, Readout, LIF, Delta, SigmaDelta, Sigma)
}


def _levels(value: int) -> int:
    (levels,) = positive_ints(value, "levels", 1)
    if levels > MAX_LEVELS:
        raise ValueError(f"levels: expected at most {MAX_LEVELS}, got {levels}")
    return levels


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
