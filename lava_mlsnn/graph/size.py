"""Networks that are larger than anybody meant, found before memory is taken."""

from __future__ import annotations

from .graph import NetGraph

LARGEST = 2**28
"""Most values that a layer of a network from a file may hold, unless its reader is told otherwise."""


def require_size(graph: NetGraph, largest: int = LARGEST) -> None:
    """ValueError if a layer, or its input with padding, is larger than anybody meant; a small file can declare it.

    Args:
        graph: the network; nothing of that size is allocated to find out.
        largest: most neurons of a layer, and most sites of a padded map.
    """
    for layer in graph:
        values = {"neurons": layer.size}
        for connection in layer.connections:
            window, (channels, height, width) = connection.synapse.window, graph.shape(connection.sources[0])
            if window is not None:
                padded = channels * (height + 2 * window.padding[0]) * (width + 2 * window.padding[1])
                values["sites of its input with padding"] = padded
        what = max(values, key=lambda name: values[name])
        if values[what] > largest:
            raise ValueError(
                f"layer {layer.name!r}: {values[what]:,} {what}: expected at most {largest:,}; "
                "netx.load(..., largest=N) raises the limit"
            )
