"""The integer engine beside ONNX Runtime's dense int8 and torch's float32: one timestep, all measured in one run.

    python benchmarks/engine.py                         # VGG16 and ResNet18 size: about 8 minutes
    python benchmarks/engine.py --networks vgg16 --turns 5

The networks have random 8-bit weights and thresholds set so that every layer's output, and the input, has the wanted
share of non-zero values (5 to 100 %, --activity; from 50 % on the weights have a mean above zero):

    vgg16       the 13 convolutions for 32x32 images, 313 M multiplications; the first of each stage has stride 2
    resnet18    17 convolutions and 3 projections, 555 M multiplications; shortcuts end in the dendrite of the neuron

Engine: one step of the whole network from zero state, neurons and event extraction included, as sim.run does it.
ONNX Runtime (where it is installed, see onnx_int8.py): the same network dense in 8 bits, batch 1 and batch 64 (per
sample). Torch: conv2d alone, no neurons, same shapes, batch 1 and batch 16 (per sample).

Time: CPU time of one pinned core, so that other programs on the machine disturb little. All take turns; a ratio is the
median over the turns of the other's time by the engine's of the same turn: above 1 the engine is faster.

The second part runs a set of 64 images on all cores: sim.run with a thread per core, ONNX Runtime with a batch of 64 on
as many, wall time.

The third part changes the activity from 1 to 25 % and fits cost = base + slope * synaptic operations. A synaptic
operation is one weight added because of one event. The bound that is printed beside it is what this core needs if it
does nothing but (a) add weights that lie in its first cache, as fast as the engine's inner loop can, and (b) read each
weight of the network once from where it lies.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx_int8
import torch
from torch.nn import functional

from lava_mlsnn import sim
from lava_mlsnn.helpers.files import atomic_write
from lava_mlsnn.netx import LIF, Connection, Conv, Identity, Input, Layer, MultiLevel, NetGraph, Neuron
from lava_mlsnn.sim.dot import INSTRUCTIONS, instruction
from lava_mlsnn.sim.engine import Engine
from lava_mlsnn.sim.program import compile_graph

PS_PER_MS = 1e9
HALF, BATCH = 0.5, 64
REST = 0.5
"""s before a run on several cores: the threads of ONNX Runtime go on spinning after theirs, and take half a core."""
PUBLISHED_BOUND = 0.3
"""ms per step of VGG16 at 10 % on the 3.8 GHz Zen 5 core for which the project estimated it."""


class Builder:
    """A network layer by layer, each threshold set to the quantile of its current that gives the wanted activity."""

    def __init__(self, activity: float, levels: int, lif: bool, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.activity, self.levels, self.lif = activity, levels, lif
        shape = (3, 32, 32)
        fired = self.rng.random(shape) < activity
        self.spikes = {"input": fired * self.rng.integers(1, levels + 1, size=shape)}
        self.layers: list[Layer] = []
        self.shapes: list[tuple[tuple[int, ...], tuple[int, ...], int]] = []  # image, weight, stride: for torch
        self.operations = 0.0

    def conv(self, source: str, features: int, kernel: int = 3, stride: int = 1) -> Connection:
        channels = self.spikes[source].shape[0]
        mean = 0 if self.activity < HALF else 16  # sums of mean zero would be positive half of the time at most
        weight = np.clip(np.rint(mean + 32 * self.rng.standard_normal((features, channels, kernel, kernel))), -127, 127)
        return Connection(source, Conv(weight, stride, kernel // 2))

    def current(self, connection: Connection) -> np.ndarray:
        spikes, synapse = self.spikes[connection.sources[0]], connection.synapse
        if isinstance(synapse, Identity):
            return spikes * int(synapse.weight)
        assert isinstance(synapse, Conv)
        self.shapes.append((spikes.shape, synapse.weight.shape, synapse.stride[0]))
        weight = torch.tensor(synapse.weight, dtype=torch.float64)

        def convolve(image: np.ndarray, weight: torch.Tensor) -> torch.Tensor:
            image = torch.tensor(image[None], dtype=torch.float64)
            return functional.conv2d(image, weight, None, synapse.stride, synapse.padding)[0]

        self.operations += float(convolve(spikes != 0, torch.ones_like(weight)).sum())
        return convolve(spikes, weight).numpy().astype(np.int64)

    def add(self, name: str, *connections: Connection) -> str:
        total = sum(self.current(c) for c in connections)
        threshold = max(1, int(np.quantile(total, 1 - self.activity)))
        neuron: Neuron = LIF(threshold) if self.lif else MultiLevel(self.levels, np.full(len(total), threshold))
        self.spikes[name] = (total > threshold) * 1 if self.lif else np.clip(total // threshold, 0, self.levels)
        self.layers.append(Layer(name, connections, total.shape, neuron))
        return name

    def graph(self) -> NetGraph:
        return NetGraph(Input((3, 32, 32)), tuple(self.layers))


def vgg16(net: Builder) -> None:
    name = "input"
    for i, (features, stride) in enumerate(zip([64] * 2 + [128] * 2 + [256] * 3 + [512] * 6, _STRIDES, strict=True)):
        name = net.add(f"conv{i + 1}", net.conv(name, features, 3, stride))


_STRIDES = (1, 1, 2, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1)


def resnet18(net: Builder) -> None:
    name = net.add("conv1", net.conv("input", 64))
    for features, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        block = f"block{len(net.layers) // 2 + 1}"
        middle = net.add(f"{block}a", net.conv(name, features, 3, stride))
        same = features == net.spikes[name].shape[0]
        shortcut = Connection(name, Identity(np.array(64))) if same else net.conv(name, features, 1, stride)
        name = net.add(f"{block}b", net.conv(middle, features), shortcut)


NETWORKS: dict[str, Callable[[Builder], None]] = {"vgg16": vgg16, "resnet18": resnet18}


def build(network: str, activity: float, levels: int = 1, lif: bool = False) -> Builder:
    net = Builder(activity, levels, lif)
    NETWORKS[network](net)
    return net


def engine_of(net: Builder) -> Callable[[], Any]:
    graph = net.graph()
    engine = Engine(compile_graph(graph, pipelined=False), (graph.output.name,))
    image = np.ascontiguousarray(net.spikes["input"].transpose(1, 2, 0), np.int32).reshape(1, -1)
    engine.advance(image)
    for layer in graph:  # it computes what it is said to compute
        assert np.array_equal(engine.spikes(layer.name), net.spikes[layer.name]), layer.name
    return lambda: engine.advance(image)


def torch_of(net: Builder, batch: int) -> Callable[[], Any]:
    work = [
        (torch.rand(batch, *image), torch.randn(weight), stride, weight[-1] // 2)
        for image, weight, stride in net.shapes
    ]

    def run() -> None:
        with torch.inference_mode():
            for image, weight, stride, padding in work:
                functional.conv2d(image, weight, None, stride, padding)

    return run


def seconds(run: Callable[[], Any], repeat: int = 1) -> float:
    """CPU time of the fastest of ``repeat`` calls."""
    best = float("inf")
    for _ in range(repeat):
        start = time.thread_time()
        run()
        best = min(best, time.thread_time() - start)
    return best


def compare(network: str, options: argparse.Namespace) -> list[dict[str, float | str]]:
    rows: list[dict[str, float | str]] = []
    others = {"onnx1": 1, f"onnx{BATCH}": BATCH} if onnx_int8.found() else {}
    names = ("engine", *others, "torch1", "torch16")
    print(f"\n{network}: ms of CPU per step; how many times faster the engine is; median of {options.turns} turns")
    print(f"{'neurons':20}{'activity':>9}{'engine':>9}{'least':>8}" + "".join(f"{n:>9}{'ratio':>7}" for n in names[1:]))
    for title, levels, lif in (("multi-level N=1", 1, False), ("multi-level N=4", 4, False), ("LIF", 1, True)):
        for activity in options.activity:
            net = build(network, activity, levels, lif)
            runs = [(engine_of(net), 5, 1)]
            runs += [(onnx_int8.runner(net.graph(), batch), 1 + 2 // batch, batch) for batch in others.values()]
            runs += [(torch_of(net, 1), 2, 1), (torch_of(net, 16), 1, 16)]
            turns = [[seconds(run, repeat) / batch for run, repeat, batch in runs] for _ in range(options.turns)]
            row: dict[str, float | str] = {"network": network, "neurons": title, "activity": activity}
            row |= {f"{name}_ms": 1e3 * statistics.median(turn[k] for turn in turns) for k, name in enumerate(names)}
            row |= {
                f"{name}_ratio": statistics.median(turn[k] / turn[0] for turn in turns)
                for k, name in enumerate(names)
                if k
            }
            row |= {"engine_least_ms": 1e3 * min(turn[0] for turn in turns), "operations": net.operations}
            rows.append(row)
            print(
                f"{title:20}{activity:9.0%}{row['engine_ms']:9.2f}{row['engine_least_ms']:8.2f}"
                + "".join(f"{row[f'{name}_ms']:9.2f}{row[f'{name}_ratio']:6.2f}x" for name in names[1:])
            )
            sys.stdout.flush()
    return rows


def all_cores(network: str, options: argparse.Namespace, cores: set[int]) -> list[dict[str, float | str]]:
    """A set of images on all cores, wall time per image."""
    os.sched_setaffinity(0, cores)
    rows: list[dict[str, float | str]] = []
    print(f"\n{network}, N=4, {BATCH} images on {len(cores)} cores: ms per image; median of {options.turns} turns")
    for activity in options.activity:
        net = build(network, activity, 4)
        graph, rng = net.graph(), np.random.default_rng(1)
        images = rng.integers(1, 5, (BATCH, *graph.input.shape)) * (rng.random((BATCH, *graph.input.shape)) < activity)
        runs = [
            lambda graph=graph, images=images: sim.run(graph, images, threads=len(cores)),
            onnx_int8.runner(graph, BATCH, len(cores)),
        ]
        runs[0]()
        turns = [[wall(run) / BATCH for run in runs] for _ in range(options.turns)]
        engine, other = (1e3 * statistics.median(turn[k] for turn in turns) for k in range(2))
        ratio = statistics.median(turn[1] / turn[0] for turn in turns)
        rows.append({"network": network, "activity": activity, "engine_ms": engine, "onnx_ms": other, "ratio": ratio})
        print(f"{activity:9.0%}{engine:9.2f}{other:9.2f}{ratio:6.2f}x")
    return rows


def wall(run: Callable[[], Any]) -> float:
    time.sleep(REST)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def sweep(network: str, turns: int) -> dict[str, list[float]]:
    """Cost against synaptic operations, from 1 to 25 % activity."""
    points: dict[str, list[float]] = {"activity": [], "operations": [], "ms": []}
    runs = []
    for activity in (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25):
        net = build(network, activity)
        points["activity"].append(activity)
        points["operations"].append(net.operations)
        runs.append(engine_of(net))
    taken = [[seconds(run, 3) for run in runs] for _ in range(turns)]
    points["ms"] = [1e3 * min(turn[k] for turn in taken) for k in range(len(runs))]
    slope, base = np.polyfit(points["operations"], points["ms"], 1)
    points["fit"] = [float(base), float(slope)]
    print(
        f"\n{network}: {base:.2f} ms + {PS_PER_MS * slope:.1f} ps per synaptic operation "
        f"({1e-6 / slope:.1f} G/s), N=1, fit of:"
    )
    for activity, operations, ms in zip(*(points[k] for k in ("activity", "operations", "ms")), strict=True):
        print(f"  {activity:5.0%} {operations / 1e6:8.1f} M operations {ms:8.2f} ms")
    return points


def bound(network: str) -> tuple[float, float]:
    """ms that the operations at 10 % take with hot weights, ms to read all weights once."""
    net = build(network, 0.1)
    weights = compile_graph(net.graph(), pipelined=False).tables.weights
    hot = hot_operations_per_second()
    words = weights[: weights.size // 64 * 64].view(np.int64)
    reading = min(seconds(lambda: np.bitwise_or.reduce(words), 3) for _ in range(20))
    return 1e3 * net.operations / hot, 1e3 * reading


def hot_operations_per_second() -> float:
    """Rate of the engine on a layer whose weights and accumulators lie in the first cache: 32 channels, 1x1 sites."""
    rng = np.random.default_rng(0)
    conv = Conv(rng.integers(-127, 128, size=(256, 64, 1, 1)))
    layer = Layer("a", (Connection("input", conv),), (256, 40, 40), MultiLevel(1, 2**20))
    graph = NetGraph(Input((64, 40, 40), bits=1), (layer,))
    engine = Engine(compile_graph(graph, pipelined=False))
    full, none = np.ones((1, 64 * 1600), np.int32), np.zeros((1, 64 * 1600), np.int32)
    engine.memory.dense_from[:] = 2.0
    spent = []
    for image in (full, none):
        engine.advance(image)
        spent.append(min(seconds(lambda image=image: engine.advance(image)) for _ in range(100)))
    return 256 * 64 * 1600 / (spent[0] - spent[1])


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def plot(sweeps: dict[str, dict[str, list[float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for network, points in sweeps.items():
        x = np.array(points["operations"]) / 1e6
        (line,) = axes.plot(x, points["ms"], "o", label=network)
        base, slope = points["fit"]
        label = f"{base:.2f} ms + {PS_PER_MS * slope:.1f} ps per operation"
        axes.plot(x, base + slope * 1e6 * x, color=line.get_color(), label=label)
    axes.set(xlabel="synaptic operations per step (millions)", ylabel="ms of CPU per step", ylim=(0, None))
    axes.legend()
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    print(f"\nplot: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--activity", nargs="+", type=float, default=[0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--core", type=int, help="core to run on; the last allowed one by default")
    parser.add_argument("--plot", type=Path, default=Path("out/engine.png"))
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores) if options.core is None else options.core})
    if not onnx_int8.found():
        print("ONNX Runtime is left out: pip install onnx onnxruntime")
    start = time.process_time()
    engine_of(build("vgg16", 0.1))
    print(f"torch {torch.__version__}, one core; the engine was ready after {time.process_time() - start:.1f} s of CPU")
    rows = [row for network in options.networks for row in compare(network, options)]
    sweeps = {network: sweep(network, options.turns) for network in options.networks}
    bounds = {}
    for network in options.networks:
        adding, reading = bounds[network] = bound(network)
        least = next(
            ms
            for activity, ms in zip(sweeps[network]["activity"], sweeps[network]["ms"], strict=True)
            if activity == 0.1
        )
        print(
            f"\n{network} at 10 %: {least:.2f} ms; hot weights alone {adding:.2f} ms, reading all weights once "
            f"{reading:.2f} ms: {least / max(adding, reading):.1f} times the larger bound of this core"
            + (
                f", {least / PUBLISHED_BOUND:.1f} times the {PUBLISHED_BOUND} ms of the reference core"
                if network == "vgg16"
                else ""
            )
        )
    plot(sweeps, options.plot)
    sets = [row for n in options.networks for row in all_cores(n, options, cores)] if onnx_int8.found() else []
    if options.json:
        figures = {
            "command": shlex.join(["python", *sys.argv]),
            "processor": processor(),
            "dense_path": next((name for name, found in INSTRUCTIONS.items() if found is instruction()), "float32"),
            "load_average": os.getloadavg()[1],
            "compare": rows,
            "all_cores": sets,
            "sweeps": sweeps,
            "bounds": bounds,
        }
        atomic_write(options.json, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
