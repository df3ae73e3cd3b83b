"""What neurons hold after each step of a sample: a run of its own, so that runs without it stay as fast as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import NetGraph
from .batch import PIECE, each_step, frames_of
from .reference import Ints

MEMBRANE = "v"
"""Name of the state that is a membrane, in all kinds of neurons that have one."""


def held(graph: NetGraph) -> dict[str, int]:
    """Layers with a membrane, and its number among the states of their neurons."""
    return {layer.name: layer.neuron.state.index(MEMBRANE) for layer in graph if MEMBRANE in layer.neuron.state}


def reference(graph: NetGraph, images: NDArray[Any]) -> dict[str, Ints]:
    """By the plain numpy engine: name -> int32 (N, C, H, W, T)."""
    found = _empty(graph, len(images))
    for start in range(0, len(images), PIECE):
        for t, now in enumerate(each_step(graph, images[start : start + PIECE])):
            for name, place in found.items():
                place[start : start + PIECE, ..., t] = now.states[name][MEMBRANE]
    return found


def fast(graph: NetGraph, images: NDArray[Any]) -> dict[str, Ints]:
    """By the kernels, one step at a time, after which their memory is read."""
    from .engine import Engine
    from .program import compile_graph

    program = compile_graph(graph, pipelined=False, keep=True)
    engine, found = Engine(program), _empty(graph, len(images))
    for i, image in enumerate(images):
        for t in range(graph.timesteps):
            engine.advance(frames_of(image, t, 1), 1, restart=t == 0)
            for name, index in held(graph).items():
                found[name][i, ..., t] = engine.state(name, index)
    return found


def _empty(graph: NetGraph, samples: int) -> dict[str, Ints]:
    return {name: np.zeros((samples, *graph.shape(name), graph.timesteps), np.int32) for name in held(graph)}
