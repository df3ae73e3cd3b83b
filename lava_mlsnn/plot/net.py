"""A network as a drawing: layers from top to bottom, connections that skip some as arcs beside them."""

from __future__ import annotations

from typing import Any

from ..graph.graph import INPUT, NetGraph
from .style import COLOURS, axes_or_new, literal


def network(graph: NetGraph, axes: Any = None) -> Any:
    """A box per layer with its neuron and shape; a sum of several sources is marked.

    Args:
        graph: the network.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.
    """
    row = {name: -i for i, name in enumerate((INPUT, *(layer.name for layer in graph)))}
    axes = axes_or_new(axes, (5.2, 0.6 + 0.42 * len(row)))
    texts = {INPUT: f"input  {_shape(graph.input.shape)}"}
    for layer in graph:
        plus = " +" * any(len(connection.sources) > 1 for connection in layer.connections)
        texts[layer.name] = f"{layer.name}{plus}  {layer.neuron.kind}  {_shape(layer.shape)}"
    for name, text in texts.items():
        box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": COLOURS[0]}
        axes.text(0, row[name], text, ha="center", va="center", fontsize=8, bbox=box, zorder=2)
    for layer in graph:
        for source in layer.inputs:
            _arrow(axes, row[source], row[layer.name])
    axes.set_xlim(-1, 1)
    axes.set_ylim(1 - len(row) - 0.6, 0.6)
    axes.axis("off")
    return literal(axes)


def _arrow(axes: Any, start: int, end: int) -> None:
    if start - end == 1:
        x, room, bend, color = 0.0, 0.3, 0.0, COLOURS[7]
    else:
        x, room, bend, color = 0.55, 0.0, -0.25 - 0.6 / max(start - end, 1), COLOURS[5]
    arrow = {"arrowstyle": "->", "connectionstyle": f"arc3,rad={bend}", "color": color}
    axes.annotate("", xy=(x, end + room), xytext=(x, start - room), arrowprops=arrow)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
