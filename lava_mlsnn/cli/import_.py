"""``mlsnn import``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def import_(
    file: Annotated[Path, typer.Argument(help="A .nir file.", show_default=False)],
    data: options.Data = "digits",
    timesteps: Annotated[
        int | None, typer.Option("--steps", "-T", help="T; NIR does not say.", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option(help="Training images that calibrate the integer scales.", min=1)] = 256,
    bits: Annotated[int, typer.Option(help="Bits of a weight, 2 .. 8.")] = 8,
    dt: Annotated[
        float, typer.Option(help="Seconds of a timestep: 1e-4 of snnTorch and SpikingJelly, 1 of sinabs.")
    ] = 1e-4,
    reset: Annotated[str, typer.Option(help="hard, as NIR defines, or soft, as many libraries compute.")] = "hard",
    output: options.Output = None,
) -> None:
    """Turn a network of another library (snnTorch, sinabs, SpikingJelly ...) into a .net file of integers.

    [bold]Example:[/] mlsnn import net.nir --data digits --steps 4
    """
    from .. import netx
    from ..data.registry import is_name
    from ..nir import file as nir_file
    from .engines import load_named

    dataset = load_named(data, timesteps or 1, {"test": 0})
    images = (dataset.train_images if len(dataset.train_images) else dataset.test_images)[:samples]
    is_numbered = not is_name(data) and all(label.isdecimal() for label in dataset.labels)  # perhaps not all there are
    ours = bool(nir_file.own_notes(nir_file.read(file)))
    graph = netx.from_nir(
        file,
        images,
        weight_bits=bits,
        timesteps=timesteps,
        input_scale=None if ours else dataset.input_scale,
        input_bits=dataset.bits,
        dt=dt,
        reset=reset,
        labels=() if is_numbered else dataset.labels,
    )
    path = output or file.with_suffix(".net")
    netx.save(graph, path)
    show.say(f"{len(graph)} layers, T = {graph.timesteps}, calibrated on {len(images)} images of {dataset.source}")
    for line in netx.problems(graph):
        show.warn(f"does not fit hardware, runs on the CPU: {line}")
    show.wrote(path)
