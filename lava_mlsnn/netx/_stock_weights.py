"""What stock NetX makes of dense weights: it fits them to 8 bits when it loads a file, and not always without loss.

``optimize_weight_bits`` of lava.lib.dl.netx.utils shifts a matrix up to fill 8 bits, Lava's fixed-point dense model
then clips and truncates it and shifts every sum back down. Convolutions are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class WeightsLostError(ValueError):
    """Stock turns these weights into others that no integer matrix describes, or into nothing; the message says how."""


@dataclass(frozen=True)
class _Fitted:
    """Weights as optimize_weight_bits hands them to the dense process: weight << shift, of which ``bits`` count."""

    weight: Ints
    shift: int
    bits: int


def stock_weights(weight: Ints) -> Ints:
    """The integers with which stock NetX computes when a file holds ``weight``.

    Raises:
        WeightsLostError: the matrix is destroyed.

    Example:
        >>> stock_weights(np.array([[254, -1]])).tolist(), stock_weights(np.array([[300, -300]])).tolist()
        ([[254, -1]], [[254, -256]])
    """
    fitted = _optimize(weight)
    return _model(fitted.weight, fitted)


def stock_recurrent_weights(weight: Ints, recurrent: Ints) -> tuple[Ints, Ints]:
    """The same for a ``dense_rec`` layer, whose two matrices are fitted together and computed with apart."""
    fitted = _optimize(np.hstack((weight, recurrent)))
    columns = weight.shape[1]
    return _model(fitted.weight[:, :columns], fitted), _model(fitted.weight[:, columns:], fitted)


def stock_delayed_weights(weight: Ints, recurrent: Ints) -> tuple[Ints, Ints, int]:
    """The same where a ``dense_rec`` layer has delays: stock forgets the exponent, so all are 2**shift as large; shift.

    Example:
        >>> w, r, shift = stock_delayed_weights(np.array([[3, -1]]), np.array([[2]]))
        >>> w.tolist(), r.tolist(), shift
        ([[192, -64]], [[128]], 6)
    """
    fitted = _optimize(np.hstack((weight, recurrent)))
    w, r = stock_recurrent_weights(weight, recurrent)
    return w << fitted.shift, r << fitted.shift, fitted.shift


def _optimize(weight: Ints) -> _Fitted:
    low, high = int(weight.min()), int(weight.max())
    if low == high == 0:
        return _Fitted(weight, 0, 8)  # stock fails on it, but the meaning is plain
    if (high > 254 and low < 0) or (low < -256 and high > 0):
        weight = np.clip(weight, -256, 254)
        low, high = int(weight.min()), int(weight.max())
    mixed = low < 0 <= high
    if mixed:
        shift = 1 + min(_floor_log2(127, high), _floor_log2(128, -low))
    else:
        shift = _floor_log2(256, -low) if high < 0 else _floor_log2(255, high)
    if shift < 0:
        raise WeightsLostError(f"values {low} .. {high} of one sign exceed 8 bits: stock NetX turns them all into 0")
    divisible = int(np.bitwise_or.reduce(np.abs(weight), axis=None))
    zeros = min((divisible & -divisible).bit_length() - 1, 8)
    return _Fitted(weight << shift, shift, 8 - shift - (zeros - mixed))


def _floor_log2(numerator: int, denominator: int) -> int:
    """floor(log2(numerator / denominator)); large where the denominator is zero."""
    if denominator == 0:
        return 64
    return int(np.floor(np.log2(numerator / denominator)))


def _model(weight: Ints, fitted: _Fitted) -> Ints:
    """Lava's dense model: clip by the sign of this matrix, truncate, and divide what is left by 2**shift."""
    mixed = bool(weight.min() < 0 < weight.max())
    sign = -1 if weight.max() <= 0 and weight.min() < 0 else 1
    clipped = np.clip(sign * weight, -256 * mixed, 255)
    drop = 8 - fitted.bits + mixed
    kept = sign * ((clipped >> drop) << drop)
    if np.any(kept != weight):
        worst = np.unravel_index(int(np.abs(kept - weight).argmax()), weight.shape)
        raise WeightsLostError(
            f"weight {weight[worst] >> fitted.shift} does not survive stock NetX, "
            f"which computes with {kept[worst] / 2**fitted.shift:g}"
        )
    return weight >> fitted.shift
