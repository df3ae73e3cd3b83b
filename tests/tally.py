"""Counts the random graphs that tests send through several engines: how many, and which kinds of layers they had.

The summary of a run prints the counts, those of pytest-xdist's workers included; tests ask for their own worker's.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lava_mlsnn import netx
from lava_mlsnn.graph.neurons import NEURONS
from lava_mlsnn.graph.synapses import SYNAPSES

KINDS = {*NEURONS, *SYNAPSES}
"""Of neurons and synapses, all that a graph can hold."""

KEY = "random_graphs"
_graphs: dict[str, set[str]] = {}
_kinds: dict[str, Counter[str]] = {}


def compared(engines: str, graph: netx.NetGraph) -> None:
    """Note that all ``engines`` gave the same for ``graph``; the same graph counts once."""
    digest = netx.digest(graph)
    if digest in _graphs.setdefault(engines, set()):
        return
    _graphs[engines].add(digest)
    kinds = {layer.neuron.kind for layer in graph}
    kinds |= {connection.synapse.kind for layer in graph for connection in layer.connections}
    _kinds.setdefault(engines, Counter()).update(kinds)


def count(*engines: str) -> int:
    """Different graphs so far, in this process."""
    return len(set().union(*(_graphs.get(name, set()) for name in engines)))


def kinds(*engines: str) -> set[str]:
    """Kinds of neurons and synapses among them."""
    return {kind for name in engines for kind in _kinds.get(name, ())}


def whole_module(request: pytest.FixtureRequest) -> bool:
    """Whether this test's module runs as a whole, so that its counts mean something."""
    chosen = {item.name for item in request.session.items if item.path == request.node.path}
    names = {name for name in vars(request.module) if name.startswith("test_")}
    return names <= {name.split("[")[0] for name in chosen}


def hand_over(config: Any) -> None:
    """Send a worker's counts to the process that prints the summary."""
    if hasattr(config, "workeroutput"):
        config.workeroutput[KEY] = {name: (sorted(_graphs[name]), dict(_kinds[name])) for name in _graphs}


def take_over(node: Any) -> None:
    """Add what a worker has counted."""
    for name, (graphs, found) in getattr(node, "workeroutput", {}).get(KEY, {}).items():
        _graphs.setdefault(name, set()).update(graphs)
        _kinds.setdefault(name, Counter()).update(found)


def report(reporter: Any) -> None:
    """One line per pair of engines, and one with the kinds."""
    if _graphs:
        reporter.section("random graphs on which engines agree", sep="-")
    for name in sorted(_graphs):
        reporter.line(f"{name}: {len(_graphs[name])} graphs")
        reporter.line("    " + ", ".join(f"{kind} {n}" for kind, n in _kinds[name].most_common()))
