"""What a NetGraph refuses whoever makes it: the files' own refusals are in test_netx_damage.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lava_mlsnn import energy, loihi2, netx, sim
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph, Readout

INPUT = Input((1, 1, 1))


def layer(name: str, source: str = "input", neuron: object = None) -> Layer:
    return Layer(name, (Connection(source, Dense([[1]])),), (1, 1, 1), neuron or MultiLevel(1, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Connection("input", "dense"), r"connection from \('input',\): synapse: expected Synapse, got 'dense'"),
        (lambda: Layer("a", ("input",), (1, 1, 1), Readout()), "layer 'a': connection: expected Connection, got 'in"),
        (lambda: layer("a", neuron="multilevel"), "layer 'a': neuron: expected Neuron, got 'multilevel'"),
        (lambda: NetGraph((1, 1, 1), (layer("a"),)), r"input: expected Input, got \(1, 1, 1\)"),
        (lambda: Input((1, 1, 1), signed="x"), "input signed: expected True or False, got 'x'"),
        (lambda: Input((1, 1, 1), scale=True), "input scale: expected a finite number > 0, got True"),
        (lambda: Input((1, 1, 1), bits=True), "input bits: expected an integer in 1 .. 24, got True"),
        (lambda: MultiLevel(True, 1), "levels: expected an integer >= 1, got True"),
        (lambda: NetGraph(INPUT, ("a",)), "layer: expected Layer, got 'a'"),
        (lambda: NetGraph(INPUT, (layer("a", neuron=Readout()), layer("b", "a"))), "layer 'b' reads 'a', a readout"),
    ],
)
def test_parts_of_other_kinds_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "function",
    [
        lambda graph: sim.run(graph, None),
        sim.Stream,
        loihi2.fit,
        lambda graph: energy.estimate(graph, None),
        netx.lower,
        netx.digest,
        netx.bounds,
        netx.problems,
        lambda graph: netx.save(graph, "x.net"),
    ],
)
@pytest.mark.parametrize(("what", "kind"), [("x.net", "str"), (Dense([[1]]), "Dense")])
def test_what_takes_a_network_says_how_to_come_by_one(
    function: Callable[[object], object], what: object, kind: str
) -> None:
    with pytest.raises(ValueError, match=rf"graph: expected a NetGraph \(netx.load reads .*, got {kind}"):
        function(what)
