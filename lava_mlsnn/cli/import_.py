"""``mlsnn import``"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

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
    dialect: Annotated[
        str, typer.Option(help="Library that wrote the file: nir, sinabs, snntorch, spikingjelly, norse or rockpool.")
    ] = "nir",
    dt: Annotated[float | None, typer.Option(help="Seconds of a timestep.", show_default="the dialect's")] = None,
    reset: Annotated[str | None, typer.Option(help="hard or soft.", show_default="the dialect's")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE, any option of the dialect, such as fires='>=', max_spikes=1, reset_delay=false.",
            show_default=False,
        ),
    ] = None,
    output: options.Output = None,
    force: options.Force = False,
    largest: options.Largest = None,
) -> None:
    """Turn a network of another library (snnTorch, sinabs, SpikingJelly ...) into a .net file of integers.

    NIR does not carry what libraries disagree on: say which one wrote the file. What is assumed all the same is
    reported, and can be replaced: dt, fires, reset, reset_delay, max_spikes, leak, gain, synapse_gain, readout_gain,
    if_gain, min_v_mem, start, tau_unit.

    [bold]Example:[/] mlsnn import net.nir --data digits --steps 4 --dialect snntorch --option reset_delay=false
    """
    from .. import netx
    from ..data.registry import is_name
    from ..nir import file as nir_file
    from . import target
    from .engines import load_named

    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    ours = bool(nir_file.own_notes(nir_file.read(file)))
    path = target.check(output or options.beside(file.with_suffix(".net"), "net"), "net", force=force)
    named = {"dt": dt, "reset": reset}
    values = {k: None if v == "none" else v for k, v in options.key_values(option, "--option").items()}
    given: dict[str, Any] = {**values, **{k: v for k, v in named.items() if v is not None}}
    dataset = load_named(data, timesteps or 1, {"test": 0})
    images = (dataset.train_images if len(dataset.train_images) else dataset.test_images)[:samples]
    is_numbered = not is_name(data) and all(label.isdecimal() for label in dataset.labels)  # perhaps not all there are
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        graph = netx.from_nir(
            file,
            images,
            dialect=dialect,
            weight_bits=bits,
            timesteps=timesteps,
            input_scale=None if ours else dataset.input_scale,
            input_bits=dataset.bits,
            labels=() if is_numbered else dataset.labels,
            **options.bound(largest),
            **given,
        )
    for warning in caught:
        show.warn(str(warning.message))
    netx.save(graph, path)
    show.say(f"{len(graph)} layers, T = {graph.timesteps}, calibrated on {len(images)} images of {dataset.source}")
    for line in netx.problems(graph):
        show.warn(f"does not fit hardware, runs on the CPU: {line}")
    show.wrote(path)
