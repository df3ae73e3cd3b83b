"""Events of a camera, and their integration into frames.

An event is (x, y, t, p): column, row, time and polarity, 0 for darker and 1 for brighter. A recording of n events
becomes T frames of two channels (polarity 0, polarity 1) that hold the number of events per pixel in T slices of the
recording, as in paper 000, section 5.1, which follows Fang et al., "Incorporating learnable membrane time constant"
(ICCV 2021) and SpikingJelly:

* by number: slice j holds events j floor(n / T) .. (j + 1) floor(n / T) - 1 in the order of the file, the last slice
  all that is left;
* by time: with d = floor((t_last - t_first) / T), slice j holds t_first + j d <= t < t_first + (j + 1) d, the last
  slice all that is left.

Each event is in exactly one frame: the frames of a recording sum to its number of events. Where SpikingJelly fails (a
slice of time without events), the frame is zero.

A long recording becomes many samples of T frames each, see :func:`samples`: frames of a fixed duration or of a fixed
number of events. Times that run backwards are mended or refused, see :mod:`.clock`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import choice, integer
from . import clock

INTEGRATIONS = ("number", "time")


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one recording, in the order of the file.

    Args:
        x, y: column and row.
        t: time; the unit does not matter.
        p: polarity, 0 or 1.
        sensor: (H, W) of the camera, if the file says it.
        counter: bits of the counter that the times come from, 0 if nobody knows.

    Shape:
        Four arrays (n,), int64.

    Raises:
        ValueError: arrays of different lengths, or values that are no events of a camera of ``sensor`` (see ``check``).
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    t: NDArray[np.int64]
    p: NDArray[np.int64]
    sensor: tuple[int, int] | None = None
    counter: int = 0

    def __post_init__(self) -> None:
        for name in "xytp":
            object.__setattr__(self, name, np.asarray(getattr(self, name)).astype(np.int64, copy=False).ravel())
        lengths = {name: len(getattr(self, name)) for name in "xytp"}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"events: arrays of different lengths: {lengths}")

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, chosen: slice | NDArray[Any]) -> Events:
        """Some of the events."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in "xytp"})

    def in_order(self) -> tuple[Events, str]:
        """The events in the order of their times, and what was wrong with these, see :func:`.clock.mended`."""
        times, said = clock.mended(self.t, self.counter)
        if not said:
            return self, ""
        return replace(self, t=times, counter=0)[np.argsort(times, kind="stable")], said

    def check(self, sensor: tuple[int, int]) -> None:
        """ValueError if an event lies outside a sensor (H, W) or has another polarity than 0 and 1."""
        for name, bound in (("x", sensor[1]), ("y", sensor[0]), ("p", 2)):
            values = getattr(self, name)
            if len(values) and not 0 <= int(values.min()) <= int(values.max()) < bound:
                raise ValueError(f"events: {name} = {values.min()} .. {values.max()}, expected 0 .. {bound - 1}")


def slices(events: Events, steps: int, by: str = "number") -> NDArray[np.int64]:
    """The frame, 0 .. T - 1, of each event.

    Shape:
        n events -> (n,) int64.

    Raises:
        ValueError: times that run backwards (by time), unless an overflow or late events explain it.

    Warns:
        UserWarning: these do.

    Example:
        >>> events = Events(x=[0] * 5, y=[0] * 5, t=[10, 11, 12, 13, 40], p=[0] * 5)
        >>> slices(events, 2, "number").tolist(), slices(events, 2, "time").tolist()
        ([0, 0, 1, 1, 1], [0, 0, 0, 0, 1])
    """
    choice(by, "by", INTEGRATIONS)
    if by == "number":
        each = len(events) // steps
        place = np.arange(len(events)) // each if each else np.full(len(events), steps - 1)
    else:
        times, said = clock.mended(events.t, events.counter)
        if said:
            warnings.warn(f"events: times run backwards ({said}); they were put in order", stacklevel=2)
        first, last = (int(times.min()), int(times.max())) if len(events) else (0, 0)
        duration = (last - first) // steps
        place = (times - first) // duration if duration > 0 else np.full(len(events), steps - 1)
    return np.clip(place, 0, steps - 1)


