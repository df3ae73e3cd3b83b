"""A network as a drawing: layers from top to bottom, the connections that skip some of them as arcs beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WIDTH, HEIGHT, GAP, TOP, LANE = 250, 30, 16, 6, 14


def layout(record: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes, boxes (layer, y) and paths of the drawing of a record's network, in pixels.

    Connections between neighbors are lines; the others run in lanes at the right, each as far out as it must.
    """
    layers = [{"name": "input", "inputs": [], "kind": "", "shape": record["input"]["shape"]}, *record["layers"]]
    row = {layer["name"]: i for i, layer in enumerate(layers)}
    skips = sorted(
        ((row[source], i) for i, layer in enumerate(layers) for source in layer["inputs"] if row[source] != i - 1),
        key=lambda ends: ends[1] - ends[0],
    )
    lanes = _lanes(skips)
    lines = [_top(i) for i, layer in enumerate(layers) if i and layers[i - 1]["name"] in layer["inputs"]]
    return {
        "width": WIDTH + 12 + LANE * (max(lanes, default=-1) + 2),
        "height": 2 * TOP + len(layers) * (HEIGHT + GAP) - GAP,
        "box": (WIDTH, HEIGHT),
        "boxes": [(layer, _top(i)) for i, layer in enumerate(layers)],
        "edges": [f"M{WIDTH // 2} {y - GAP}V{y}m-4 -5l4 5l4 -5" for y in lines],
        "skips": [_arc(start, end, lane) for (start, end), lane in zip(skips, lanes, strict=True)],
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


def _top(row: int) -> int:
    return TOP + row * (HEIGHT + GAP)


def _arc(start: int, end: int, lane: int) -> str:
    x, out = WIDTH + 1, WIDTH + 12 + LANE * lane
    return f"M{x} {_top(start) + HEIGHT - 8}H{out}V{_top(end) + 8}H{x}m6 -4l-6 4l6 4"
