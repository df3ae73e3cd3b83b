"""A network as a drawing: layers from top to bottom, the connections that skip some of them as arcs beside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

WIDTH, HEIGHT, GAP, TOP, LANE = 250, 30, 16, 6, 14


def drawing(record: Mapping[str, Any]) -> str:
    """Inline SVG of a record's network.

    Connections between neighbours are lines; the others run in lanes at the right, each as far out as it must.
    """
    layers = [{"name": "input", "inputs": [], "kind": "", "shape": record["input"]["shape"]}, *record["layers"]]
    row = {layer["name"]: i for i, layer in enumerate(layers)}
    skips = sorted(
        ((row[source], i) for i, layer in enumerate(layers) for source in layer["inputs"] if row[source] != i - 1),
        key=lambda ends: ends[1] - ends[0],
    )
    lanes = _lanes(skips)
    width = WIDTH + 12 + LANE * (max(lanes, default=-1) + 2)
    height = 2 * TOP + len(layers) * (HEIGHT + GAP) - GAP
    parts = [_box(layer, i) for i, layer in enumerate(layers)]
    parts += [_line(i) for i, layer in enumerate(layers) if i and layers[i - 1]["name"] in layer["inputs"]]
    parts += [_arc(start, end, lane) for (start, end), lane in zip(skips, lanes, strict=True)]
    label = escape(f"layers of {record['name']}")
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


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


def _box(layer: Mapping[str, Any], row: int) -> str:
    y = _top(row)
    shape = "×".join(map(str, layer["shape"]))
    return (
        f'<rect class="box" x="1" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="9" y="{y + 13}">{escape(layer["name"])}</text>'
        f'<text x="9" y="{y + 25}" style="font-size:9px">{escape(layer["kind"])}</text>'
        f'<text x="{WIDTH - 8}" y="{y + 19}" text-anchor="end">{shape}</text>'
    )


def _line(row: int) -> str:
    x, y = WIDTH // 2, _top(row)
    return f'<path class="edge" d="M{x} {y - GAP}V{y}m-4 -5l4 5l4 -5"/>'


def _arc(start: int, end: int, lane: int) -> str:
    x, out = WIDTH + 1, WIDTH + 12 + LANE * lane
    y1, y2 = _top(start) + HEIGHT - 8, _top(end) + 8
    return f'<path class="skip" d="M{x} {y1}H{out}V{y2}H{x}m6 -4l-6 4l6 4"/>'
