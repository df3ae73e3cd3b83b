"""When a layer resets, and which step of a sample it computes."""

from __future__ import annotations


def phase(step: int, depth: int, interval: int, offset: int, period: int) -> tuple[int, int]:
    """(age, t) of a layer: steps since its reset, 0 in the step that begins with one; index of the step in the sample.

    Compiled code calls this function, too.

    Args:
        step: the timestep, from 1.
        depth: of the layer: it is so many steps behind the input.
        interval: steps between resets; 0 for none. The age is the step then: nothing was sent before the first.
        offset: phase of the resets.
        period: T. A reset begins a sample.

    Example:
        >>> [phase(step, depth=1, interval=3, offset=0, period=2) for step in (1, 2, 3, 4, 5)]
        [(2, 0), (0, 0), (1, 1), (2, 0), (0, 0)]
        >>> [phase(step, depth=1, interval=0, offset=0, period=2) for step in (1, 2, 3)]
        [(1, 1), (2, 0), (3, 1)]
    """
    if interval > 0:
        age = (step - offset - 1 - depth) % interval
        return age, age % period
    return step, (step - depth - 1) % period
