"""Times of events that run backwards: a counter that overflowed, a packet that came late, or a mistake.

* A counter of k bits that overflows steps back by almost 2^k. Formats say how many bits theirs has; otherwise a step
  from the last sixteenth of a usual counter to its first counts as an overflow.
* Events that came late are put in their place, if they are few (a tenth), or if whole packets are out of order and
  hardly overlap.
* Anything else, such as a clock that was set back or two recordings in one file, is an error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTERS = (16, 23, 24, 31, 32, 40)
"""Bits of usual counters."""

EDGE = 16
"""The part of a counter's range, 1 / EDGE at each end, from which and to which it overflows."""

FEW = 0.1
"""Share of events that may be late."""

Times = NDArray[np.int64]


def mended(times: Times, bits: int = 0) -> tuple[Times, str]:
    """Times in the order of the file, without overflows, and what was wrong: "", "overflow", "late" or both.

    Args:
        times: of events, (n,).
        bits: of the counter they were read from, 0 if nobody knows.

    Raises:
        ValueError: times that run backwards for another reason.

    Example:
        >>> times, said = mended(np.array([2**32 - 20, 2**32 - 10, 0, 10]))
        >>> (times - times[0]).tolist(), said
        ([0, 10, 20, 30], 'overflow')
        >>> mended(np.array([0, 10, 20, 5, 30, 40, 50, 60, 70, 80]))[1]
        'late'
    """
    if len(times) < 2 or not (np.diff(times) < 0).any():
        return times, ""
    said = []
    unwrapped = _unwrapped(times, bits)
    if unwrapped is not None:
        times = unwrapped
        said.append("overflow")
    late = np.flatnonzero(times < np.maximum.accumulate(times))
    if len(late):
        if len(late) > FEW * len(times) and not _are_packets(times):
            first = int(late[0])
            raise ValueError(
                f"times run backwards from {times[first - 1]} to {times[first]} at event {first:,} of {len(times):,}, "
                f"and {len(late):,} events overlap others: a clock that was set back, or several recordings in one; "
                "expected one clock"
            )
        said.append("late")
    return times, " and ".join(said)


def unwrap(times: Times, bits: int) -> Times:
    """Times of a counter of ``bits`` bits without its overflows: a step of more than half its range is one.

    Example:
        >>> unwrap(np.array([14, 15, 0, 15, 1]), 4).tolist()  # one event is late
        [14, 15, 16, 15, 17]
    """
    steps, half = np.diff(times), 1 << (bits - 1)
    back, forth = (steps < -half).astype(np.int64), steps > half
    rounds = np.cumsum(back - forth)
    if len(rounds) and int(rounds.min()) < 0:  # a long silence, no late event
        rounds = np.cumsum(back)
    return times + (np.concatenate([[0], rounds]) << bits)


def _unwrapped(times: Times, bits: int) -> Times | None:
    """Times without overflows; None if there are none."""
    low, high = int(times.min()), int(times.max())
    if bits:
        found = unwrap(times, bits)
        return None if found is times or (found == times).all() else found
    for bits in COUNTERS:
        start = -(1 << (bits - 1)) if low < 0 else 0  # a signed number of as many bits
        if low < start or high >= start + (1 << bits):
            continue
        at = np.flatnonzero(np.diff(times) < -(1 << (bits - 1)))
        edge = (1 << bits) // EDGE
        if len(at) and (times[at] >= start + (1 << bits) - edge).all() and (times[at + 1] < start + edge).all():
            return unwrap(times, bits)
    return None


def _are_packets(times: Times) -> bool:
    """Whether the pieces in which times run forwards hardly overlap: sorted, most stay in one piece."""
    piece = np.cumsum(np.concatenate([[False], np.diff(times) < 0]))
    changes = np.count_nonzero(np.diff(piece[np.argsort(times, kind="stable")]))
    return bool(changes <= 4 * int(piece[-1]) + 4)
