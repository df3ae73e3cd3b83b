"""A network in one Lava Process beside the same network in stock Lava: CPU time per timestep, in one run on one core.

    python benchmarks/lava_step.py                       # about 5 minutes, most of them stock Lava's VGG16
    python benchmarks/lava_step.py --networks pilotnet_sdnn pilotnet_lif --turns 5

    pilotnet_sdnn    ships with lava-dl: nine sigma-delta layers, 33 x 100 video of which a tenth of the pixels change
    pilotnet_lif     ships with lava-dl: ten LIF layers, a 66 x 200 image as constant current, reset every 17 steps
    vgg16_lif        the 13 convolutions of a VGG16 for 32 x 32 images (313 M multiplications; the first of each stage
                     has stride 2, as stock NetX has no pool), LIF, thresholds set so that a tenth of each layer fires

Stock: lava.lib.dl.netx.hdf5.Network on the file, Lava's ring buffers as source and sink, Loihi2SimCfg(fixed_pt).
Ours: lava_mlsnn.proc.Network(fused=True) on the same file; with the same ring buffers, and with our Source and Sink.

CPU time is user plus system time of this process and all that it started, so other programs on the machine disturb
little. A step's is the difference between a long and a short run by the difference of their steps: building, compiling
and forking cancel. Stock and ours take turns; a ratio is that of the medians, and beside it stand the least and the
largest of a single turn: stock Lava's time changes from turn to turn.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from lava_mlsnn import netx, proc, sim
from lava_mlsnn.helpers.files import atomic_write
from lava_mlsnn.netx import LIF, Connection, Conv, Input, Layer, NetGraph
from lava_mlsnn.proc.synapses.models import convolve, taps_of

FILES = Path(str(importlib.metadata.distribution("lava-dl").locate_file("tests/lava/lib/dl/netx/gts")))
VGG16 = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (256, 1), (512, 2), (512, 1), (512, 1), (512, 2))
VGG16 += ((512, 1), (512, 1))


@dataclass
class Case:
    """A network, what it is fed and how long it runs.

    Args:
        path: its file.
        frames: (steps, *shape) at its input port, repeated.
        options: of both networks.
        stock_steps, steps: (short, long) runs of stock Lava and of ours.
        aim: wanted ratio.
    """

    path: Path
    frames: np.ndarray
    options: dict[str, Any]
    stock_steps: tuple[int, int]
    steps: tuple[int, int]
    aim: float


def cases(folder: Path, names: list[str]) -> dict[str, Case]:
    """The networks that were asked for."""
    rng = np.random.default_rng(1)
    video = np.clip(
        np.cumsum(rng.integers(-9, 10, (32, 100, 33, 3)) * (rng.random((32, 100, 33, 3)) < 0.1), 0), -64, 64
    )
    image = np.load(FILES / "pilotnet_lif" / "image.npy")[np.newaxis] if FILES.is_dir() else np.zeros((1, 200, 66, 3))
    binary = (rng.random((16, 32, 32, 3)) < 0.1).astype(np.int32)
    made: dict[str, Callable[[], Case]] = {
        "pilotnet_sdnn": lambda: Case(
            FILES / "pilotnet_sdnn" / "network.net", video.astype(np.int32), {}, (4, 24), (100, 1100), 70
        ),
        "pilotnet_lif": lambda: Case(
            FILES / "pilotnet_lif" / "network.net", image, {"reset_interval": 17}, (4, 16), (100, 700), 60
        ),
        "vgg16_lif": lambda: Case(vgg16(folder / "vgg16.net", binary), binary, {}, (1, 4), (50, 350), 2000),
    }
    return {name: made[name]() for name in names}


def vgg16(path: Path, frames: np.ndarray, activity: float = 0.1) -> Path:
    """Write the chain with thresholds that let ``activity`` of each layer fire on ``frames``."""
    rng = np.random.default_rng(2)
    layers, source, spikes = [], "input", frames[:8]
    shape = (3, 32, 32)
    for index, (features, stride) in enumerate(VGG16):
        weight = np.clip(np.rint(32 * rng.standard_normal((features, shape[0], 3, 3))), -127, 127).astype(np.int32)
        conv = Conv(weight, stride, 1)
        shape = conv.out_shape(shape)
        currents = [_current(conv, frame, shape) for frame in spikes]
        neuron = _calibrate(currents, activity)
        spikes = _fire(neuron, currents)
        layers.append(Layer(f"conv{index}", (Connection((source,), conv),), shape, neuron))
        source = f"conv{index}"
    netx.save(NetGraph(Input((3, 32, 32), scale=1.0, bits=1), tuple(layers)), path)
    return path


def _current(conv: Conv, frame: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Current (W, H, C) for a frame (W, H, C), by Lava's order of a kernel's axes."""
    taps = taps_of(conv.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1), 1)
    sizes = [np.array(pair[::-1]) for pair in (conv.stride, conv.padding, conv.dilation)]
    return convolve(frame, taps, shape[::-1], *sizes).astype(np.int64)


