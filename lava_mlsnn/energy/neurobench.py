"""NeuroBench's metrics of a network, under its names and by its definitions, from what this project counts.

The definitions are those of the harness, version 2.3 ([Yik2025]): its code decides where its paper is silent.

Where they differ from what else is counted here:

* Synaptic operations are those of convolutions and dense layers alone, for pairs of a non-zero input and a non-zero
  weight (``Effective``) or for all pairs of a site and a weight, borders respected, in every timestep (``Dense``).
  Biases, pooling, residual sums and neurons are free.
* An operation is an AC only where all inputs of a layer in a timestep are 0, 1 or -1, over the whole batch, else a MAC:
  spikes with more than one level are MACs, and so is an analog input. The harness judges each batch by itself, here all
  samples of the run are one batch.
* The harness sums in float32 and rounds connection sparsity to four digits; here both are exact.
* A network of float weights, such as one in training, has other zeros than the integers that are exported from it, and
  its spikes may be z / N, which are no ACs even where z is 1: the same figures come from a torch network that computes
  with the graph's integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.fixed import Wide, wrap
from ..graph.graph import INPUT, Connection, Layer, NetGraph, require_graph
from ..helpers.check import integer

PIECE = 16
"""Samples whose membranes are computed at a time."""

Spikes = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class NeuroBench:
    """The metrics, workload as means per sample.

    Args:
        footprint: bytes of weights and biases; buffers of neurons, which each library keeps otherwise, are left out.
        connection_sparsity: share of the weights that are zero.
        activation_sparsity: share of all outputs of neurons, over all timesteps, that are zero.
        dense: synaptic operations if nothing were zero.
        effective_macs, effective_acs: synaptic operations of non-zero inputs and weights.
        membrane_updates: membrane potentials that a timestep changed; in the first all count. None: not known without
            traces.
        exact: whether operations were counted site by site; else every site's events have the mean fan-out.
        samples: of the run.
    """

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    dense: float
    effective_macs: float
    effective_acs: float
    membrane_updates: float | None
    exact: bool
    samples: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, under the names of the harness's results; and what they were counted on."""
        return {
            "Footprint": self.footprint,
            "ConnectionSparsity": self.connection_sparsity,
            "ActivationSparsity": self.activation_sparsity,
            "SynapticOperations": {
                "Effective_MACs": self.effective_macs,
                "Effective_ACs": self.effective_acs,
                "Dense": self.dense,
            },
            "MembraneUpdates": self.membrane_updates,
            "exact": self.exact,
            "samples": self.samples,
        }


def neurobench(graph: NetGraph, run: Any, images: Any = None, parameter_bytes: int | None = None) -> NeuroBench:
    """NeuroBench's metrics of a run of ``graph``.

    Args:
        graph: the network.
        run: of the engine or of Lava, with ``trace=True`` for exact figures; or an Activity. Counts do not say which
            sites fired: without traces the operations are those of the mean fan-out.
        images: what was run, where the trace does not hold "input".
        parameter_bytes: of a weight or bias (4 for a torch network of float32); None: the narrowest signed integers
            that hold each array.

    Raises:
        ValueError: no NetGraph; counts or images of another network.

    **Shape:** images int (N, C, H, W) or (N, C, H, W, T).

    Example:
        >>> from lava_mlsnn import sim
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection("input", Dense([[2, 0], [3, 4]]))
        >>> graph = NetGraph(Input((2, 1, 1), bits=1), (Layer("fc", (dense,), (2, 1, 1), MultiLevel(2, 2)),))
        >>> images = np.array([1, 0]).reshape(1, 2, 1, 1)
        >>> found = neurobench(graph, sim.run(graph, images, trace=True), images)
        >>> found.connection_sparsity, found.dense, found.effective_acs, found.membrane_updates
        (0.25, 4.0, 2.0, 2.0)
    """
    require_graph(graph)
    activity = getattr(run, "activity", run)
    if not isinstance(activity, Activity):
        raise ValueError(f"run: expected a run with .activity, or an Activity, got {type(run).__name__}")
    activity.check(graph)
    spikes = _spikes(graph, run, images, activity.samples)
    weighted = [
        (layer, i, c)
        for layer in graph
        for i, c in enumerate(layer.connections)
        if c.synapse.priced_as in ("conv", "dense")
    ]
    macs, acs = 0.0, 0.0
    for layer, i, connection in weighted:
        found = _counted(graph, activity, layer, i) if spikes is None else _traced(graph, layer, connection, spikes)
        for operations, unit in found:
            macs, acs = macs + operations * (not unit), acs + operations * unit
    dense = sum(int(c.synapse.fan_out(graph.shape(c.sources[0])).sum()) for _, _, c in weighted) * graph.timesteps
    arrays = [c.synapse.weights for _, _, c in weighted if c.synapse.weights is not None]
    weights = sum(array.size for array in arrays)
    neurons = [layer for layer in graph if layer.neuron.spiking]
    outputs = sum(layer.size for layer in neurons) * graph.timesteps
    events = sum(activity.mean_events(layer.name) for layer in neurons)
    return NeuroBench(
        _footprint([*arrays, *(layer.bias for layer in graph if layer.bias is not None)], parameter_bytes),
        1.0 - sum(int(np.count_nonzero(array)) for array in arrays) / weights if weights else 0.0,
        1.0 - events / outputs if outputs else 0.0,
        float(dense),
        macs / activity.samples,
        acs / activity.samples,
        _membranes(graph, spikes, activity.samples),
        spikes is not None,
        activity.samples,
    )


