"""A simulated event camera: what a dynamic vision sensor would send of a picture that moves in front of it.

A simple model of the pixel of P. Lichtsteiner et al., "A 128x128 120 dB 15 us latency asynchronous temporal contrast
vision sensor" (IEEE J. Solid-State Circuits 43, 2008), with the imperfections that simulators such as v2e model. A
pixel at (r, c) sees the picture I, values in 0 .. 1, at a place p(t) on a circle:

    L(t) = ln(I((r, c) - p(t)) + DARK),    p(t) = R (cos w t - 1, sin w t)

It keeps the level M at which it has last sent an event, and sends one of polarity 1 when L - M >= theta_1, one of
polarity 0 when M - L >= theta_0. Then M = L, and for the refractory time M follows L and nothing is sent. Its
thresholds are ``threshold`` times 1 + ``mismatch`` x, where x is normal and belongs to the pixel, and after each event
they are drawn anew around that, with ``noise`` in place of ``mismatch``. Events by chance are added at ``background``
per second and pixel. Time goes in steps; an event's time in a step is interpolated, and a step has at most one event of
a pixel. There is no bandwidth that falls with the brightness, no leak, no bus that is ever busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import finite, integer
from .integration import Events

DARK = 0.05
"""Light that falls on a pixel where the picture is black, in units of white."""

LEAST = 0.2
"""Share of its mean value below which no threshold falls."""

NOISES = 1 << 14
"""Numbers of noise that a recording draws once and uses in turn."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """A sensor and the movement before it.

    Args:
        size: rows and columns of the sensor.
        radius: R, in pixels of the sensor; also the margin that is left free around the picture, with one pixel more.
        period: of a round, microseconds.
        rounds: how many.
        step: of the simulation, microseconds.
        threshold: mean change of ln(light) that makes an event.
        mismatch, noise: standard deviations relative to it, of pixels and of events.
        refractory: microseconds.
        background: events by chance, per second and pixel.
        seed: of the mismatch, so of this one sensor.

    Raises:
        ValueError: a setting out of range.
    """

    size: int = 34
    radius: float = 2.0
    period: int = 100_000
    rounds: int = 1
    step: int = 1000
    threshold: float = 0.4
    mismatch: float = 0.05
    noise: float = 0.03
    refractory: int = 500
    background: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.size, "size", 16, 240)
        finite(self.radius, "radius", positive=True, high=self.size / 8)
        for name, low in (("period", 1), ("rounds", 1), ("step", 1), ("refractory", 0), ("seed", 0)):
            integer(getattr(self, name), name, low, 2**32 - 1)
        integer(self.period * self.rounds, "period x rounds", self.step, 2**23 - 1)
        finite(self.threshold, "threshold", positive=True)
        for name in ("mismatch", "noise", "background"):
            finite(getattr(self, name), name, low=0)

    @property
    def steps(self) -> int:
        """Of the simulation."""
        return self.period * self.rounds // self.step

    def place(self, time: float) -> tuple[float, float]:
        """Rows and columns by which the picture has moved at a time in microseconds.

        >>> Camera(radius=2.0, period=100_000).place(50_000)[0], Camera().place(0)
        (-4.0, (0.0, 0.0))
        """
        angle = 2 * np.pi * time / self.period
        return self.radius * float(np.cos(angle) - 1), self.radius * float(np.sin(angle))

    def thresholds(self) -> Array:
        """Mean thresholds (2, size, size) of this sensor's pixels, of polarity 0 and 1."""
        spread = np.random.RandomState([self.seed, 7]).standard_normal((2, self.size, self.size))
        return np.maximum(self.threshold * (1 + self.mismatch * spread), LEAST * self.threshold).astype(np.float32)

    def light(self, images: Array, time: float) -> Array:
        """What the pixels see of pictures at a time: sampled between four pixels, black around the picture.

        Shape:
            images (N, H, W) -> (N, size, size).
        """
        rows, down = self._between(0, images.shape[1], time)
        columns, right = self._between(1, images.shape[2], time)
        framed = np.pad(images, ((0, 0), (1, 2), (1, 2)))
        down = down[:, np.newaxis]
        tall = framed[:, rows] * (1 - down) + framed[:, rows + 1] * down
        wide = tall[:, :, columns] * (1 - right) + tall[:, :, columns + 1] * right
        return wide.astype(np.float32, copy=False)

    def _between(self, axis: int, pixels: int, time: float) -> tuple[NDArray[np.int64], Array]:
        """Row (axis 0) or column of a picture, framed by one of black, that the sensor's come after, and how far."""
        drawn = self.size - 2 * (self.radius + 1)
        # the circle reaches 2 R up and R to both sides: its middle is the middle of the sensor
        moved = self.place(time)[axis] + (self.radius if axis == 0 else 0)
        place = (np.arange(self.size) + 0.5 - moved - self.radius - 1) * (pixels / drawn) - 0.5
        place = np.clip(place, -1, pixels)
        before = np.floor(place).astype(np.int64)
        return before + 1, (place - before).astype(np.float32)

    def record(self, images: Array, seed: int | list[int] = 0) -> list[Events]:
        """Events of each picture, in the order of their times (microseconds).

        Args:
            images: values in 0 .. 1.
            seed: of the noise of the first picture; those that follow have a stream of their own each.

        Shape:
            (N, H, W).

        Example:
            >>> (events,) = Camera(background=0).record(np.eye(28, dtype=np.float32)[None])
            >>> len(events) > 500, int(events.t.max()) < 100_000, events.sensor
            (True, True, (34, 34))
        """
        images = np.ascontiguousarray(images, np.float32)
        times = [k * self.step for k in range(self.steps + 1)]
        paths = []
        for axis in (0, 1):
            before, share = zip(*(self._between(axis, images.shape[axis + 1], time) for time in times), strict=True)
            paths += [np.stack(before), np.stack(share)]
        kernel, means = _kernel(), self.thresholds().reshape(2, -1)
        found = np.empty((3, self.steps * self.size**2), np.int64)
        recordings = []
        for i, image in enumerate(np.pad(images, ((0, 0), (1, 2), (1, 2)))):
            random = np.random.RandomState([*([seed] if isinstance(seed, int) else seed), i])
            noise = (self.noise * self.threshold * random.standard_normal(NOISES)).astype(np.float32)
            least = np.float32(LEAST * self.threshold)
            count = kernel(image, *paths, means, noise, least, self.step, self.refractory, found)
            recordings.append(self._sorted(np.concatenate([found[:, :count], self._background(random)], axis=1)))
        return recordings

    def _background(self, random: np.random.RandomState) -> NDArray[np.int64]:
        length = self.steps * self.step
        number = random.poisson(self.background * length / 1e6 * self.size**2)
        limits = (self.size**2, length, 2)
        return np.stack([random.randint(0, limit, number) for limit in limits]).astype(np.int64)

    def _sorted(self, found: NDArray[np.int64]) -> Events:
        """(pixel, time, polarity) in the order of times, pixels and polarities."""
        pixels = self.size**2
        key = np.sort((found[1] * pixels + found[0]) * 2 + found[2])
        time, pixel = np.divmod(key >> 1, pixels)
        return Events(pixel % self.size, pixel // self.size, time, key & 1, (self.size, self.size), counter=23)


@cache
def _kernel() -> Callable[..., int]:
    """The loop over pixels and steps, compiled when it is first wanted."""
    import numba

    jit: Any = numba.njit
    compiled: Callable[..., int] = jit(_pixels)
    return compiled


def _pixels(
    image: Array,
    rows: NDArray[np.int64],
    down: Array,
    columns: NDArray[np.int64],
    right: Array,
    means: Array,
    noise: Array,
    least: np.float32,
    step: int,
    refractory: int,
    found: NDArray[np.int64],
) -> int:
    """Every pixel by itself, from the first step to the last; fills ``found``, returns how many events there are.

    Shape:
        image (H + 3, W + 3); rows, down, columns, right (steps + 1, size); means (2, pixels); noise (n,); found
        (3, capacity): pixel, time and polarity.
    """
    size, dark, one = rows.shape[1], np.float32(DARK), np.float32(1)
    count = drawn = 0
    for r in range(size):
        for c in range(size):
            pixel = r * size + c
            kept = before = np.float32(0)
            low = high = np.float32(0)
            seen = np.float32(-1)
            ready = 0
            for k in range(rows.shape[0]):
                i, j, y, x = rows[k, r], columns[k, c], down[k, r], right[k, c]
                left = image[i, j] * (one - y) + image[i + 1, j] * y
                near = image[i, j + 1] * (one - y) + image[i + 1, j + 1] * y
                light = left * (one - x) + near * x
                now = before if light == seen else np.log(light + dark)
                seen = light
                if k == 0:
                    kept = before = now
                elif ready > (k - 1) * step:
                    kept = before + (now - before) * np.float32(min(ready / step - (k - 1), 1.0))
                change = now - kept
                fires = k == 0 or change >= high or -change >= low
                if fires:
                    if k > 0:
                        crossed = kept + high if change > 0 else kept - low
                        share = min(max(float(crossed - before) / float(now - before), 0.0), 1.0)
                        time = min((k - 1) * step + int(share * step), k * step - 1)
                        found[0, count], found[1, count], found[2, count] = pixel, time, change > 0
                        count += 1
                        ready = time + refractory
                        kept = now
                    low = max(means[0, pixel] + noise[drawn % len(noise)], least)
                    high = max(means[1, pixel] + noise[(drawn + 1) % len(noise)], least)
                    drawn += 2
                before = now
    return count
