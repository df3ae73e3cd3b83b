"""Search for hyper-parameters on Optuna: TPE proposes, Hyperband stops, as in BOHB ([VicenteSola2022], section 3.5).

The study lives in a file, or in a database, so that several processes and machines share it. Each trial trains in a
folder of its own with a checkpoint after every epoch. The next process that joins on the same disk finds a trial whose
process was killed and resumes it from its checkpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..helpers import extras
from ..helpers.check import integer
from ..helpers.doors import door
from .experiment import Experiment
from .lightning_import import pl
from .recipe import Recipe, changed
from .space import PAPER002, RECIPE_FIELDS, Range, check_space
from .study import alive, disk, is_abandoned, journal, named
from .training import FORMAT, format_of

if TYPE_CHECKING:
    import optuna

OWNER, FOLDER, DISK, RESUMES, SEARCH = "owner", "folder", "disk", "resumes", "search"
VERSION = "version of its trainings"
"""What a study has in :data:`SEARCH` since defaults of networks changed."""

VALIDATION = 0.2
"""Share of the training images that a trial is judged on if the recipe holds out none."""


@dataclass(frozen=True)
class Sweep:
    """A search: everything that its trials share.

    Args:
        model: name of an architecture.
        options: of it, without what is searched.
        dataset: name of the data.
        recipe: of every trial; Hyperband gives most of them fewer epochs.
        space: what is searched.
        study: file of the study (by custom ``*.journal``), or the URL of a database, such as
            ``postgresql://user:password@host/name``.
        seed: of the weights; the search itself is seeded by each process.
    """

    model: str
    options: Mapping[str, Any]
    dataset: str
    recipe: Recipe
    space: tuple[Range, ...] = PAPER002
    study: str = "sweep.journal"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.recipe.distill is not None:
            raise ValueError(f"recipe of a sweep: expected none with a teacher, got distill={self.recipe.distill}")

    @property
    def folder(self) -> Path:
        """Where trials train."""
        return Path("sweep.trials") if self.is_database else Path(f"{self.study}.trials")

    @property
    def is_database(self) -> bool:
        """Whether the study lies in a database."""
        return "://" in self.study

    @property
    def shown(self) -> str:
        """The study without a password."""
        return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", self.study)

    def storage(self, tools: Any) -> Any:
        """Optuna's storage of the study.

        Raises:
            ValueError: a database that does not answer, or needs a package that is missing; a file that is no journal.
        """
        if not self.is_database:
            return journal(tools, Path(self.study))
        url, options = re.sub("^postgresql:", "postgresql+psycopg:", self.study), {}
        if url.startswith("postgresql+psycopg:"):
            extras.load("psycopg", f"study {self.shown}")
            options = {"poolclass": import_module("sqlalchemy.pool").NullPool}  # leaves no connection open
        try:
            return tools.storages.RDBStorage(url, options)
        except Exception as error:  # SQLAlchemy's, of which each driver has its own
            raise ValueError(f"study {self.shown}: {str(error).splitlines()[0]}") from None


def run(sweep: Sweep, trials: int, progress: bool = False) -> optuna.Study:
    """Work on a study until it has ``trials`` finished trials, together with all other processes that work on it.

    A trial is finished when it has trained all its epochs or Hyperband has stopped it. Trials whose process is gone are
    resumed first, from their checkpoints.

    Args:
        sweep: the search.
        trials: number of finished trials of the whole study.
        progress: whether to print a line per trial.

    Raises:
        ValueError: no trials, a search space that the model or recipe does not know, a study that is damaged or of
            another search, or a missing package.
    """
    trials = integer(trials, "trials", 1)
    check_space(sweep.space, sweep.model, sweep.options)
    import_module(".training", __package__)  # what a trial would miss is missed before there is one
    tools = _optuna()
    tools.logging.set_verbosity(tools.logging.INFO if progress else tools.logging.WARNING)
    with alive(sweep.folder) as owner:
        study = joined(sweep, sweep.folder)

        def stop(study: optuna.Study, _: Any) -> None:
            if _finished(tools, study) >= trials:
                study.stop()

        if _finished(tools, study) < trials:
            try:
                study.optimize(lambda trial: _objective(tools, sweep, trial, owner), callbacks=[stop])
            except _Interrupted as stopped:
                raise stopped.reason from None
    return study


def joined(sweep: Sweep, folder: Path) -> optuna.Study:
    """The study of a search, a new one if there is none, with the trials of killed processes queued again.

    Raises:
        ValueError: it is damaged, no study, or one of another search; names it.
    """
    tools, epochs = _optuna(), sweep.recipe.total_epochs
    with door(sweep.shown):
        study = tools.create_study(
            study_name="sweep",
            storage=sweep.storage(tools),
            direction="maximize",
            load_if_exists=True,
            sampler=tools.samplers.TPESampler(multivariate=True, constant_liar=True),
            pruner=tools.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=3),
        )
        _check_search(study, sweep)
        _requeue_abandoned(tools, study, folder)
        _finished(tools, study)  # reads the trials
        return study


class _Interrupted(BaseException):
    """Ctrl-C or a full disk in a trial, which the next process resumes; Optuna would take them for its failure."""

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _check_search(study: optuna.Study, sweep: Sweep) -> None:
    """All trials of a study search the same: the first process says what, the others compare."""
    training = {"model": sweep.model, "options": dict(sweep.options), "data": sweep.dataset, "seed": sweep.seed}
    mine = {**training, "recipe": changed(sweep.recipe.to_dict()), "space": [asdict(one) for one in sweep.space]}
    mine = json.loads(json.dumps({**mine, VERSION: format_of(sweep.model)}))
    found = study.user_attrs.get(SEARCH)
    if found is None:
        study.set_user_attr(SEARCH, mine)
        return
    earlier = {"recipe": changed(found.get("recipe", {})), VERSION: found.get(VERSION, FORMAT)}
    found = {**found, **earlier}  # earlier versions kept all of the recipe, and no version
    different = [name for name in mine if found.get(name) != mine[name]]
    if different:
        raise ValueError(f"study {sweep.shown}: belongs to a search with another {', another '.join(different)}")


def _objective(optuna: Any, sweep: Sweep, trial: optuna.Trial, owner: str) -> float:
    try:
        return _trained(optuna, sweep, trial, owner)
    except (KeyboardInterrupt, OSError) as error:  # wherever it came, also while a module was loading
        raise _Interrupted(error) from None


def _trained(optuna: Any, sweep: Sweep, trial: optuna.Trial, owner: str) -> float:
    folder = named(trial.user_attrs.get(FOLDER) or f"trial{trial.number}", r"trial\d+", FOLDER)
    trial.set_user_attr(FOLDER, folder)
    trial.set_user_attr(DISK, disk(sweep.folder))
    trial.set_user_attr(OWNER, owner)
    values = {dimension.name: dimension.suggest(trial) for dimension in sweep.space}
    recipe, options = _with(sweep.recipe, {**sweep.options}, values)
    watch = _Watch(trial)
    training = Experiment(sweep.model, options, sweep.dataset, seed=sweep.seed).training(recipe)
    result = training.fit(out=sweep.folder / folder, name=folder, callbacks=[watch])
    trial.set_user_attr("epochs", len(result.history))
    if watch.pruned:
        raise optuna.TrialPruned
    return float(result.history[-1]["val_accuracy"])


class _Watch(pl.Callback):
    """Reports the accuracy to the study after each epoch, and ends the training when Hyperband decides so."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self.pruned = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        self.trial.report(float(trainer.callback_metrics["val_accuracy"]), epoch)
        if epoch < (trainer.max_epochs or 0) and self.trial.should_prune():
            self.pruned = trainer.should_stop = True


