"""``mlsnn sweep``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def sweep(
    model: Annotated[str, typer.Argument(help="Architecture; an unknown name lists the known ones.")] = "s_resnet20",
    data: options.Data = "digits",
    study: Annotated[
        str, typer.Option(help="File of the study, or URL of a database; processes that give the same one share it.")
    ] = "runs/sweep.journal",
    trials: Annotated[int, typer.Option(min=1, help="Finished trials that the study shall have.")] = 20,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space", "-s", help="NAME=LOW..HIGH, NAME=log:LOW..HIGH or NAME=a|b|c.", show_default="lr, leak and steps"
        ),
    ] = None,
    recipe: options.Recipe = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of the longest trials.", show_default="recipe")] = None,
    quantized_epochs: Annotated[int, typer.Option(help="Epochs with integer weights.")] = 0,
    batch: options.Batch = None,
    levels: options.Levels = 1,
    model_option: options.ModelOptions = None,
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    json: options.Json = None,
) -> None:
    """Search learning rate, leak, timesteps or other settings: TPE proposes, Hyperband stops ([VicenteSola2022], sec.
    3.5).

    Several processes, on several machines if the study is on a common disk or in a database, work on one study when
    they are given the same one. A trial that was killed is taken up again by the next process that starts on its disk.

    [bold]Example:[/] mlsnn sweep s_resnet20 --study runs/s.journal --trials 20 --epochs 9 -m width=8 -m blocks=1,1,1
    """
    from ..data.registry import require
    from ..model import check
    from ..model.catalog import check_own
    from ..train import default_recipe
    from ..train import recipe as named
    from ..train.space import PAPER002, Range, check_space
    from . import target

    require(data)
    plan = named(recipe or default_recipe(data), epochs=epochs, quantized_epochs=quantized_epochs, batch=batch)
    chosen = {"levels": levels, **options.key_values(model_option, "--model-option")}
    check_own(chosen, data)
    dimensions = tuple(map(Range.parse, space or ())) or PAPER002
    chosen = {name: value for name, value in chosen.items() if name not in {d.name for d in dimensions}}
    check(model, chosen)
    check_space(dimensions, model, chosen)
    if Path(study).is_dir():
        raise ValueError(f"{study}: a folder, expected the name of a file")
    from ..train.sweep import Sweep, run  # loads torch

    options.use_threads(threads)
    search = Sweep(model, chosen, data, plan, dimensions, study, seed)
    where = json or Path("sweep.json" if search.is_database else f"{study}.json")
    target.check(where, "json", ("study", "trials"))
    show.if_interrupted(lambda: f"trials and their checkpoints are kept in {search.shown}, the same command goes on")
    found = run(search, trials, progress=True)
    best = found.best_trial
    show.say(f"best of {len(found.trials)} trials: {best.value:.2%} of the validation part, {best.params}")
    record = {
        "study": search.shown,
        "best": {"value": best.value, "params": best.params, "number": best.number},
        "trials": [
            {"number": t.number, "state": t.state.name, "value": t.value, "params": t.params} for t in found.trials
        ],
    }
    show.wrote(show.write_json(record, where))
