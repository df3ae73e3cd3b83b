"""What a run of the integer engine costs, and the page that says so.

    python benchmarks/performance.py --json benchmarks/performance.json      # measure: some minutes
    python benchmarks/performance.py --page docs/performance.md              # write the page from the kept figures

The page is made of the JSON files beside this script (those of engine.py, first_call.py and train_step.py, too, where
they are there) and holds nothing else. Times are CPU time of one thread, the least of several calls; those on several
cores are wall time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import engine
import numpy as np

from lava_mlsnn import sim
from lava_mlsnn.netx import NetGraph
from lava_mlsnn.sim.engine import Engine
from lava_mlsnn.sim.program import compile_graph

HERE = Path(__file__).parent
WIDTHS, STEPS, LEVELS, IMAGES, ACTIVITY = (16, 32, 64, 128, 256), (1, 2, 4, 8), (1, 4, 31, 255), (1, 16, 64, 256), 0.1
MB, KEPT = 1e6, ("engine", "engine-avx2", "performance", "first_call", "train_step")


def chain(width: int, levels: int) -> engine.Builder:
    """Four convolutions of 3x3 for 32x32 images, the first with stride 2, at 10 % activity."""
    net, name = engine.Builder(ACTIVITY, levels, lif=False), "input"
    for k in range(4):
        name = net.add(f"conv{k + 1}", net.conv(name, width, 3, 2 if k == 0 else 1))
    return net


def images_for(graph: NetGraph, count: int, levels: int) -> np.ndarray:
    rng, shape = np.random.default_rng(1), (count, *graph.input.shape)
    return rng.integers(1, levels + 1, shape) * (rng.random(shape) < ACTIVITY)


def per_image(graph: NetGraph, images: np.ndarray) -> float:
    """ms of CPU of an image in a run of many, with what the first call costs left out."""
    sim.run(graph, images, threads=1)
    return 1e3 * engine.seconds(lambda: sim.run(graph, images, threads=1), 5) / len(images)


def memory(graph: NetGraph) -> dict[str, float]:
    """MB of a network: int8 weights, what all threads share, what each has of its own."""
    program = compile_graph(graph, pipelined=False)
    own = Engine(program, (graph.output.name,))
    weights = sum(c.synapse.weight.size for layer in graph for c in layer.connections if hasattr(c.synapse, "weight"))
    parts = ("weights", weights), ("shared", _bytes(program.tables)), ("per thread", _bytes(own.memory))
    return {name: size / MB for name, size in parts}


def _bytes(arrays: Sequence[np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays)


def measure() -> dict[str, Any]:
    found: dict[str, Any] = {
        "load_average": os.getloadavg()[1],
        "processor": engine.processor(),
        "machine_cores": len(os.sched_getaffinity(0)),
    }

    def row(table: str, **values: float) -> None:
        found.setdefault(table, []).append(values)
        print(table, values, flush=True)

    for width in WIDTHS:
        net = chain(width, 4)
        graph = net.graph()
        ms = per_image(graph, images_for(graph, 16, 4))
        row(
            "size",
            width=width,
            neurons=sum(layer.size for layer in graph),
            weights=graph.parameters,
            operations=net.operations,
            ms=ms,
        )
    for levels in LEVELS:
        graph = chain(64, levels).graph()
        row("levels", N=levels, ms=per_image(graph, images_for(graph, 16, levels)))
    graph = chain(64, 4).graph()
    for steps in STEPS:
        longer = replace(graph, timesteps=steps)
        run = sim.run(longer, images_for(longer, 16, 4), threads=1)
        events = float(sum(run.activity.events[name].sum() for name in run.activity.events)) / 16
        row("steps", T=steps, events=events, ms=per_image(longer, images_for(longer, 16, 4)))
    for count in IMAGES:
        images, fresh = images_for(graph, count, 4), replace(graph)
        first = 1e3 * engine.seconds(lambda fresh=fresh, images=images: sim.run(fresh, images, threads=1))
        row("images", images=count, first_ms=first / count, ms=per_image(graph, images))
    images = images_for(graph, 256, 4)
    for threads in range(1, found["machine_cores"] + 1):
        spent = min(engine.wall(lambda k=threads: sim.run(graph, images, threads=k)) for _ in range(5))
        row("cores", threads=threads, ms=1e3 * spent / len(images))
    for name in engine.NETWORKS:
        found.setdefault("memory", []).append({"network": name, **memory(engine.build(name, ACTIVITY, 4).graph())})
    return found


def page(kept: dict[str, Any]) -> str:
    """The page, of those parts whose figures are there."""
    parts = [
        "# Performance\n\nWritten by `python benchmarks/performance.py --page docs/performance.md` from the figures "
        "kept in `benchmarks/*.json`; each section names the command that measured them. Change those, not this page.\n"
    ]
    for name, write in (
        ("engine", _engine),
        ("engine-avx2", _other),
        ("performance", _scale),
        ("first_call", _first),
        ("train_step", _train),
    ):
        if name in kept:
            parts.append(write(kept[name]))
    return "\n".join(parts)


def _engine(found: dict[str, Any]) -> str:
    text = (
        "## Beside a dense network in 8 bits\n\n`python benchmarks/engine.py --json benchmarks/engine.json`, "
        f"{_processor(found)}. CPU time of one image and timestep on one core; ONNX Runtime runs the same network "
        "dense in int8, batch 1 and batch 64 (per image). A synaptic operation is one weight added because of one "
        "event. Above 1 the engine is faster." + _load(found) + "\n\n" + _beside(found)
    )
    limits = []
    for network, points in found["sweeps"].items():
        at = dict(zip(points["activity"], points["ms"], strict=True))[ACTIVITY]
        (base, slope), (adding, reading) = points["fit"], found["bounds"][network]
        rate = f"{1e-6 / slope:.0f} G/s"
        limits.append((network, f"{base:.2f}", rate, *(f"{v:.2f}" for v in (adding, reading, at))))
    return (
        text
        + "\n## Cost against events, and the limit of the machine\n\nThe same command. Up to 25 % activity, N = 1, the "
        "cost of a step is fitted by a base (neurons, search for events) and so much per synaptic operation. A core "
        "can do no better than to add the weights at the rate that it reaches from its first cache, or to read every "
        "weight once, at 10 %:\n\n"
        + table(("network", "base, ms", "operations", "additions alone, ms", "reading alone, ms", "engine, ms"), limits)
    )


def _other(found: dict[str, Any]) -> str:
    begin = f"## The same on another processor\n\n`{found['command']}`, {_processor(found)}."
    return begin + _load(found) + "\n\n" + _beside(found)


def _processor(found: dict[str, Any]) -> str:
    if "dense_path" not in found:
        return "on a processor that was not noted"
    return f"{found['processor']}, whose dense path is that of {found['dense_path']}"


def _beside(found: dict[str, Any]) -> str:
    keys = "engine_ms", "onnx1_ms", "onnx64_ms", "onnx1_ratio", "onnx64_ratio"
    rows = [
        (
            r["network"],
            r["neurons"],
            f"{r['activity']:.0%}",
            f"{r['operations'] / 1e6:.0f} M",
            *(f"{r[k]:.2f}" for k in keys),
        )
        for r in found["compare"]
    ]
    heads = ("network", "neurons", "active", "operations", "ms", "ONNX, 1", "ONNX, 64", "faster than 1", "than 64")
    text = table(heads, rows)
    if found["all_cores"]:
        sets = [
            (r["network"], f"{r['activity']:.0%}", f"{r['engine_ms']:.2f}", f"{r['onnx_ms']:.2f}", f"{r['ratio']:.2f}")
            for r in found["all_cores"]
        ]
        text += "\nA set of 64 images on all cores, N = 4, wall time:\n\n"
        text += table(("network", "active", "engine, ms per image", "ONNX, ms per image", "faster"), sets)
    return text


def _scale(found: dict[str, Any]) -> str:
    def rows(name: str, *formats: tuple[str, Callable[[Any], str]]) -> list[tuple[str, ...]]:
        return [tuple(show(r[key]) for key, show in formats) for r in found[name]]

    ms, whole = "{:.3f}".format, "{:,.0f}".format
    sections = [
        ("Size", ("channels", "neurons", "weights", "operations", "ms per image"), "size",
         (("width", whole), ("neurons", whole), ("weights", whole), ("operations", whole), ("ms", ms))),
        ("Levels N", ("N", "ms per image"), "levels", (("N", whole), ("ms", ms))),
        ("Timesteps T", ("T", "events per image", "ms per image"), "steps",
         (("T", whole), ("events", whole), ("ms", ms))),
        ("Number of images", ("images", "first call, ms per image", "later, ms per image"), "images",
         (("images", whole), ("first_ms", ms), ("ms", ms))),
        ("Cores", ("threads", "ms per image, wall time"), "cores", (("threads", whole), ("ms", ms))),
        ("Memory", ("network", "weights in int8, MB", "laid out, MB", "each thread, MB"), "memory",
         (("network", str), *((key, "{:.1f}".format) for key in ("weights", "shared", "per thread")))),
    ]  # fmt: skip
    text = (
        "## Size, levels, timesteps, images, cores, memory\n\n`python benchmarks/performance.py --json "
        f"benchmarks/performance.json`, {found['processor']}, {found['machine_cores']} cores. Four convolutions of 3x3 "
        "(64 channels, N = 4, T = 1 where nothing else is said) for 32x32 images of which a tenth is not zero."
        + _load(found)
        + "\n"
    )
    for title, heads, name, formats in sections:
        text += f"\n### {title}\n\n{table(heads, rows(name, *formats))}"
    return text


def _load(found: dict[str, Any]) -> str:
    """How busy other programs kept the machine."""
    said = f"was {found['load_average']:.0f}" if "load_average" in found else "was not noted"
    return f" The machine's load average {said}: programs that share its cores and caches make any figure worse."


def _first(found: dict[str, Any]) -> str:
    calls = [(name, f"{r['wall_s']:.2f}", f"{r['cpu_s']:.2f}") for name, r in found["calls"].items()]
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["compiling_s"].items())
    return (
        "## The first call\n\n`python benchmarks/first_call.py --json benchmarks/first_call.json`. Seconds of a fresh "
        "process, from its start to its end."
        + _load(found)
        + "\n\n"
        + table(("", "wall", "CPU"), calls)
        + f"\nCompiling: {spent}.\n"
    )


def _train(found: dict[str, Any]) -> str:
    machine, networks = found["machine"], found["networks"]
    rows = [
        (network, *setting.split(" threads, "), variant, f"{r['ms']:.0f}", f"{r['time_ratio']:.2f}", _gain(r))
        for network, settings in networks.items()
        for setting, variants in settings.items()
        for variant, r in variants.items()
    ]
    heads = ("network", "threads", "precision", "neurons", "ms", "times ReLU's", "gain of bf16")
    return (
        f"## Training\n\n`{machine['command']}`, torch {machine['torch']}, {machine['cores']} cores. One step, wall "
        f"time: width {machine['width']}, batches of {machine['batch']} images of 32x32. Of T = 1 and T = 4 the twin "
        "is the same network with ReLU in place of the neurons. In bf16 both are channels-last; its gain is over 32 "
        "bits.\n\n" + table(heads, rows)
    )


def _gain(row: dict[str, float]) -> str:
    return f"{row['gain']:.2f}" if "gain" in row else ""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="measure, and write the figures here")
    parser.add_argument("--page", type=Path, help="write the page here")
    options = parser.parse_args()
    if options.json:
        start = time.process_time()
        options.json.write_text(json.dumps(measure(), indent=1) + "\n")
        print(f"{time.process_time() - start:.0f} s of CPU")
    if options.page:
        files = {name: HERE / f"{name}.json" for name in KEPT}
        options.page.write_text(page({name: json.loads(f.read_text()) for name, f in files.items() if f.exists()}))


if __name__ == "__main__":
    main()
