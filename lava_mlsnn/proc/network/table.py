"""The table that ``print(network)`` shows: stock NetX's columns, then names."""

from __future__ import annotations

from lava_mlsnn.graph.graph import Connection, Layer, NetGraph

HEADER = "|   Type   |  W  |  H  |  C  | ker | str | pad | dil | grp |delay| neuron      | name <- reads"


def table(graph: NetGraph) -> str:
    """One row per connection of each layer, sizes in the order (W, H).

    Example:
        >>> from lava_mlsnn.netx import Input, MultiLevel, Pool
        >>> pool = Connection("input", Pool((2, 2), (2, 2)))
        >>> print(table(NetGraph(Input((3, 8, 8)), (Layer("down", (pool,), (3, 4, 4), MultiLevel(4, 8)),))))
        |   Type   |  W  |  H  |  C  | ker | str | pad | dil | grp |delay| neuron      | name <- reads
        |Pool      |    4|    4|    3| 2, 2| 2, 2| 0, 0| 1, 1|     |False| multilevel  | down <- input
    """
    rows = [_row(graph, layer, connection) for layer in graph for connection in layer.connections]
    return "\n".join([HEADER, *rows])


def _row(graph: NetGraph, layer: Layer, connection: Connection) -> str:
    synapse = connection.synapse
    channels, height, width = layer.shape
    window = synapse.window
    pairs = (window.kernel, window.stride, window.padding, window.dilation) if window else ()
    columns = [*([_pair(pair[::-1]) for pair in pairs] or [""] * 4), str(getattr(synapse, "groups", ""))]
    held_back = any(graph.delay(layer, connection, source) for source in connection.sources)
    kind = synapse.file_type.capitalize()
    cells = [f"{kind:10s}", f"{width:5d}", f"{height:5d}", f"{channels:5d}"]
    cells += [f"{text:>5s}" for text in columns]
    cells += [f"{held_back or synapse.ages != (0,)!s:5s}", f" {layer.neuron.kind:12s}"]
    return "|" + "|".join(cells) + f"| {layer.name} <- {' + '.join(connection.sources)}"


def _pair(values: tuple[int, ...]) -> str:
    return ",".join(f"{value:2d}" for value in values)
