r"""Surrogate gradients of the multi-level neuron, and the tables that training looks them up in.

Forward, the neuron is the staircase z = clip(floor(u), 0, N) of the potential in units of the threshold, u = H / Vth,
whose derivative is zero almost everywhere. Backward, a surrogate replaces it. Each is a function of u, N and
the sharpness a = alpha Vth alone, so they are stated here without units:

    slope(u)           = Vth dz/dH      at a fixed threshold
    threshold_slope(u) = Vth dz/dVth    at a fixed potential

With the sigmoid surrogate of [Castagnetti2025] (Fig. 5), sigma'(q) = alpha S(1-S), S = sigmoid(alpha q), and the
discharge of Eq 6, g_n = [h_n >= Vth], h_1 = H, h_{n+1} = h_n - Vth g_n, s_n = sigma'(h_n - Vth):

=============  ==========================================  =========================================================
``"attached"``  slope = 1 - prod_n (1 - Vth s_n)            the micro-steps differentiated with their resets
``"detached"``  slope = sum_n Vth s_n                       the same with no gradient through the spike of a reset
``"sigmoids"``  slope = sum_n Vth sigma'(H - n Vth)         one sigmoid for each step of the staircase
``"ste"``       slope = 1 for 1/2 <= u < N + 1/2, else 0    straight-through inside the range: a rectangle of width
                                                            Vth around each step of the staircase
``"clip"``      slope = 1 for u < N + 1/2, else 0           of barriers alone: the derivative of clip(u, 0, N) at whole
                                                            u >= 0, sums of spikes
``"eq9"``       slope = sigma'(u / N - 1)                   of barriers alone: Eq 9 read literally, one sigmoid where
                                                            the sum of spikes z/N is 1
=============  ==========================================  =========================================================

The reset between timesteps, V' = H - Vth z, carries the same gradient: dV'/dH = 1 - slope, except that under
``"detached"`` dV'/dH = 1. The attached product grows without bound for alpha Vth > 8 (|1 - Vth s_n| > 1 at the
threshold); the paper uses alpha = 5, Vth = 1.

Each surrogate needs a short loop over the N levels. In training it is looked up instead, in a :class:`Table` over u
whose bins are narrow enough for an error of at most :data:`TOLERANCE`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

__all__ = ["TOLERANCE", "Table", "slopes", "spikes", "table"]

TOLERANCE = 1e-3
"""Largest error of a table look-up: in dz/dx and in dz/dVth, relative to the full slope N/Vth."""

_MOST_ENTRIES = 1 << 18
_MOST_SHORT = 1 << 16  # what a 16 bit code can address
_KNOT, _COARSE = 1 / 64, 1 / 4  # distance of two tabulated sharpnesses; below the second none is interpolated


def spikes(u: torch.Tensor, levels: int) -> torch.Tensor:
    """The staircase z = clip(floor(u), 0, N) ([Castagnetti2025], Eq 6 in closed form), u = H / Vth.

    Shape:
        u: any; the result has the same shape and dtype, and holds whole numbers.

    >>> spikes(torch.tensor([-0.5, 0.99, 1.0, 2.7, 9.0]), levels=4)
    tensor([0., 0., 1., 2., 4.])
    """
    return u.floor().clamp_(0, levels)


def slopes(
    u: torch.Tensor, levels: int, sharpness: float | torch.Tensor, grad: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """``slope`` and ``threshold_slope`` of the named surrogate at u = H / Vth (see the module's text).

    Shape:
        u: any; ``sharpness`` = alpha Vth broadcasts against it. Both results have the shape of ``u``.

    >>> slope, _ = slopes(torch.tensor([1.0, 2.0]), levels=1, sharpness=5.0, grad="attached")
    >>> slope                     # alpha/4 at the threshold
    tensor([1.2500, 0.0332])
    """
    z = spikes(u, levels)
    if grad == "ste":
        inside = ((u >= 0.5) & (u < levels + 0.5)).to(u.dtype)
        return inside, -u * inside
    if grad in ("clip", "eq9"):
        slope = (u < levels + 0.5).to(u.dtype) if grad == "clip" else _bell(u / levels - 1, sharpness)
        return slope, -u * slope
    if grad == "attached":
        kept, moved = torch.ones_like(u), torch.full_like(u, -1)  # prod (1 - Vth s_n); d(h_n - Vth)/dVth
        for n in range(levels):
            factor = 1 - _bell(u - z.clamp(max=n) - 1, sharpness)
            kept = kept * factor
            moved = moved * factor - (z > n).to(u.dtype)
        return 1 - kept, -1 - moved - z
    slope, threshold_slope = torch.zeros_like(u), torch.zeros_like(u)
    for n in range(levels):
        spent = z.clamp(max=n) if grad == "detached" else torch.full_like(z, n)
        bell = _bell(u - spent - 1, sharpness)
        slope = slope + bell
        threshold_slope = threshold_slope - bell * (spent + 1)
    return slope, threshold_slope


def _bell(q: torch.Tensor, sharpness: float | torch.Tensor) -> torch.Tensor:
    """Vth sigma'(Vth q) = a S(1 - S), S = sigmoid(a q); written so that no digit is lost far from the threshold."""
    q = q * sharpness
    return sharpness * torch.sigmoid(q) * torch.sigmoid(-q)


@dataclass(frozen=True, eq=False)
class Table:
    """A surrogate tabulated over u: entry ``trunc(clip(u, low, high) * bins) - low * bins``.

    ``bins`` (per unit of u) is a power of two, so that multiplying by it is exact, every step of the staircase lies on
    the edge of a bin and no bin mixes the two sides of a step.

    Attributes:
        slope, threshold_slope, spikes: float32, shape (entries,).
        bins: bins per unit of u.
        low, high: the range of u, whole numbers of bins; beyond it the slope is below the tolerance.
        dtype: of an entry's number, int16, or int32 where there are more than 65536.
        wrap: what is subtracted from an entry's number so that it fits the signed dtype.
    """

    slope: torch.Tensor
    threshold_slope: torch.Tensor
    spikes: torch.Tensor
    bins: int
    low: float
    high: float
    dtype: torch.dtype
    wrap: int


@lru_cache(maxsize=64)
def table(levels: int, sharpness: float, grad: str, device: torch.device | None = None) -> Table | None:
    """The table of a surrogate for alpha Vth = ``sharpness``, or None where 2^18 entries do not meet the tolerance.

    Between whole multiples of 1/64 the surrogate is interpolated, so that a trained threshold, which needs
    another table at every step, seldom needs the loop over the levels.

    >>> t = table(levels=4, sharpness=5.0, grad="attached")
    >>> t.bins, len(t.slope), t.dtype
    (2048, 14827, torch.int16)
    """
    bins = _bins(levels, math.ceil(4 * sharpness) / 4, grad)
    knot = sharpness if sharpness < _COARSE else math.floor(sharpness / _KNOT) * _KNOT
    low, high = _range(levels, knot, grad, bins or 1)
    if bins is None or high - low + 1 > _MOST_ENTRIES:
        return None
    values: tuple[torch.Tensor, ...] = _at_knot(levels, knot, grad, low, high, bins)
    if knot < sharpness:
        weight = (sharpness - knot) / _KNOT
        above = _at_knot(levels, knot + _KNOT, grad, low, high, bins)
        values = tuple(torch.lerp(a, b, weight) for a, b in zip(values, above, strict=True))
    slope, threshold_slope, z = (t.to(device) for t in values)
    short = len(z) <= _MOST_SHORT
    wrap = _MOST_SHORT // 2 if short and len(z) > _MOST_SHORT // 2 else 0
    dtype = torch.int16 if short else torch.int32
    return Table(slope, threshold_slope, z, bins, low / bins, high / bins, dtype, wrap)


@lru_cache(maxsize=512)  # two for every timestep and layer of a deep network whose thresholds change in time
def _at_knot(
    levels: int, sharpness: float, grad: str, low: int, high: int, bins: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """slope, threshold_slope and z in the middle of each bin, float32."""
    middle, *_ = _places(low, high, bins)
    slope, threshold_slope = slopes(middle, levels, sharpness, grad)
    return slope.float(), threshold_slope.float(), spikes(middle, levels).float()


def _places(low: int, high: int, bins: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Middle, lower and upper edge of each bin in u, float64. Truncation is towards 0, so bin 0 is two bins wide."""
    code = torch.arange(low, high + 1, dtype=torch.float64)
    inner = 1 - 1e-9  # the far edge belongs to the next bin, perhaps beyond a step
    edges = code - inner * (code < 1).double(), code + inner * (code > -1).double()
    return (code + 0.5 * code.sign()) / bins, edges[0] / bins, edges[1] / bins


def _range(levels: int, sharpness: float, grad: str, bins: int) -> tuple[int, int]:
    """First and last code. Outside, slope <= N a exp(-a distance to the outer threshold) < TOLERANCE / 2."""
    if grad in ("ste", "clip"):
        return 0, (levels + 1) * bins
    if grad == "eq9":
        reach = max(0.0, math.log(2 * sharpness / TOLERANCE)) / sharpness
        return math.floor(levels * (1 - reach) * bins), math.ceil(levels * (1 + reach) * bins)
    reach = max(0.0, math.log(2 * levels * sharpness / TOLERANCE)) / sharpness
    return math.floor((1 - reach) * bins), math.ceil((levels + reach) * bins)


@lru_cache(maxsize=256)
def _bins(levels: int, sharpness: float, grad: str) -> int | None:
    """Fewest bins per unit of u, a power of two, that keep both slopes within the tolerance."""
    bins = 64
    while True:
        low, high = _range(levels, sharpness, grad, bins)
        if high - low + 1 > _MOST_ENTRIES:
            return None
        middle, *edges = (slopes(u, levels, sharpness, grad) for u in _places(low, high, bins))
        error = max(
            float((m - e).abs().max()) / scale
            for edge in edges
            for m, e, scale in zip(middle, edge, (1, levels), strict=True)
        )
        target = 0.9 * TOLERANCE  # a tenth is left for float32 and for the interpolation between sharpnesses
        if error <= target:
            return bins
        bins <<= max(1, math.floor(math.log2(error / target)))  # the error falls like 1 / bins
