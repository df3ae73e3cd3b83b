"""One training step with graded spikes beside its peers: time and peak memory, measured in one run.

    python benchmarks/train_step.py --json benchmarks/train_step.json    # everything: about an hour and a half
    python benchmarks/train_step.py --networks model.vgg16 --threads 1 --precisions 32
    python benchmarks/train_step.py --width 16 --batch 8  # a quick look

vgg16 and resnet18 are plain torch, only what stands behind each batch norm differs. model.vgg16 and
model.sparse_resnet18 are the networks that this library's users train, lava_mlsnn.model.create, beside their ReLU twin;
there the twin has a ReLU for each neuron and each barrier.

    relu                torch.nn.ReLU(inplace=True) in the place of each neuron, the twin that figures are relative to
    relu T=4            the same with four timesteps folded into the batch, the twin of what has T=4
    relu, as in the ANN the usual ResNet18, with a ReLU after each sum and none before it: 17 instead of 28
    ours N=..           lava_mlsnn.neuron.MultiLevel(inplace=True), T=1; in the ResNet with the barrier after each sum
                        (Sparse-ResNet), or without it ("sew")
    ours N=.. T=4       the same neuron, four timesteps folded into the batch
    loop N=..           the micro-step loop of the definition, differentiated by autograd
    spikingjelly ..     its ILIFNode (T=1, four levels) and IFNode (T=4, binary, soft reset), where it is installed

Settings: each number of torch's threads (1, 2 and all), each precision: "32", and "bf16", which is torch.autocast with
the network in torch.channels_last; there the twin is in bf16 and channels-last as well, and "gain" is the time of the
same variant in 32 bits by that in bf16. Each setting is a process of its own on as many cores as it has threads. Time
is wall time. The variants take turns, one step each, and the ratio is the median over the turns of the step's time by
that of the twin's step of the same turn, so that other programs on the machine disturb little.

Memory: peak resident memory of a process of its own that makes three steps (one thread, 32 bits, without spikingjelly
and loops of more threads), less what it held before the network was built; large blocks are mapped and returned one by
one (MALLOC_MMAP_THRESHOLD_), so that the figure does not hang on the allocator's history. It holds weights, gradients,
momentum, activations and workspace, not what oneDNN, numba and imports load once (numba, which our neuron needs on a
CPU, about 120 MB).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from lava_mlsnn import model
from lava_mlsnn import neuron as mlneuron
from lava_mlsnn.helpers.files import atomic_write

CREATED = "model."
NETWORKS = ("vgg16", "resnet18", "model.vgg16", "model.sparse_resnet18")
Factory = Callable[[], nn.Module]


class Folded(nn.Module):
    """Gives a neuron of this library, (N, C, H, W, T), the activations (T*N, C, H, W) of a network folded in time."""

    def __init__(self, neuron: nn.Module, steps: int) -> None:
        super().__init__()
        self.neuron, self.steps = neuron, steps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.neuron(x.unflatten(0, (self.steps, -1)).movedim(0, -1)).movedim(-1, 0).flatten(0, 1)


class Loop(nn.Module):
    """The micro-step loop, T=1."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        charge = (self.levels * x).unsqueeze(-1)
        return mlneuron.functional.micro_steps(charge, None, 1.0, self.levels)[0].squeeze(-1) / self.levels


class Unfolded(nn.Module):
    """Gives a spikingjelly node (T, N, C, H, W)."""

    def __init__(self, node: nn.Module, steps: int) -> None:
        super().__init__()
        self.node, self.steps = node, steps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.node(x.unflatten(0, (self.steps, -1))).flatten(0, 1)


class Variant:
    """What stands behind the batch norms of a network, and for how many timesteps."""

    def __init__(self, name: str, neuron: Factory, after_sum: Factory | None = None, steps: int = 1) -> None:
        self.name, self.neuron, self.after_sum, self.steps = name, neuron, after_sum, steps


class Created(Variant):
    """A network of :func:`lava_mlsnn.model.create`; it repeats images and averages logits over time by itself."""

    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name, relu)
        self.options = options