def _fire(neuron: LIF, currents: list[np.ndarray]) -> np.ndarray:
    state, out = sim.reference.initial_state(neuron, currents[0].shape), []
    for current in currents:
        spikes, state = sim.reference.step(neuron, state, current)
        out.append(spikes)
    return np.stack(out)


def _calibrate(currents: list[np.ndarray], activity: float) -> LIF:
    """A leaky neuron whose threshold lets the wanted share of neurons fire, by bisection."""
    low, high = 1, 1 << 17
    while high - low > 1:
        middle = (low + high) // 2
        fired = np.mean(_fire(LIF(middle, dv=1024), currents)[2:])
        low, high = (middle, high) if fired > activity else (low, middle)
    return LIF(high, dv=1024)


def cpu_seconds() -> float:
    """User and system time of this process and of all its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def per_step(run: Callable[[int], None], steps: tuple[int, int]) -> tuple[float, float]:
    """CPU and wall seconds of a step: (long - short) / their difference in steps."""
    spent = []
    for count in steps:
        cpu, wall = cpu_seconds(), time.monotonic()
        run(count)
        spent.append((cpu_seconds() - cpu, time.monotonic() - wall))
    return tuple((long - short) / (steps[1] - steps[0]) for short, long in zip(*spent, strict=True))  # type: ignore


def ring_buffers(case: Case, net: Any, inp: Any, out: Any) -> Any:
    """Lava's own source and sink at a network's ports."""
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    source = Source(data=np.moveaxis(case.frames, 0, -1))
    sink = Sink(shape=tuple(map(int, out.shape)), buffer=16)
    source.s_out.connect(inp)
    out.connect(sink.a_in)
    return net


def run_stock(case: Case, steps: int) -> None:
    """Stock NetX in stock Lava, as its tutorials run it."""
    from lava.lib.dl.netx.hdf5 import Network
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    net = Network(str(case.path), **case.options)
    net.net_config.f.close()
    inp = net.in_layer.neuron.a_in if hasattr(net.in_layer, "transform") else net.inp
    ring_buffers(case, net, inp, net.out_layer.out)
    net.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    net.stop()


def run_fused(case: Case, steps: int) -> None:
    """Ours between the same ring buffers, with Lava's default channels."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    net = proc.Network(case.path, fused=True, **case.options)
    ring_buffers(case, net, net.inp, net.out)
    net.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    net.stop()


