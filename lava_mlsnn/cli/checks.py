"""Comparisons of two runs of one network; equality is exact, a difference of one is a failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..sim import Run


def check(what: str, difference: str, agreement: str) -> dict[str, Any]:
    """One row of the list of checks: passed if there is no difference to tell."""
    return {"what": what, "passed": not difference, "detail": difference or agreement}


def same_runs(what: str, expected: Run, found: Run, count: int) -> dict[str, Any]:
    """Whether two runs of the same ``count`` images agree in outputs, activity and all traces that both have."""
    difference = runs_difference(expected, found)
    layers = sum(name in found.traces for name in expected.traces)
    spikes = f", spikes of {layers} layers step by step" if layers else ""
    return check(what, difference, f"equal on {count} images: outputs, activity{spikes}")


def runs_difference(expected: Run, found: Run) -> str:
    """The first difference in words, "" if there is none."""
    difference = traces_difference(expected.traces, found.traces)
    if difference:
        return difference
    if not np.array_equal(expected.output, found.output):
        image = int(np.flatnonzero((expected.output != found.output).any(axis=1))[0])
        return f"output of image {image}: {expected.output[image].tolist()} and {found.output[image].tolist()}"
    difference = expected.activity.difference(found.activity)
    return f"activity: {difference}" if difference else ""


def traces_difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first layer, image and step where traces (N, C, H, W, T) differ, in words; "" if none does."""
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