def _with(recipe: Recipe, options: dict[str, Any], values: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """Recipe and options of a trial."""
    for name, value in values.items():
        if name in ("batch", "label_smoothing"):
            recipe = replace(recipe, **{name: value})
        elif name in RECIPE_FIELDS:
            recipe = replace(recipe, optimizer=replace(recipe.optimizer, **{name: value}))
        else:
            options[name] = value
    return (recipe if recipe.validation else replace(recipe, validation=VALIDATION)), options


def _requeue_abandoned(optuna: Any, study: optuna.Study, folder: Path) -> None:
    """Queue the trials of killed processes again, with their values and their folders.

    Those on disks of other machines are left to these: whether they go on cannot be seen from here.
    """
    here = disk(folder)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        owner = trial.user_attrs.get(OWNER)
        elsewhere = trial.user_attrs.get(DISK, here) != here
        if owner is None or elsewhere or not is_abandoned(folder / named(owner, r"owner-\d+-[0-9a-f]{8}", OWNER)):
            continue
        try:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        except (ValueError, RuntimeError):  # another process was faster
            continue
        attributes = {FOLDER: trial.user_attrs[FOLDER], RESUMES: trial.number}
        study.enqueue_trial(trial.params, user_attrs=attributes)


def _finished(optuna: Any, study: optuna.Study) -> int:
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return len(study.get_trials(deepcopy=False, states=states))


def _optuna() -> Any:
    return extras.load("optuna", "a sweep")