def run_own(case: Case, steps: int) -> None:
    """Ours between our own source and sink."""
    net = proc.Network(case.path, fused=True, **case.options)
    frames = case.frames[np.arange(steps) % len(case.frames)] if len(case.frames) > 1 else case.frames
    source, sink = (
        proc.Source(frames=frames, repeat=-(-steps // len(frames))),
        proc.Sink(shape=net.out.shape, steps=steps),
    )
    source.s_out.connect(net.inp)
    net.out.connect(sink.a_in)
    proc.run(net, steps)
    net.stop()


def engine_alone(case: Case, steps: int = 200) -> tuple[float, float]:
    """CPU seconds of a step of the engine without Lava, and the mean share of active neurons."""
    net = proc.Network(case.path, **case.options)
    graph = net.graph
    stream = sim.Stream(graph, net.reset_interval)
    frames = [proc.ports.from_port(f, graph.input.shape, f.ndim == 1) for f in case.frames]
    events, neurons = 0, sum(layer.size for layer in graph)
    for t in range(40):
        stream.step(frames[t % len(frames)])
    start = time.process_time()
    for t in range(steps):
        stream.step(frames[(40 + t) % len(frames)])
    spent = (time.process_time() - start) / steps
    for t in range(40):
        stream.step(frames[t % len(frames)])
        events += sum(count for name, (count, _) in stream.counts().items() if name != "input")
    return spent, events / (40 * neurons)


def measure(name: str, case: Case, turns: int) -> dict[str, Any]:
    """All figures of one network."""
    kinds = {"stock": run_stock, "fused": run_fused, "own": run_own}
    cpu: dict[str, list[float]] = {kind: [] for kind in kinds}
    wall: dict[str, list[float]] = {kind: [] for kind in kinds}
    run_own(case, 2)  # compiles the engine's kernels where their cache is empty
    for turn in range(turns):
        for kind, run in kinds.items():
            if kind == "stock" and turn and name == "vgg16_lif":
                continue  # half a minute each, and stock's cost does not depend on luck
            steps = case.stock_steps if kind == "stock" else case.steps
            spent = per_step(lambda count, run=run: run(case, count), steps)  # type: ignore[misc]
            cpu[kind].append(spent[0])
            wall[kind].append(spent[1])
            print(
                f"  turn {turn + 1}, {kind:6s} {1e3 * spent[0]:10.3f} ms CPU {1e3 * spent[1]:10.3f} ms wall", flush=True
            )
    alone, activity = engine_alone(case)
    row: dict[str, Any] = {f"{kind}_ms": 1e3 * statistics.median(values) for kind, values in cpu.items()}
    row |= {f"{kind}_wall_ms": 1e3 * statistics.median(values) for kind, values in wall.items()}
    row |= {"engine_ms": 1e3 * alone, "activity": activity, "aim": case.aim}
    for kind in ("fused", "own"):
        stock = cpu["stock"] + cpu["stock"][-1:] * (turns - len(cpu["stock"]))
        each = [a / b for a, b in zip(stock, cpu[kind], strict=True)]
        row |= {f"ratio_{kind}": row["stock_ms"] / row[f"{kind}_ms"], f"ratio_{kind}_range": [min(each), max(each)]}
    return row


def spread(ratios: list[float]) -> str:
    """Least and largest ratio of a turn."""
    return f"{f'{ratios[0]:.0f}..{ratios[1]:.0f}x':>14s}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ["pilotnet_sdnn", "pilotnet_lif", "vgg16_lif"]
    parser.add_argument("--networks", nargs="+", choices=known, default=known)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--core", type=int, default=None, help="core to pin to; by default the first one allowed")
    parser.add_argument("--json", type=Path, default=None, help="write the figures there too")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0)) if options.core is None else options.core
    os.sched_setaffinity(0, {core})
    print(f"one core ({core}), CPU time per timestep, median of {options.turns} turns")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases(Path(folder), options.networks).items():
            print(name, flush=True)
            rows[name] = measure(name, case, options.turns)
    head = f"{'network':15s}{'active':>8s}{'stock':>12s}{'fused':>10s}{'own io':>10s}{'engine':>10s}{'ratio':>9s}"
    print(f"\n{head}{'turns':>14s}{'own io':>9s}{'turns':>14s}{'aim':>7s}   (ms CPU per step)")
    for name, row in rows.items():
        print(
            f"{name:15s}{row['activity']:8.1%}{row['stock_ms']:12.2f}{row['fused_ms']:10.3f}{row['own_ms']:10.3f}"
            f"{row['engine_ms']:10.3f}{row['ratio_fused']:8.0f}x{spread(row['ratio_fused_range'])}"
            f"{row['ratio_own']:8.0f}x{spread(row['ratio_own_range'])}{row['aim']:6.0f}x"
        )
    if options.json:
        atomic_write(options.json, json.dumps({"core": core, "turns": options.turns, "networks": rows}, indent=1))


if __name__ == "__main__":
    main()
