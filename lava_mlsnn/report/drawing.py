"""A network as a drawing: layers from top to bottom, the connections that skip some of them in lanes beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEIGHT, GAP, LANE = 34, 16, 14
"""Of a box, between two boxes, and of a lane, in pixels; the boxes themselves are as wide as there is room."""


def layout(record: Mapping[str, Any]) -> dict[str, Any]:
    """Boxes and lanes of the drawing of a record's network.

    Returns:
        ``boxes``: (layer, whether the one above feeds it); ``skips``: paths of the other connections, each in the
        innermost lane that is free; ``width`` of all lanes and ``height`` of the drawing, in pixels.
    """
    layers = [{"name": "input", "inputs": [], "kind": "", "shape": record["input"]["shape"]}, *record["layers"]]
    row = {layer["name"]: i for i, layer in enumerate(layers)}
    skips = sorted(
        ((row[source], i) for i, layer in enumerate(layers) for source in layer["inputs"] if row[source] != i - 1),
        key=lambda ends: ends[1] - ends[0],
    )
    lanes = _lanes(skips)
    return {
        "boxes": [(layer, i > 0 and layers[i - 1]["name"] in layer["inputs"]) for i, layer in enumerate(layers)],
        "skips": [_arc(start, end, lane) for (start, end), lane in zip(skips, lanes, strict=True)],
        "width": LANE * (max(lanes, default=-1) + 2) if skips else 0,
        "height": len(layers) * (HEIGHT + GAP) - GAP,
    }


def _lanes(skips: list[tuple[int, int]]) -> list[int]:
    """For each skip the innermost lane that no skip already placed there overlaps."""
    lanes: list[int] = []
    for i, (start, end) in enumerate(skips):
        low, high = min(start, end), max(start, end)
        taken = {
            lane
            for (s, e), lane in zip(skips[:i], lanes, strict=True)
            if (low < max(s, e) and min(s, e) < high) or (start, end) == (s, e)
        }
        lanes.append(next(lane for lane in range(len(skips)) if lane not in taken))
    return lanes


def _arc(start: int, end: int, lane: int) -> str:
    out = 12 + LANE * lane
    top, bottom = start * (HEIGHT + GAP) + HEIGHT - 9, end * (HEIGHT + GAP) + 9
    return f"M1 {top}H{out}V{bottom}H1m6 -4l-6 4l6 4"
