"""Where the spikes of two engines differ; equality is exact, a difference of one is one too many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def spikes_difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first place where the spikes of two engines differ, in words; "" if nowhere.

    Layers that only one of them has are not compared.

    Args:
        expected, found: spikes int (N, C, H, W, T) by the layer's name.

    Example:
        >>> one, other = np.zeros((2, 1, 2, 2, 1), int), np.zeros((2, 1, 2, 2, 1), int)
        >>> other[1, 0, 1, 0, 0] = 3
        >>> spikes_difference({"a": one}, {"a": other})
        "spikes of layer 'a': 1 differ, the first at image 1, (c, h, w) (0, 1, 0), step 1: 0 and 3"
    """
    for name in expected:
        if name not in found:
            continue
        mine, theirs = np.asarray(expected[name]), np.asarray(found[name])
        if mine.shape != theirs.shape:
            return f"spikes of layer {name!r}: shapes {mine.shape} and {theirs.shape}"
        where = np.argwhere(mine != theirs)
        if len(where):
            at = tuple(int(i) for i in where[0])
            return (
                f"spikes of layer {name!r}: {len(where)} differ, the first at image {at[0]}, (c, h, w) {at[1:4]}, "
                f"step {at[4] + 1}: {mine[at]} and {theirs[at]}"
            )
    return ""
