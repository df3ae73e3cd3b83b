"""Everything that only a GPU can tell, in one run of at most six minutes: writes gpu.json and gpu.md.

    python benchmarks/gpu.py                              # on cuda
    python benchmarks/gpu.py --device cpu --quick         # the same code, small, to see that it runs

IT HAS NOT RUN ON A GPU YET: the authors had none. On a CPU the Triton kernels run in Triton's interpreter, where Triton
is installed, and the speed says nothing.

    equality   the kernels against the passes of torch that define the neuron, bit for bit: float32, bfloat16, float16,
               T = 1 and 4, several layouts, each surrogate, a trained threshold (its gradient, another sum, nearly)
    steps      a training step of VGG16 and Sparse-ResNet18 by that of the twin with ReLU, in turns: T = 1 and 4,
               float32, and bfloat16 and float16 with channels-last; compiled by torch.compile; peak memory
    neurons    the neuron alone, forward and backward, by ReLU and by SpikingJelly's IFNode with each of its backends
    training   a short training on Fashion-MNIST (the 8x8 digits where its files are missing), once as a whole, and once
               stopped after an epoch and resumed: the same weights
    together   the same training by DistributedDataParallel in one process on the device: the same weights
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if "cpu" in sys.argv:
    os.environ.setdefault("TRITON_INTERPRET", "1")

import torch
from torch import nn

from lava_mlsnn import data, model, train
from lava_mlsnn.neuron import Barrier, MultiLevel, fused
from lava_mlsnn.train.lightning_import import pl

Rows = dict[str, Any]
DTYPES = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}
NEURONS: dict[str, Callable[[], nn.Module]] = {
    **{f"N=4 {grad}": lambda grad=grad: MultiLevel(4, 0.7, grad=grad) for grad in ("attached", "detached", "ste")},
    "N=10 sigmoids": lambda: MultiLevel(10, grad="sigmoids"),
    "trained threshold": lambda: MultiLevel(4, trainable=True),
    "barrier": lambda: Barrier(3),
    "barrier attached": lambda: Barrier(4, grad="attached"),
}
LAYOUTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "folded": lambda x: x.movedim(-1, 1).contiguous().movedim(1, -1),
    "folded, channels last": lambda x: x.permute(0, 4, 2, 3, 1).contiguous().permute(0, 4, 2, 3, 1),
    "repeated": lambda x: x[..., :1].clone().expand(x.shape),
}


class Run:
    """What the parts share: the device, the size, and how much time is left."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.device, self.quick = torch.device(options.device), options.quick
        self.end = time.monotonic() + options.minutes * 60

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def sync(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def in_turns(self, calls: dict[str, Callable[[], object]], base: Callable[[str], str], seconds: float) -> Rows:
        """Median ms of each call, and the median over the turns of its time by that of its base."""
        times: dict[str, list[float]] = {name: [] for name in calls}
        end, turn = time.monotonic() + seconds, 0
        while turn < 4 or (time.monotonic() < end and turn < 50 and not self.quick):
            for name, call in calls.items():
                self.sync()
                begin = time.perf_counter()
                call()
                self.sync()
                if turn > 1:  # the first two compile and choose algorithms
                    times[name].append(1e3 * (time.perf_counter() - begin))
            turn += 1
        return {
            name: {
                "ms": statistics.median(taken),
                "ratio": statistics.median(a / b for a, b in zip(taken, times[base(name)], strict=True)),
            }
            for name, taken in times.items()
        }


def kernels(run: Run) -> str:
    """The module that computes neurons on this device."""
    if run.device.type == "cpu" and fused.has_triton():  # Triton's interpreter
        from lava_mlsnn.neuron import gpu_kernels

        fused._kernels = lambda x, at: None if at is None else gpu_kernels
    found = fused._kernels(torch.zeros(1 << 16, 1, device=run.device), fused.runs(torch.zeros(1 << 16, 1)))
    return "torch's passes: no Triton 3" if found is None else found.__name__.rpartition(".")[2]


def equality(run: Run) -> Rows:
    chosen, rows = fused._kernels, {}
    shape = (1, 2, 8, 8) if run.quick else (16, 64, 32, 32)
    layouts = list(LAYOUTS.items())[1 if run.quick else 0 :]
    for precision, dtype in DTYPES.items():
        if run.device.type == "cpu" and dtype == torch.float16 and not fused.has_triton():
            rows[precision] = "no kernel of float16 on a CPU without Triton"
            continue
        differing, cases = [], 0
        for steps in (1, 4):
            random = torch.Generator().manual_seed(steps)
            x, weight = ((2 * torch.randn(*shape, steps, generator=random)).to(run.device, dtype) for _ in range(2))
            for layout, lay in layouts:
                for name, make in NEURONS.items():
                    found = []
                    for choice in (chosen, lambda x, at: None):
                        fused._kernels = choice
                        leaf, neuron = lay(x).detach().requires_grad_(), make().to(run.device)
                        z = neuron(leaf * 1 if leaf.stride(-1) else leaf)
                        z.backward(weight)
                        found.append((z, leaf.grad, getattr(neuron, "vth", None)))
                    fused._kernels = chosen
                    (z, grad, vth), (z0, grad0, vth0) = found
                    same = torch.equal(z, z0) and torch.equal(grad, grad0)
                    if vth is not None:
                        same = same and torch.allclose(vth.grad, vth0.grad, rtol=1e-4, atol=1e-2)
                    cases += 1
                    differing += [] if same else [f"{name}, T={steps}, {layout}"]
        rows[precision] = {"cases": cases, "differing": differing}
    return rows


class Step:
    """A network, its optimiser and a batch; one call is one training step."""

    def __init__(self, run: Run, name: str, precision: str, compiled: bool, **options: Any) -> None:
        torch.manual_seed(0)
        net = model.create(name, in_shape=(3, 32, 32), width=4 if run.quick else 64, **options).to(run.device)
        self.run, self.dtype = run, DTYPES[precision]
        self.images = torch.rand(2 if run.quick else 128, 3, 32, 32, device=run.device)
        self.labels = torch.randint(10, (len(self.images),), device=run.device)
        if self.dtype != torch.float32:
            net = net.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        self.scaler = torch.amp.GradScaler(run.device.type, enabled=precision == "16")
        backend = "inductor" if run.device.type == "cuda" else "aot_eager"
        self.net = torch.compile(net, fullgraph=True, backend=backend) if compiled else net

    def __call__(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.run.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss = nn.functional.cross_entropy(self.net(self.images), self.labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def peak(self) -> float | None:
        """MB above what was there before, on a GPU."""
        if self.run.device.type != "cuda":
            return None
        torch.cuda.reset_peak_memory_stats(self.run.device)
        before = torch.cuda.memory_allocated(self.run.device)
        self()
        return (torch.cuda.max_memory_allocated(self.run.device) - before) / 1e6


def steps(run: Run) -> Rows:
    rows = {}
    cases = [(n, p, t, c) for n in ("vgg16", "sparse_resnet18") for p in DTYPES for t in (1, 4) for c in (False, True)]
    cases.sort(key=lambda case: (case[3], case[1] == "16"))  # what takes long and matters less comes last
    for network, precision, timesteps, compiled in cases:
        title = f"{network}, T={timesteps}, {precision}{', compiled' if compiled else ''}"
        if run.device.type == "cpu" and (precision == "16" or (compiled and precision != "32")):
            continue
        if run.quick and (network, timesteps) not in (("vgg16", 4), ("sparse_resnet18", 1)):
            continue
        if run.left < (60 if compiled else 15):
            rows[title] = "left out: no time"
            continue
        options = {"relu": {"neuron": "relu"}, "ours N=1": {"levels": 1}, "ours N=4": {"levels": 4}}
        made = {n: Step(run, network, precision, compiled, steps=timesteps, **o) for n, o in options.items()}
        rows[title] = run.in_turns(dict(made), lambda name: "relu", 2.5)
        for name, step in made.items():
            rows[title][name]["MB"] = step.peak()
    return rows


def neurons(run: Run) -> Rows:
    """The neuron alone on (T, N, C, H, W) in time-major layout, which SpikingJelly's multi-step nodes read."""
    shape = (2, 8, 8, 8) if run.quick else (64, 64, 32, 32)
    rows: Rows = {}
    for precision, timesteps in ((p, t) for p in DTYPES for t in (1, 4)):
        if run.device.type == "cpu" and precision == "16":
            continue
        x = torch.randn(timesteps, *shape, device=run.device, dtype=DTYPES[precision]).requires_grad_()
        weight = torch.randn_like(x)
        calls: dict[str, Callable[[torch.Tensor], Any]] = {"relu": nn.ReLU()}
        for name, neuron in (("ours N=1", MultiLevel(1)), ("ours N=4", MultiLevel(4))):
            calls[name] = lambda x, neuron=neuron: neuron(x.movedim(0, -1)).movedim(-1, 0)
        calls.update(_spikingjelly(run, x, rows))
        timed = {
            name: lambda call=call, x=x, weight=weight: torch.autograd.grad(call(x), x, weight)
            for name, call in calls.items()
        }
        rows[f"T={timesteps}, {precision}"] = run.in_turns(timed, lambda name: "relu", 1.0)
    return rows


def _spikingjelly(run: Run, x: torch.Tensor, rows: Rows) -> Iterator[tuple[str, Callable[[torch.Tensor], Any]]]:
    try:
        from spikingjelly.activation_based import functional
        from spikingjelly.activation_based import neuron as nodes
    except ImportError:
        rows["SpikingJelly"] = "it is not installed: left out"
        return
    for backend in ("torch", "cupy", "triton"):
        if backend != "torch" and run.device.type == "cpu":  # it would take torch in silence
            rows[f"SpikingJelly, {backend}"] = "left out: it needs a GPU"
            continue
        try:
            node = nodes.IFNode(v_reset=None, step_mode="m").to(run.device)
            node.backend = backend

            def call(x: torch.Tensor, node: nn.Module = node) -> torch.Tensor:
                functional.reset_net(node)
                return node(x)

            torch.autograd.grad(call(x).sum(), x)
        except Exception as error:  # what is missing depends on its version: package, compiler, device
            rows[f"SpikingJelly, {backend}"] = f"left out: {type(error).__name__}: {str(error).splitlines()[:1]}"
        else:
            yield f"SpikingJelly IFNode, {backend}", call


class Stopped(pl.Callback):
    """Interrupts a training when its second epoch begins."""

    def on_train_epoch_start(self, trainer: Any, _: Any) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt


def training(run: Run) -> Rows:
    try:
        images = data.load("fashion-mnist")
    except (FileNotFoundError, ValueError):
        images = data.load("digits")
    if run.quick:
        images = data.load("digits").validation(0.9)
    recipe = train.Recipe(
        epochs=2, quantized_epochs=0 if run.quick else 1, batch=128, optimizer=train.Optimizer(lr=0.05)
    )
    kind = "cpu" if run.device.type == "cpu" else "gpu"

    def fit(out: str, **options: Any) -> train.Result:
        net = train.create("sparse_resnet18", images, seed=0, width=4 if run.quick else 16, levels=4)
        machine = train.Machine(kind, strategy=options.pop("strategy", "auto"))
        return train.fit(net, images, recipe, out=Path(folder) / out, progress=False, machine=machine, **options)

    def same(a: train.Result, b: train.Result) -> bool:
        weights = zip(a.net.state_dict().values(), b.net.state_dict().values(), strict=True)
        return a.history == b.history and all(torch.equal(x, y) for x, y in weights)

    with tempfile.TemporaryDirectory() as folder:
        whole = fit("whole")
        rows = {
            "images": images.name,
            "seconds": whole.seconds,
            "history": list(whole.history),
            "accuracy": train.accuracies(whole.net, images),
        }
        if run.left < 1.5 * whole.seconds:
            return {**rows, "resumed": "left out: no time", "together": "left out: no time"}
        try:
            fit("stopped", callbacks=[Stopped()])
        except KeyboardInterrupt:
            rows["resumed"] = same(whole, fit("stopped", resume=True))
        enough = run.left > 1.2 * whole.seconds
        rows["together"] = same(whole, fit("together", strategy="ddp")) if enough else "left out: no time"
    return rows


def page(found: Rows) -> str:
    """The figures as Markdown."""
    lines = [
        "# On a GPU",
        "",
        f"`benchmarks/gpu.py` on {found['device']}, torch {found['torch']}; neurons are computed by",
    ]
    lines += [f"{found['kernels']}. {found['seconds']:.0f} s.", ""]
    if found["device"] == "cpu":
        lines += [
            "**This has not run on a GPU**: a CPU ran the same code, to see that it does; no time here means anything.",
            "",
        ]
    lines += ["## Equality with the definition", ""]
    for precision, row in found["equality"].items():
        text = row if isinstance(row, str) else f"{row['cases']} cases, differing: {row['differing'] or 'none'}"
        lines.append(f"- {precision}: {text}")
    for part in ("steps", "neurons"):
        lines += ["", f"## {part.capitalize()}", "", "| | | ms | x ReLU | peak MB |", "|---|---|---|---|---|"]
        for title, rows in found[part].items():
            if isinstance(rows, str):
                lines.append(f"| {title} | {rows} | | | |")
                continue
            for name, row in rows.items():
                memory = row.get("MB")
                memory = "" if memory is None else f"{memory:.0f}"
                lines.append(f"| {title} | {name} | {row['ms']:.3f} | {row['ratio']:.3f} | {memory} |")
    lines += ["", "## Training", "", *(f"- {name}: {value}" for name, value in found["training"].items()), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, ..; cpu to see that it runs")
    parser.add_argument("--quick", action="store_true", help="small, few turns: the figures mean nothing")
    parser.add_argument("--minutes", type=float, default=5.5, help="when to leave out what is left")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of gpu.json and gpu.md")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("--device cuda: torch finds no GPU; --device cpu --quick runs the same code without one")
    run, begin = Run(options), time.monotonic()
    on_gpu = run.device.type == "cuda"
    if options.quick:
        fused._LEAST = 1  # so few neurons would go through the passes
    found: Rows = {
        "device": torch.cuda.get_device_name(run.device) if on_gpu else "cpu",
        "torch": torch.__version__,
        "kernels": kernels(run),
    }
    for part in (equality, training, neurons, steps):
        print(f"{part.__name__} ...", file=sys.stderr, flush=True)
        found[part.__name__] = part(run)
        if run.device.type == "cpu":
            fused._kernels = _KERNELS  # Triton's interpreter is for the first part only
    found["seconds"] = time.monotonic() - begin
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.out / "gpu.md").write_text(page(found))
    print(page(found))
    wrong = [p for p, row in found["equality"].items() if isinstance(row, dict) and row["differing"]]
    if wrong or False in (found["training"]["resumed"], found["training"]["together"]):
        sys.exit("not equal: see above")


_KERNELS = fused._kernels

if __name__ == "__main__":
    main()