def frames(
    events: Events, steps: int, by: str = "number", sensor: tuple[int, int] = (128, 128), size: int | None = None
) -> NDArray[np.int64]:
    """Number of events per polarity, pixel and slice.

    Args:
        events: of one recording.
        steps: T, the number of frames.
        by: "number" or "time".
        sensor: (H, W) of the camera.
        size: H' = W' of the frames; the event at (y, x) counts at (floor(y H' / H), floor(x W' / W)), so that nothing
            is lost. None keeps the sensor's.

    Shape:
        n events -> (2, H', W', T) int64.

    Raises:
        ValueError: events outside the sensor; steps, size or by that are not accepted.

    Example:
        >>> events = Events(x=[0, 1, 1], y=[0, 0, 3], t=[0, 5, 9], p=[1, 1, 0])
        >>> frames(events, 1, sensor=(4, 4), size=2)[..., 0].tolist()
        [[[0, 0], [1, 0]], [[2, 0], [0, 0]]]
    """
    check_frames(steps, by, sensor, size)
    events.check(sensor)
    return _counted(events, slices(events, steps, by), steps, sensor, size)


def samples(
    events: Events,
    steps: int,
    duration: int | None = None,
    number: int | None = None,
    sensor: tuple[int, int] = (128, 128),
    size: int | None = None,
) -> Iterator[NDArray[np.int64]]:
    """Samples of T frames, each of a fixed duration or of a fixed number of events, one after another.

    What does not fill a sample at the end of the recording is left out; a recording that is shorter than one sample
    gives one, whose last frames are empty.

    Args:
        events: of one recording; by duration, in the order of their times.
        steps: T, the number of frames of a sample.
        duration: of a frame, in the unit of the times.
        number: of events of a frame, in place of a duration.
        sensor, size: as in :func:`frames`.

    Shape:
        each (2, H', W', T) int64.

    Raises:
        ValueError: events outside the sensor; both or none of ``duration`` and ``number``.

    Example:
        >>> events = Events(x=[0] * 9, y=[0] * 9, t=[0, 1, 2, 3, 10, 11, 12, 25, 40], p=[1] * 9)
        >>> [sample[1, 0, 0].tolist() for sample in samples(events, 2, duration=10, sensor=(1, 1))]
        [[4, 3], [1, 0]]
        >>> [sample[1, 0, 0].tolist() for sample in samples(events, 2, number=2, sensor=(1, 1))]
        [[2, 2], [2, 2]]
    """
    check_frames(steps, "number", sensor, size)
    if (duration is None) == (number is None):
        raise ValueError("samples: expected a duration or a number of events, one of the two")
    events.check(sensor)
    if number is not None:
        each = integer(number, "events", 1)
        place, complete = np.arange(len(events)) // each, len(events) // each
    else:
        each = integer(duration, "duration", 1)
        elapsed = events.t - (events.t[0] if len(events) else 0)
        place, complete = elapsed // each, int(elapsed[-1]) // each if len(events) else 0
    for sample in range(max(1, complete // steps)):
        first, last = np.searchsorted(place, (sample * steps, (sample + 1) * steps))
        yield _counted(events[first:last], place[first:last] - sample * steps, steps, sensor, size)


def _counted(
    events: Events, place: NDArray[np.int64], steps: int, sensor: tuple[int, int], size: int | None
) -> NDArray[np.int64]:
    """Frames (2, H', W', T) of events whose frame is known."""
    height, width = sensor if size is None else (size, size)
    y, x = events.y * height // sensor[0], events.x * width // sensor[1]
    place = ((events.p * height + y) * width + x) * steps + place
    return np.bincount(place, minlength=2 * height * width * steps).reshape(2, height, width, steps)


def check_frames(steps: Any, by: Any, sensor: tuple[int, int], size: Any) -> tuple[int, int]:
    """(H', W') of the frames; ValueError names the setting that is not accepted."""
    integer(steps, "steps", 1, 4096)
    choice(by, "by", INTEGRATIONS)
    if size is None:
        return sensor
    size = integer(size, "size", 1, min(sensor))
    return size, size


def saturated(counts: NDArray[np.int64], bits: int = 8) -> tuple[NDArray[np.uint8], int]:
    """Counts as messages of ``bits`` bits, and how many events that cut off: counts above 2^bits - 1 become 2^bits - 1.

    A graded spike of Loihi 2 would carry more, but the network's input has ``bits`` bits, and a pixel that fires 255
    times in one slice is a broken one more often than a bright one.

    Example:
        >>> saturated(np.array([3, 300]))
        (array([  3, 255], dtype=uint8), 45)
    """
    bound = 2**bits - 1
    cut = int(np.maximum(counts - bound, 0).sum())
    return np.minimum(counts, bound).astype(np.uint8), cut
