"""``mlsnn export``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def export(
    model: Annotated[Path, typer.Argument(help="model.safetensors of mlsnn train.", show_default=False)],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File [default: beside the model].")] = None,
    bits: Annotated[int | None, typer.Option(help="Bits of a weight, 2 .. 8.", show_default="as trained")] = None,
    per_layer: Annotated[
        bool, typer.Option("--per-layer", help="One power of two per layer instead of one per channel.")
    ] = False,
    json: options.Json = None,
) -> None:
    """Turn a trained network into integers and write it as a .net file, which the engine and Lava run.

    [bold]Example:[/] mlsnn export runs/digits/model.safetensors -o digits.net
    """
    from .. import model as models
    from .. import netx
    from ..netx.check import problems

    net = models.load(model)
    graph = netx.quantize(net, bits, per_channel=not per_layer, labels=net.notes.get("labels", ()))
    path = output or model.with_suffix(".net")
    path.parent.mkdir(parents=True, exist_ok=True)
    netx.save(graph, path)
    unfit = problems(graph)
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
        "notes": net.notes,
    }
    show.say(
        f"{len(graph)} layers, T = {graph.timesteps}, latency {graph.latency} steps, digest {netx.digest(graph)[:16]}"
    )
    for line in unfit:
        show.say(f"does not fit hardware: {line}")
    show.wrote(path, show.write_json(record, json or options.beside(path, "export.json")))
