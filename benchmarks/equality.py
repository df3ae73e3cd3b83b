"""Whose files and networks come out equal, entry by entry: what this machine has installed, as a table and as JSON.

    python benchmarks/equality.py equality.json --page docs/equality.md          # about 10 minutes on one core

With each network goes the other side's own code, see :data:`HOW`.

A library that is not installed has no rows and is named at the end.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

import lava_mlsnn
from lava_mlsnn import netx, sim
from lava_mlsnn.helpers.files import atomic_write

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "netx"), str(TESTS / "nir")]  # where the networks and the other sides are defined

ENTRY = "An entry is one output of one neuron in one timestep, or what a library gives in place of it."
HOW = {
    "stock": "NetX files that ship with lava-dl, and some that SLAYER exports for its types of layers and neurons: "
    "every layer in the engine's stream, step by step, beside lava.lib.dl.netx in Lava",
    "files": "NIR files of tests/nir/cases, which five libraries wrote, beside the output that is stored with them",
    "written": "networks that snnTorch and SpikingJelly build, run and export",
    "read": "networks of this library, exported for another, whose importer runs them",
}

SAMPLES = Path(sysconfig.get_path("purelib")) / "tests/lava/lib/dl/netx"
SHIPPED = {
    "gts/pilotnet_lif/network.net": 8,
    "gts/pilotnet_sdnn/network.net": 8,
    "gts/pilotnet_sdnn/square_network.net": 8,
    "gts/ntidigits/ntidigits.net": 60,
    "mnist.net": 24,
    "tiny.net": 40,
}
"""File: timesteps."""
EXPORTED = {
    "cuba": "CUBA: input, conv, flatten, dense with delays, recurrent",
    "cuba_each": "CUBA with decays per neuron: dense, recurrent",
    "cuba_late": "CUBA: recurrent with delays",
    "slayer_sdnn": "sigma-delta: input, conv, flatten, dense, output",
    "rf_phase": "RF_PHASE: complex dense, shared and per neuron",
    "rf_izhikevich": "RF_IZHIKEVICH: complex dense, shared and per neuron",
}
LIMIT = 900
"""Seconds for one file in stock Lava."""


class Row(NamedTuple):
    """One line of the table."""

    way: str
    by: str
    what: str
    equal: int
    entries: int


def compared(way: str, by: str, what: str, found: Any, want: Any) -> Row:
    found, want = np.asarray(found), np.asarray(want)
    assert found.size == want.size and np.any(want), f"{what}: nothing to compare"
    return Row(way, by, what, int(np.count_nonzero(found.reshape(want.shape) == want)), int(want.size))


def run_stock(*arguments: object) -> None:
    """tests/netx/netx_stock.py; every process that it leaves behind dies with its group."""
    command = [sys.executable, str(TESTS / "netx/netx_stock.py"), *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            _, errors = process.communicate(timeout=LIMIT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise RuntimeError(errors.decode()[-2000:])


def stock_row(file: Path, what: str, steps: int) -> Row:
    """All layers of a file, beside stock Lava."""
    graph = netx.load(file, timesteps=1)
    rng = np.random.default_rng(0)
    data = rng.integers(0, min(graph.input.bound, 128) + 1, (*graph.input.shape, steps))
    np.savez(f"{file}.in.npz", data=data if graph.input.shape[1:] != (1, 1) else data[:, 0, 0], bits=0)
    run_stock("lava", file)
    stream = sim.Stream(graph)
    found: dict[str, list[Any]] = {layer.name: [] for layer in graph}
    for t in range(steps):
        stream.step(data[..., t])
        for name, parts in found.items():
            parts.append(stream[name].copy())
    with np.load(f"{file}.out.npz") as out:
        want = [out[f"layer{index}"].ravel() for index in range(len(graph))]
    ours = [np.stack(parts, axis=-1).ravel() for parts in found.values()]
    return compared("stock", "lava-dl", what, np.concatenate(ours), np.concatenate(want))


def stock(folder: Path) -> Iterator[Row]:
    for name, steps in SHIPPED.items():
        copy = folder / name.replace("/", "_")
        copy.write_bytes((SAMPLES / name).read_bytes())
        with h5py.File(copy, "r+") as file:
            last = f"layer/{len(file['layer']) - 1}"
            ends = file[f"{last}/type"][0] == b"average"
            if ends:
                del file[last]
        yield stock_row(copy, name + (" without its average, which stock cannot run" if ends else ""), steps)
    run_stock("slayer", folder)
    for name, what in EXPORTED.items():
        yield stock_row(folder / name, what, 40)


def files(folder: Path) -> Iterator[Row]:
    import nir_cases

    for case in nir_cases.TABLE:
        graph, want = nir_cases.graph_of(case), nir_cases.images(case)[1]
        yield compared("files", case.dialect, f"{case.name}.nir", nir_cases.output_of(case, graph), want)


def written(folder: Path) -> Iterator[Row]:
    import test_nir_libraries as live
    import torch
    from sklearn.datasets import load_digits

    images = load_digits().images[:200, None].astype(np.int64)
    tensor = torch.tensor(images).float()
    for steps in (1, 6):
        if not has("snntorch"):
            break
        net = live.integer_weights(live.snntorch_net(0.5, (80.0, 20.0)), steps)
        net[4].weight.data *= 4  # behind the average of 2 x 2
        live.export_snntorch(net, tensor, folder / "x.nir")
        graph = netx.from_nir(folder / "x.nir", images[:50], timesteps=steps, input_scale=1.0, input_bits=5)
        want = live.snntorch_spikes(net, tensor, steps)
        what = f"Conv2d, Leaky, AvgPool2d, Linear; spikes per neuron over {steps} steps"
        yield compared("written", "snntorch", what, sim.run(graph, images).output, want)
    for steps in (1, 3):
        if not has("spikingjelly"):
            break
        from spikingjelly.activation_based.nir_exchange import export_to_nir

        net = live.integer_weights(live.spikingjelly_net(15.5), steps)
        export_to_nir(net, tensor[:2], save_path=folder / "x.nir")
        graph = netx.from_nir(folder / "x.nir", images[:50], timesteps=steps, input_scale=1.0, input_bits=5)
        unit = graph.output.neuron.scale / steps
        want = np.rint(live.spikingjelly_output(net, tensor, steps) / unit)
        what = f"Conv2d, IFNode, AvgPool2d, Linear; logits after {steps} steps"
        yield compared("written", "spikingjelly", what, sim.run(graph, images).output, want)


def read(folder: Path) -> Iterator[Row]:
    import test_nir_export as export

    for dialect, reader in export.READERS.items():
        if not has(dialect) or dialect == "sinabs":  # whose neurons have no limit of spikes
            continue
        for flat in (True, False):
            for name, neuron, steps in (
                ("binary neurons", export.MULTI["one threshold per channel"], 1),
                ("LIF without leak", export.HARD["without leak"], 4),
            ):
                rng = np.random.default_rng(1)
                graph = export.network(np.random.default_rng(0), steps, neuron(rng), flat, dialect != "norse")
                images = export.drawn(flat, 2)
                netx.to_nir(graph, folder / "x.nir", dialect=dialect)
                found = reader(folder / "x.nir", images[:, :, 0, 0] if flat else images, steps)
                shape = "dense" if flat else "convolutions, pool, dense"
                yield compared("read", dialect, f"{shape}; {name}, T = {steps}", export.ours(graph, images), found)


def has(library: str) -> bool:
    with suppress(ImportError):
        return importlib.import_module(library) is not None
    return False


WAYS: dict[str, Callable[[Path], Iterator[Row]]] = {"stock": stock, "files": files, "written": written, "read": read}
PACKAGES = ("lava-nc", "lava-dl", "nir", "snntorch", "spikingjelly", "sinabs", "norse")


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "lava-mlsnn": lava_mlsnn.__version__}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = version(name)
    return found


def page(rows: list[Row], used: dict[str, str]) -> str:
    with_ = ", ".join(f"{name} {number}" for name, number in used.items())
    lines = ["# What comes out equal", "", f"Written by `benchmarks/equality.py` with {with_}.", "", ENTRY, ""]
    lines += ["| way | what is compared |", "|---|---|", *(f"| {way} | {how} |" for way, how in HOW.items())]
    lines += ["", "| way | by | what | equal / all |", "|---|---|---|---|"]
    lines += [f"| {row.way} | {row.by} | {row.what} | {row.equal:,} / {row.entries:,} |" for row in rows]
    missing = [name for name in PACKAGES if name not in used]
    return "\n".join([*lines, "", f"Not installed: {', '.join(missing) or 'none'}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", type=Path, nargs="?", help="file for the rows")
    parser.add_argument("--page", type=Path, help="Markdown file for the table")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for way in options.ways:
            for row in WAYS[way](Path(folder)):
                rows.append(row)
                print(f"{row.way:8}{row.by:14}{row.what:80}{row.equal:>10} / {row.entries}", flush=True)
    if options.json:
        content = {"versions": versions(), "rows": [row._asdict() for row in rows]}
        atomic_write(options.json, json.dumps(content, indent=1) + "\n")
    if options.page:
        atomic_write(options.page, page(rows, versions()))
    sys.exit(any(row.equal != row.entries for row in rows))


if __name__ == "__main__":
    main()
