"""``mlsnn train``"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..train import Distill


def train(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Architecture; an unknown name lists the known ones.",
            show_default="sparse_resnet18: for digits and mnist5k with width=16 and blocks=1,1; otherwise in full; "
            "for fashion-mnist cnn with width=16",
        ),
    ] = None,
    data: options.Data = "digits",
    recipe: options.Recipe = None,
    levels: options.Levels = 4,
    steps: Annotated[int, typer.Option("--steps", "-T", min=1, help="Timesteps per image.")] = 1,
    model_option: options.ModelOptions = None,
    epochs: options.Epochs = None,
    quantized_epochs: options.QuantizedEpochs = None,
    batch: options.Batch = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.", show_default="recipe")] = None,
    mixup: Annotated[
        float | None, typer.Option(help="Alpha of mixtures of two images; 0 is none.", show_default="recipe")
    ] = None,
    clip: Annotated[float | None, typer.Option(help="Largest norm of the gradient.", show_default="recipe")] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of training images to watch.", show_default="recipe")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Epochs without gain that end the float ones.", show_default="recipe")
    ] = None,
    energy: Annotated[
        str | None,
        typer.Option(
            help="What an image may cost: a share of the ANN of the same shapes, such as 0.3, or joules, such as 20uJ; "
            "the training finds the weight.",
            show_default="recipe",
        ),
    ] = None,
    energy_weight: Annotated[
        float | None, typer.Option(help="Instead, a fixed weight of that share in the loss.", show_default="recipe")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Weight of the mean spike in the loss.", show_default="recipe")
    ] = None,
    seed: options.Seed = 0,
    precision: Annotated[
        str,
        typer.Option(help="32; bf16 or 16 in the float epochs (16 on a GPU only); auto is bf16 where the CPU has it."),
    ] = "32",
    accelerator: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    devices: Annotated[int, typer.Option(help="Processes per node; they share each batch.")] = 1,
    nodes: Annotated[
        int, typer.Option(help="Machines; start the command on each, with MASTER_ADDR, MASTER_PORT, NODE_RANK set.")
    ] = 1,
    strategy: Annotated[str, typer.Option(help="auto or ddp.")] = "auto",
    threads: options.Threads = 1,
    out: Annotated[Path | None, typer.Option(help="Folder of the results.", show_default="runs/MODEL_DATA_...")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in the folder, with more epochs for longer.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the training that is in the folder.")] = False,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="model.safetensors of mlsnn train to start from; it says which architecture."),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(help="model.safetensors of a network whose answers are learned, too, such as -m neuron=relu."),
    ] = None,
    distill_weight: Annotated[
        float | None, typer.Option(help="Of the teacher's answers against the labels.", show_default="0.5")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the teacher's answers.", show_default="2")] = None,
    largest: options.Largest = None,
    *,
    context: typer.Context,
) -> None:
    """Train a network on images, the last epochs with integer weights.

    The folder receives model.safetensors, metrics.csv, result.json, a checkpoint after each epoch, tensorboard/ where
    that package is installed and, with --validation, best.safetensors. A training that was cut off goes on with
    --resume and the same options, to the same weights. One that is in the folder is not overwritten without --force.

    [bold]Examples:[/]

    mlsnn train --data mnist5k

    mlsnn train sparse_resnet18 -N 4 -T 1 -m width=12 -m blocks=1,1 --out runs/digits

    mlsnn train --data fashion-mnist --energy 0.3

    mlsnn train sparse_resnet18 --data cifar10:PATH --recipe paper000-cifar --precision bf16 --out runs/cifar --resume

    mlsnn train --from runs/digits/model.safetensors --data mine.npz --lr 0.001 --epochs 5

    mlsnn train cnn --data fashion-mnist --teacher runs/relu/model.safetensors --temperature 4

    mlsnn train vgg16 --data cifar10dvs:PATH --recipe paper000-dvs --devices 2 --strategy ddp --mixup 0.5
    """
    # Nothing up to use_threads loads torch, so that a wrong option is told of at once.
    from ..data import has_frames
    from ..data.registry import Spec, is_name, require
    from ..model import check
    from ..model.catalog import check_own
    from ..train import Experiment, Machine, default_model, default_recipe
    from ..train import recipe as named_recipe
    from ..train import train as run
    from ..train.folder import check_free, check_resumable, is_first_started, prepare
    from .engines import load_named

    chosen = options.key_values(model_option, "--model-option")
    if start is not None:
        model, chosen, levels, steps = _continued(start, model, chosen, levels, steps, context)
    for key, value in (("levels", levels), ("steps", steps)):
        if chosen.setdefault(key, value) != value:
            raise ValueError(f"--model-option {key}={chosen[key]}: expected --{key} {chosen[key]}")
    if model is None:
        model, sizes = default_model(data)
        chosen = {**sizes, **chosen}
    check_own(chosen, data)
    check(model, chosen)
    plain = {
        "epochs": epochs,
        "quantized_epochs": quantized_epochs,
        "batch": batch,
        "lr": lr,
        "mixup": mixup,
        "clip": clip,
        "validation": validation,
        "patience": patience,
        "rate": rate,
    }
    changes = {
        **plain,
        "energy": options.energy(energy, energy_weight),
        "distill": _distilled(teacher, distill_weight, temperature),
    }
    machine = Machine(accelerator, devices, nodes, strategy, precision)
    if machine.is_emulated:
        show.warn("--precision bf16: this CPU has no such numbers and takes several times as long as with 32 or auto")
    experiment = Experiment(model, chosen, data, recipe or default_recipe(data), seed, machine.precision)
    folder = out or Path("runs") / f"{Spec.parse(data).short}_{model}_t{steps}n{levels}_seed{seed}"
    for option, file in (("--from", start), ("--teacher", teacher)):
        if force and file is not None and file.resolve().parent == folder.resolve():
            raise ValueError(f"{option} {file}: lies in {folder}, which --force empties: expected another folder")
    plan = named_recipe(experiment.recipe, **changes)
    if plan.batch % machine.processes:
        raise ValueError(f"batch: expected a multiple of the {machine.processes} processes, got {plan.batch}")
    require(data)
    first = is_first_started()
    if first and resume:
        check_resumable(folder)
    elif first and not force:
        check_free(folder)
    dataset = None if is_name(data) else load_named(data, steps)  # broken files leave no folder behind
    if first:
        prepare(folder)

    show.if_interrupted(lambda: _epochs_in(folder))
    if dataset is None and has_frames(data):
        dataset = load_named(data, steps)  # with progress
    from ..train import ModelFile  # loads torch

    options.use_threads(threads)
    source = None if start is None else ModelFile(start, **options.bound(largest))
    learned = None if teacher is None else ModelFile(teacher, **options.bound(largest))
    how: dict[str, Any] = {
        "teacher": learned,
        "resume": resume,
        "force": force,
        "progress": show.error_console,
        "machine": machine,
    }
    _, record = run(experiment, recipe=plan, out=folder, start=source, dataset=dataset, **how)
    if record["rank"]:
        return  # one of several processes: the first one reports
    given = {**plain, "energy": energy, "energy_weight": energy_weight, "from": start, "teacher": teacher}
    given |= {"distill_weight": distill_weight, "temperature": temperature}
    record["command"] = experiment.command + _written(given)
    accuracy = ", ".join(f"{how} {value:.2%}" for how, value in record["accuracy"].items())
    if "energy_share" in (last := record["history"][-1]):
        show.say(f"energy of the last epoch's images: {last['energy_share']:.1%} of the ANN")
    show.say(f"accuracy on {record['test_images']} test images: {accuracy}")
    show.wrote(folder / "model.safetensors", show.write_json(record, folder / "result.json"))


def _continued(
    file: Path, model: str | None, chosen: dict[str, Any], levels: int, steps: int, context: typer.Context
) -> tuple[str, dict[str, Any], int, int]:
    """Architecture, options, N and T of a network that starts from ``file``: its own where the line says no other."""
    from ..model.catalog import OF_DATA
    from ..model.header import read_header

    sizes = {key: value for key, value in read_header(file)["config"].items() if key not in OF_DATA}
    name = str(sizes.pop("name"))
    if model not in (None, name):
        raise ValueError(f"--from {file}: its architecture is {name}, expected no other one, got {model!r}")
    chosen = {**sizes, **chosen}
    levels, steps = (
        value if is_given(context, key) else chosen.pop(key, value)
        for key, value in (("levels", levels), ("steps", steps))
    )
    return name, chosen, levels, steps


def _distilled(teacher: Path | None, weight: float | None, temperature: float | None) -> Distill | None:
    from ..model.header import read_header
    from ..train import Distill

    soft = {key: value for key, value in (("weight", weight), ("temperature", temperature)) if value is not None}
    if teacher is None:
        if soft:
            raise ValueError("--distill-weight, --temperature: expected them with --teacher, got none")
        return None
    read_header(teacher)
    return Distill(**soft)


def _epochs_in(folder: Path) -> str:
    from ..train.checkpoint import epochs_done

    done = epochs_done(folder)
    if not done:
        return "no epoch was finished, nothing is kept"
    epochs = f"{done} epoch{'s' if done > 1 else ''}"
    return f"{epochs} kept in {folder / 'last.ckpt'}, the same command with --resume goes on"


def _written(given: Mapping[str, Any]) -> str:
    """Options as one types them, those that are None left out."""
    return "".join(
        f" --{key.replace('_', '-')} {shlex.quote(str(value))}" for key, value in given.items() if value is not None
    )


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
