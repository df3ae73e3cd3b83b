"""The table that a network prints: stock NetX's columns, then names."""

from __future__ import annotations

from typing import Any

from lava_mlsnn.graph.graph import Connection, Layer, NetGraph
from lava_mlsnn.graph.synapses import Conv, DelayDense, Pool

HEADER = "|   Type   |  W  |  H  |  C  | ker | str | pad | dil | grp |delay| neuron      | name <- reads"


def table(graph: NetGraph) -> str:
    """One row per connection of each layer, sizes in the order (W, H).

    Example:
        >>> from lava_mlsnn.netx import Input, MultiLevel
        >>> pool = Connection("input", Pool((2, 2), (2, 2)))
        >>> print(table(NetGraph(Input((3, 8, 8)), (Layer("down", (pool,), (3, 4, 4), MultiLevel(4, 8)),))))
        |   Type   |  W  |  H  |  C  | ker | str | pad | dil | grp |delay| neuron      | name <- reads
        |Pool      |    4|    4|    3| 2, 2| 2, 2|     |     |     |False| multilevel  | down <- input
    """
    rows = [_row(graph, layer, connection) for layer in graph for connection in layer.connections]
    return "\n".join([HEADER, *rows])


def _row(graph: NetGraph, layer: Layer, connection: Connection) -> str:
    synapse: Any = connection.synapse
    channels, height, width = layer.shape
    kernel = stride = padding = dilation = groups = ""
    if isinstance(synapse, Conv):
        kernel, stride = _pair(synapse.weight.shape[:1:-1]), _pair(synapse.stride[::-1])
        padding, dilation, groups = _pair(synapse.padding[::-1]), _pair(synapse.dilation[::-1]), str(synapse.groups)
    elif isinstance(synapse, Pool):
        kernel, stride = _pair(synapse.kernel[::-1]), _pair(synapse.stride[::-1])
    delays = [graph.delay(layer, connection, source) for source in connection.sources]
    delayed = any(delays) or isinstance(synapse, DelayDense)
    kind = "Dense" if isinstance(synapse, DelayDense) else synapse.kind.capitalize()
    cells = [f"{kind:10s}", f"{width:5d}", f"{height:5d}", f"{channels:5d}"]
    cells += [f"{text:>5s}" for text in (kernel, stride, padding, dilation, groups)]
    cells += [f"{delayed!s:5s}", f" {layer.neuron.kind:12s}"]
    return "|" + "|".join(cells) + f"| {layer.name} <- {' + '.join(connection.sources)}"


def _pair(values: tuple[int, ...]) -> str:
    return ",".join(f"{value:2d}" for value in values)