def _footprint(arrays: list[NDArray[Any]], parameter_bytes: int | None) -> int:
    if parameter_bytes is not None:
        return sum(array.size for array in arrays) * integer(parameter_bytes, "parameter_bytes", 1)
    total = 0
    for array in arrays:
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        total += array.size * np.min_scalar_type(min(low, -high - 1)).itemsize
    return total


def _spikes(graph: NetGraph, run: Any, images: Any, samples: int) -> Spikes | None:
    """The traces of "input" and all layers, (N, C, H, W, T); None unless all are there."""
    traces: dict[str, NDArray[Any]] = dict(getattr(run, "traces", {}))
    if images is not None:
        shown = np.asarray(images)
        shape, steps = (samples, *graph.input.shape), graph.timesteps
        if shown.shape not in (shape, (*shape, steps)):
            raise ValueError(f"images: expected shape {shape} or {(*shape, steps)}, got {shown.shape}")
        traces[INPUT] = np.broadcast_to(shown[..., None], (*shape, steps)) if shown.ndim == 4 else shown
    return traces if traces.keys() >= {INPUT, *(layer.name for layer in graph)} else None


def _counted(graph: NetGraph, activity: Activity, layer: Layer, index: int) -> Iterator[tuple[float, bool]]:
    """Operations of all samples in each timestep by the mean fan-out, and whether all inputs are units."""
    connection = layer.connections[index]
    shape = graph.shape(connection.sources[0])
    ones = np.ones(shape, np.int64)
    fan_out = sum(_pairs(part, ones) for _, part in connection.synapse.parts()) / ones.size
    for t, sites in enumerate(activity.sites[layer.name][index].tolist()):
        sent = [(int(activity.events[name][t]), int(activity.values[name][t])) for name in connection.sources]
        unit = all(events == values for events, values in sent) and sum(events for events, _ in sent) == sites
        yield sites * fan_out, unit or not sites


def _traced(graph: NetGraph, layer: Layer, connection: Connection, spikes: Spikes) -> Iterator[tuple[float, bool]]:
    """The same, exactly: which sites fired, and which of their weights are not zero."""
    for t in range(graph.timesteps):
        unit, pairs = True, 0.0
        for age, part in connection.synapse.parts():
            read = _summed(layer, connection, spikes, t - age)
            unit = unit and bool((np.abs(read) <= 1).all())
            pairs += _pairs(part, np.count_nonzero(read, axis=0))
        yield pairs, unit


def _pairs(synapse: Any, fired: NDArray[Any]) -> float:
    """Pairs of an event and a weight that is not zero, for events per site (C, H, W)."""
    return float(replace(synapse, weight=(synapse.weight != 0).astype(np.int32)).accumulate(fired).sum())


def _summed(layer: Layer, connection: Connection, spikes: Spikes, t: int) -> Wide:
    """What a connection reads in step ``t``: its sources' sum, the layer itself one step late; zeros before."""
    total = np.zeros(spikes[connection.sources[0]].shape[:-1], np.int64)
    for name in connection.sources:
        when = t - (name == layer.name)
        if when >= 0:
            total = total + spikes[name][..., when]
    return wrap(total).astype(np.int64)


def _membranes(graph: NetGraph, spikes: Spikes | None, samples: int) -> float | None:
    """Membrane potentials that steps changed, per sample: all in the first."""
    layers = [layer for layer in graph if layer.neuron.spiking and "v" in layer.neuron.state]
    total = sum(layer.size for layer in layers)
    if graph.timesteps == 1:
        return float(total)
    if spikes is None:
        return None
    changed = 0
    for start in range(0, samples, PIECE):
        piece = {name: array[start : start + PIECE] for name, array in spikes.items()}
        changed += sum(_changes(layer, piece) for layer in layers)
    return (total * samples + changed) / samples


def _changes(layer: Layer, spikes: Spikes) -> int:
    """Potentials of a layer that its steps after the first changed, as the kinds' own steps compute them."""
    own = spikes[layer.name]
    state, changed = layer.neuron.initial_state(own.shape[:-1]), 0
    for t in range(own.shape[-1]):
        total: Wide = np.zeros(own.shape[:-1], np.int64)
        for connection in layer.connections:
            synapse = connection.synapse

            def past(age: int, connection: Connection = connection, t: int = t) -> Wide:
                return _summed(layer, connection, spikes, t - age)

            total = total + wrap(synapse.accumulate_past(past), synapse.current_bits)
        before = state["v"]
        _, state = layer.neuron.step(state, wrap(total), layer.bias, t=t)
        changed += int(np.count_nonzero(state["v"] != before)) if t else 0
    return changed
