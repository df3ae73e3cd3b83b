"""The neurons of one layer in one timestep: currents in, the event list of their spikes out."""

from __future__ import annotations

from typing import Any

from .event_lists import EventList, begin, collect
from .neurons.kernel import Span, update
from .records import Memory, Tables
from .simd import inlined

CHUNK = 2048
"""Neurons updated before their spikes are collected: what they sent is then still in the first cache."""


@inlined
def fire(tables: Tables, memory: Memory, node: Any, events: EventList, slot: Any, age: int, t: int) -> None:
    """Step t of a sample of a layer, ``age`` steps after its reset: with age 0 the state begins at zero."""
    work, control, channels = memory.work, memory.control[0], node.channels
    begin(node, slot)
    at_once = min(max(CHUNK // channels, 1), node.sites)
    for site in range(0, node.sites, at_once):
        sites = min(at_once, node.sites - site)
        first, count = site * channels, sites * channels
        state = node.state
        if node.state_size == node.size:
            state += first
        rounds, place = sites, 0
        if node.per_neuron:
            rounds, place = 1, first
        span = Span(
            rounds,
            count // rounds,
            control.current + first * node.currents,
            state,
            node.state_size,
            control.spikes,
            node.parameters,
            place,
            t,
            age == 0,
        )
        update(node.kernel, work, tables.constants, tables.parameters, span)
        if node.spiking:
            collect(work, control.spikes, events, slot, site, sites)