def variants(network: str, levels: list[int]) -> list[Variant]:
    if network.startswith(CREATED):
        found = [Created("relu", neuron="relu"), Created("relu T=4", neuron="relu", steps=4)]
        found += [Created(f"ours N={n}", levels=n) for n in levels]
        return found + [Created(f"ours N={n} T=4", levels=n, steps=4) for n in levels[:2]]
    residual = network == "resnet18"
    found = [Variant("relu", relu, relu), Variant("relu T=4", relu, relu, 4)]
    if residual:
        found.append(Variant("relu, as in the ANN", relu))
    for n in levels:
        found.append(ours(f"ours N={n}", n, 1, residual))
    if residual:
        found.append(ours("ours N=4 sew", 4, 1, False))
    found.extend(ours(f"ours N={n} T=4", n, 4, residual) for n in levels[:2])
    found.extend(Variant(f"loop N={n}", lambda n=n: Loop(n), nn.Identity) for n in levels if n > 1)
    try:
        from spikingjelly.activation_based import neuron as nodes
    except ImportError:
        print("spikingjelly is not installed: left out", file=sys.stderr)
        return found
    found.append(Variant("spikingjelly ILIFNode T=1", lambda: Unfolded(nodes.ILIFNode(step_mode="m"), 1), nn.Identity))
    found.append(
        Variant(
            "spikingjelly IFNode T=4", lambda: Unfolded(nodes.IFNode(v_reset=None, step_mode="m"), 4), nn.Identity, 4
        )
    )
    return found


def relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def ours(name: str, levels: int, steps: int, barrier: bool) -> Variant:
    after_sum = (lambda: Folded(mlneuron.Barrier(levels, inplace=True), steps)) if barrier else nn.Identity
    return Variant(name, lambda: Folded(mlneuron.MultiLevel(levels, inplace=True), steps), after_sum, steps)


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)]


def vgg16(variant: Variant, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for factor, count in ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)):
        for _ in range(count):
            layers += [*conv(channels, factor * width), variant.neuron()]
            channels = factor * width
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.Linear(channels, 8 * width), variant.neuron()]
    return nn.Sequential(*layers, nn.Linear(8 * width, 10))


class Residual(nn.Module):
    """Block of SEW-ResNet and Sparse-ResNet, where spikes are added; without ``after_sum`` that of the usual ResNet."""

    def __init__(self, variant: Variant, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        spiking = variant.after_sum is not None
        tail = [variant.neuron()] if spiking else []
        self.direct = nn.Sequential(*conv(inputs, outputs, 3, stride), variant.neuron(), *conv(outputs, outputs), *tail)
        self.skip = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(*conv(inputs, outputs, 1, stride), *([variant.neuron()] if spiking else []))
        self.after = variant.neuron() if variant.after_sum is None else variant.after_sum()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.direct(x) + self.skip(x))


def resnet18(variant: Variant, width: int) -> nn.Sequential:
    layers = [*conv(3, width), variant.neuron()]
    channels = width
    for stage in range(4):
        for block in range(2):
            outputs = width << stage
            layers.append(Residual(variant, channels, outputs, 2 if stage and not block else 1))
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Trainee:
    """A network, its optimiser and a batch; one call is one training step."""

    def __init__(self, network: str, variant: Variant, width: int, batch: int, precision: str = "32") -> None:
        torch.manual_seed(0)
        if isinstance(variant, Created):
            self.net = model.create(network.removeprefix(CREATED), in_shape=(3, 32, 32), width=width, **variant.options)
        else:
            self.net = {"vgg16": vgg16, "resnet18": resnet18}[network](variant, width)
        self.steps, self.narrow = variant.steps, precision == "bf16"
        self.images, self.labels = torch.rand(batch, 3, 32, 32), torch.randint(10, (batch,))
        if self.narrow:
            self.net = self.net.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9)
        self.reset: Callable[[], None] = lambda: None
        if "spikingjelly" in variant.name:
            from spikingjelly.activation_based import functional

            self.reset = lambda: functional.reset_net(self.net)

    def __call__(self) -> float:
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.narrow):
            logits = self.net(self.images.repeat(self.steps, 1, 1, 1))
            logits = logits.unflatten(0, (self.steps, -1)).mean(0)
            loss = nn.functional.cross_entropy(logits, self.labels)
        loss.backward()
        self.optimizer.step()
        self.reset()
        return time.perf_counter() - begin


def time_steps(network: str, precision: str, options: argparse.Namespace) -> dict[str, list[float]]:
    trainees = {v.name: Trainee(network, v, options.width, options.batch, precision) for v in chosen(network, options)}
    times: dict[str, list[float]] = {name: [] for name in trainees}
    for turn in range(options.warmup + options.turns):
        for name, step in trainees.items():
            taken = step()
            if turn >= options.warmup:
                times[name].append(taken)
    return times


def twin(name: str) -> str:
    """The ReLU variant that the figures of another one are relative to."""
    return "relu T=4" if "T=4" in name else "relu"


def chosen(network: str, options: argparse.Namespace) -> list[Variant]:
    """The variants whose names were asked for, and their twins."""
    found = variants(network, options.levels)
    names = {v.name for v in found if not options.only or any(word in v.name for word in options.only)}
    names |= {twin(name) for name in names}
    return [v for v in found if v.name in names]


