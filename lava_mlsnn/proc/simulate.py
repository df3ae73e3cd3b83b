"""Run a network in Lava on images and get the same as from the engine."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.process import Conv
from numpy.typing import NDArray

from lava_mlsnn.graph.activity import Activity
from lava_mlsnn.graph.graph import NetGraph
from lava_mlsnn.lava_compat.guarded import CHANNEL_SLOTS, tidy
from lava_mlsnn.lava_compat.guarded import run as run_guarded
from lava_mlsnn.proc.io.process import Sink, Source
from lava_mlsnn.proc.network.process import Network
from lava_mlsnn.proc.ports import PortShape, from_port, to_port
from lava_mlsnn.proc.probe import ActivityProbe, Monitor
from lava_mlsnn.proc.synapses.models import PyConvModelMatmul
from lava_mlsnn.proc.timing import sample_steps
from lava_mlsnn.sim import Run
from lava_mlsnn.sim.run import check_images, trace_names


class SimCfg(Loihi2SimCfg):
    """Lava's fixed-point CPU simulation of Loihi 2, with a fast model of the same integers for its convolutions.

    Args:
        stock: leave every stock Process to its stock model.
    """

    def __init__(self, stock: bool = False) -> None:
        fast = {} if stock else {Conv: PyConvModelMatmul}
        super().__init__(select_tag="fixed_pt", exception_proc_model_map=fast)


def run(
    process: AbstractProcess,
    steps: int,
    *,
    timeout: float | None = None,
    run_cfg: Any = None,
    slots: int = CHANNEL_SLOTS,
) -> None:
    """Run a Process and all that are connected to it for some timesteps, under guard; Vars can be read afterwards.

    Args:
        process: any of them; ``process.stop()`` ends the run and its processes.
        steps: timesteps.
        timeout: seconds until the run is ended with TimeoutError, None for no limit.
        run_cfg: Lava's run configuration, by default :class:`SimCfg`.
        slots: messages that a channel holds.

    Raises:
        ProcessError: a process raised or died; the message has its traceback. None is left then.
        TimeoutError: the run took too long. No process is left.
    """
    run_guarded(process, steps, run_cfg or SimCfg(), timeout=timeout, slots=slots)


def simulate(
    net: NetGraph | str | PathLike[str],
    images: Any,
    *,
    fused: bool = True,
    trace: bool | Iterable[str] = False,
    activity: bool = True,
    timeout: float | None = 600.0,
    run_cfg: Any = None,
) -> Run:
    """Present images to a network in Lava, T steps each, and decode what comes out.

    Source, network and sink run as Lava Processes for all samples at once: the pipeline fills once, a wave of resets
    separates the samples, and what belongs to a sample is read at its own steps. No process is left behind, even after
    an error.

    Args:
        net: a NetGraph, or the path of a ``.net`` file.
        images: integers (N, C, H, W), shown at each step, or (N, C, H, W, T).
        fused: one Process for the network, or one per synapse and population.
        trace: True to record all layers, or names of layers ("input" is one).
        activity: count events, values and sites; without, ``activity`` holds zeros.
        timeout: seconds for the run, None for no limit.
        run_cfg: Lava's run configuration, by default :class:`SimCfg`.

    Returns:
        The same as :func:`lava_mlsnn.sim.run` on the same arguments; Lava does not report overflows.

    Raises:
        ValueError: images do not fit the network.
        ProcessError, TimeoutError: see :func:`run`.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, Readout
        >>> dense = Connection("input", Dense([[1, 2], [3, 4]]))
        >>> graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (2, 1, 1), Readout()),), timesteps=2)
        >>> simulate(graph, np.array([[5, 6]]).reshape(1, 2, 1, 1)).output.tolist()
        [[34, 78]]
    """
    with tidy():
        network = Network(net, fused=fused)
        graph = network.graph
        if network.reset_interval != graph.timesteps:
            network = Network(graph, fused=fused, reset_interval=graph.timesteps)
        images, names = check_images(graph, images), trace_names(graph, trace)
        samples = len(images)
        if not samples:
            return _nothing(graph)
        steps = samples * graph.timesteps + max(graph.depth.values())
        sink = Sink(shape=network.out.shape, steps=steps)
        source = Source(**frames(images, network.inp.shape, graph.timesteps))
        source.s_out.connect(network.inp)
        network.out.connect(sink.a_in)
        probe = ActivityProbe(network, steps) if activity else None
        monitor = Monitor(network, names, steps=steps)
        try:
            run(network, steps, timeout=timeout, run_cfg=run_cfg)
        finally:
            network.stop()
        counts = Activity.zeros(graph, samples) if probe is None else probe.activity(samples)
        return Run(decode(graph, sink.data, samples), counts, monitor.trace(samples))


def frames(images: NDArray[Any], shape: PortShape, timesteps: int) -> dict[str, Any]:
    """Arguments of a :class:`Source` that shows ``images`` at a port of ``shape``.

    **Shape:** (N, C, H, W) or (N, C, H, W, T) -> frames (N, *shape) or (N T, *shape).
    """
    if images.ndim == 4:
        return {"frames": np.ascontiguousarray(to_port(images, shape)), "repeat": timesteps}
    by_step = np.moveaxis(images, -1, 1).reshape(-1, *images.shape[1:-1])
    return {"frames": np.ascontiguousarray(to_port(by_step, shape)), "repeat": 1}


def decode(graph: NetGraph, recorded: NDArray[Any], samples: int) -> NDArray[np.int64]:
    """Outputs (N, features) from a recording (steps, \\*shape) of the network's port.

    A readout's voltage is taken at step (k + 1) T + latency of sample k; spikes are summed over the sample's steps.
    """
    by_sample = sample_steps(recorded, graph.latency, samples, graph.timesteps).astype(np.int64)
    result = by_sample[:, -1] if graph.is_classifier else by_sample.sum(axis=1)
    return from_port(result, graph.output.shape, flat=result.ndim == 2).reshape(samples, -1)


def _nothing(graph: NetGraph) -> Run:
    return Run(np.zeros((0, graph.output.size), np.int64), Activity.zeros(graph))
