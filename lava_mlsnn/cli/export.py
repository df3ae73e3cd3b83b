"""``mlsnn export``"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, show

if TYPE_CHECKING:
    from ..netx import NetGraph

FORMATS = {"net": ".net", "stock": ".stock.net", "nir": ".nir"}
"""Formats and the endings of their files."""


@options.reads_networks
def export(
    model: Annotated[
        Path, typer.Argument(help="model.safetensors of mlsnn train, or a .net file to convert.", show_default=False)
    ],
    output: options.Output = None,
    bits: Annotated[int | None, typer.Option(help="Bits of a weight, 2 .. 8.", show_default="as trained")] = None,
    per_layer: Annotated[
        bool, typer.Option("--per-layer", help="One power of two per layer instead of one per channel.")
    ] = False,
    format: Annotated[
        str, typer.Option("--format", help="net; stock (.net of stock neurons only, T = 1); nir.")
    ] = "net",
    dialect: Annotated[
        str, typer.Option(help="With --format nir, who reads it: nir, snntorch, spikingjelly, sinabs or norse.")
    ] = "nir",
    require_fit: Annotated[
        bool, typer.Option("--require-fit", help="Write nothing, and fail, if a number does not fit the chip.")
    ] = False,
    json: options.Json = None,
    force: options.Force = False,
    *,
    reading: options.Reading,
) -> None:
    """Turn a trained network into integers and write it as a .net file, which the engine and Lava run.

    Numbers that do not fit the chip are reported; on the CPU they are exact all the same. With stock neurons it is most
    often the first layer, whose thresholds differ by more than 13 bits of bias.

    [bold]Example:[/] mlsnn export runs/digits/model.safetensors -o digits.net
    """
    from .. import netx
    from ..graph.hardware import problems
    from ..helpers.check import integer
    from ..model.header import read_header
    from ..nir.write import check_dialect
    from . import target

    if format not in FORMATS:
        raise ValueError(f"--format {format!r}: expected one of {', '.join(FORMATS)}")
    if not model.is_file():
        raise ValueError(f"{model}: no such file")
    if format == "nir":
        check_dialect(dialect)
    if model.suffix == ".net" and (bits is not None or per_layer):
        raise ValueError(f"{model.name} holds integers already: --bits and --per-layer are for trained models")
    path = output or _default(model, FORMATS[format])
    if path.exists() and path.samefile(model):
        raise ValueError(f"{path.name} would overwrite the network it is made from: choose another --output")
    _refuse_checkpoint(model)
    if bits is not None:
        integer(bits, "--bits", 2, 8)
    if model.suffix != ".net":
        read_header(model)
    target.check(path, "nir" if format == "nir" else "net", force=force)
    about = target.check(json or options.beside(path, "export.json"), "json", ("file", "digest", "layers"), force)
    notes: Mapping[str, Any] = {}
    if model.suffix == ".net":
        graph = reading.load(model)
    else:
        from .. import model as models

        net = models.load(model, **options.bound(reading.largest))
        notes = net.notes
        graph = netx.quantize(net, bits, per_channel=not per_layer, labels=notes.get("labels", ()))
    graph = netx.lower(graph) if format == "stock" else graph
    unfit = problems(graph)
    if unfit and require_fit:
        raise ValueError(f"does not fit hardware: {'; '.join(unfit)}: {path.name} is not written (--require-fit)")
    if format == "nir":
        netx.to_nir(graph, path, dialect=dialect)
    else:
        netx.save(graph, path)
    record = {
        "file": path.name,
        "digest": netx.digest(graph),
        "timesteps": graph.timesteps,
        "latency": graph.latency,
        "hardware_problems": unfit,
        "layers": [
            {
                "name": layer.name,
                "shape": list(layer.shape),
                "synapses": [connection.synapse.kind for connection in layer.connections],
                "neuron": layer.neuron.kind,
                "depth": graph.depth[layer.name],
            }
            for layer in graph
        ],
        "notes": dict(notes),
    }
    show.say(
        f"{len(graph)} layers, T = {graph.timesteps}, latency {graph.latency} steps, digest {netx.digest(graph)[:16]}"
    )
    if format == "stock":
        for line in _loading(path, graph):
            show.say(line)
    for line in unfit:
        show.warn(f"does not fit hardware, runs on the CPU: {line}")
    show.wrote(path, show.write_json(record, about))


def _refuse_checkpoint(model: Path) -> None:
    if model.suffix != ".ckpt":
        return
    from ..train.folder import BEST_FILE, MODEL_FILE

    there = [str(path) for path in (model.with_name(MODEL_FILE), model.with_name(BEST_FILE)) if path.is_file()]
    expected = " or ".join(there) or f"{MODEL_FILE}, which the training writes at its end"
    raise ValueError(f"{model}: a checkpoint, from which mlsnn train --resume goes on: expected {expected}")


def _default(model: Path, ending: str) -> Path:
    path = model.with_name(model.stem + ending)
    return path if os.access(path.parent, os.W_OK) else Path(path.name)


def _loading(path: Path, graph: NetGraph) -> list[str]:
    """What to type to run a file in stock NetX; what it says of the input and the scores, no file can hold."""
    scores = "    scores = net.out_layer.neuron.v / 64  # the last layer's voltage; its spikes are no scores"
    return [
        f"in stock Lava, where the answer comes {graph.latency} timesteps after its input:",
        "    from lava.lib.dl.netx.hdf5 import Network",
        f"    net = Network(net_config={path.name!r}, input_message_bits={graph.input.bits})  # its default is wrong",
        *([scores] if graph.is_classifier else []),
        "    run_cfg = Loihi2SimCfg(select_tag='fixed_pt')",
    ]