def memory_status(key: str) -> float:
    """MB; VmRSS is the resident memory now, VmHWM its peak (getrusage's would include the parent's)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024 / 1e6


def peak_memory(network: str, name: str, options: argparse.Namespace) -> float:
    """MB at the peak of three steps, in a process of its own."""
    command = [sys.executable, __file__, "--memory-of", network, name]
    command += arguments(options)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    return float(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure_memory(network: str, name: str, options: argparse.Namespace) -> None:
    (variant,) = (v for v in variants(network, options.levels) if v.name == name)
    nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))  # oneDNN's own tables are no part of it
    unused = torch.zeros(1, 1, 64, 64, 1, requires_grad=True)
    mlneuron.MultiLevel(4)(unused + 0).sum().backward()  # numba, which a first neuron loads, is no part of it either
    model.create("mlp", in_shape=(1, 2, 2), hidden=(2,))  # nor what this library imports
    before = memory_status("VmRSS")
    step = Trainee(network, variant, options.width, options.batch)
    for _ in range(3):
        step()
    print(memory_status("VmHWM") - before)


def measure_times(network: str, threads: str, precision: str, options: argparse.Namespace) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-int(threads) :])
    torch.set_num_threads(int(threads))
    print(json.dumps(time_steps(network, precision, options)))


def times_of(network: str, threads: int, precision: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """The seconds of each turn of each variant, measured in a process of its own."""
    command = [sys.executable, __file__, "--times-of", network, str(threads), precision, *arguments(options)]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    found: dict[str, list[float]] = json.loads(
        subprocess.run(command, env=env, check=True, stdout=-1, text=True).stdout
    )
    return found


def arguments(options: argparse.Namespace) -> list[str]:
    """What a process of its own is told of the options."""
    found = ["--width", options.width, "--batch", options.batch, "--turns", options.turns, "--warmup", options.warmup]
    found += ["--levels", *options.levels, *(["--only", *options.only] if options.only else [])]
    return list(map(str, found))


def report(network: str, options: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    settings, wide = {}, {}
    for threads in options.threads:
        for precision in options.precisions:
            times = times_of(network, threads, precision, options)
            rows: dict[str, dict[str, float]] = {}
            for name, taken in times.items():
                base = times[twin(name)]
                rows[name] = {
                    "ms": 1e3 * statistics.median(taken),
                    "ms_least": 1e3 * min(taken),
                    "time_ratio": statistics.median(a / b for a, b in zip(taken, base, strict=True)),
                }
                if precision == "32":
                    wide[threads, name] = rows[name]
                elif (threads, name) in wide:
                    rows[name]["gain"] = wide[threads, name]["ms_least"] / rows[name]["ms_least"]
                if (threads, precision) == (1, "32") and not options.no_memory:
                    rows[name]["MB"] = peak_memory(network, name, options)
                    rows[name]["memory_ratio"] = rows[name]["MB"] / rows[twin(name)]["MB"]
            settings[f"{threads} threads, {precision}"] = rows
            show(f"{network}, {threads} threads, {precision}", rows, options)
    return settings


COLUMNS = {"ms": "ms", "ms_least": "least", "time_ratio": "x ReLU", "gain": "gain", "MB": "peak MB"}


def show(title: str, rows: dict[str, dict[str, float]], options: argparse.Namespace) -> None:
    print(f"\n{title}, width {options.width}, batch {options.batch}, 32x32, {options.turns} turns")
    print(f"{'':28}" + "".join(f"{head:>9}" for head in COLUMNS.values()) + f"{'x ReLU':>9}")
    for name, row in rows.items():
        cells = [*COLUMNS, "memory_ratio"]
        text = [f"{row[c]:9.3f}" if "ratio" in c or c == "gain" else f"{row[c]:9.1f}" for c in cells if c in row]
        print(f"{name:28}" + "".join(text), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = len(os.sched_getaffinity(0))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--width", type=int, default=64, help="channels of the first stage")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--levels", type=int, nargs="+", default=[1, 4, 10], help="N of our neuron; the first two at T=4"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, min(2, everything), everything}))
    parser.add_argument("--precisions", nargs="+", choices=("32", "bf16"), default=["32", "bf16"])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="variants whose name holds one of these words (relu always runs)")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--memory-of", nargs=2, metavar=("NETWORK", "VARIANT"), help=argparse.SUPPRESS)
    parser.add_argument("--times-of", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        torch.set_num_threads(1)
        measure_memory(*options.memory_of, options)
        return
    if options.times_of:
        measure_times(*options.times_of, options)
        return
    print(f"torch {torch.__version__}, {everything} cores")
    figures = {network: report(network, options) for network in options.networks}
    if options.json:
        machine = {"torch": torch.__version__, "cores": everything, "width": options.width, "batch": options.batch}
        machine["command"] = shlex.join(["python", *sys.argv])
        atomic_write(options.json, json.dumps({"machine": machine, "networks": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
