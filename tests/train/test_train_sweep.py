"""Sweeps: a search space from text, two processes on one study, and a kill that loses nothing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

optuna = pytest.importorskip("optuna")
pytest.importorskip("fcntl")

import sweep_worker  # noqa: E402
from free_port import free_port  # noqa: E402

import lava_mlsnn.train.sweep as sweep_module  # noqa: E402
from lava_mlsnn import data  # noqa: E402
from lava_mlsnn.train import Distill, Training, recipe  # noqa: E402
from lava_mlsnn.train.lightning_import import pl  # noqa: E402
from lava_mlsnn.train.study import alive  # noqa: E402
from lava_mlsnn.train.study import journal as storage  # noqa: E402
from lava_mlsnn.train.sweep import FOLDER, OWNER, RESUMES, SEARCH, VERSION, Range, Sweep, joined, run  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
WORKER = Path(sweep_worker.__file__)
ROOT = WORKER.parents[2]


@contextmanager
def started(
    study: Path | str, trials: int, epochs: int, *killed: str, workers: int = 1, folder: Path | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that work on a study, in its folder; none is left behind."""
    folder = folder or Path(study).parent
    for old in folder.glob("begun*"):
        old.unlink()
    command = [sys.executable, str(WORKER), str(study), str(trials), str(epochs), str(workers), *killed]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    quiet = {"env": env, "stderr": subprocess.DEVNULL, "cwd": folder}
    found = [subprocess.Popen(command, **quiet) for _ in range(workers)]
    try:
        yield found
    finally:
        for worker in found:
            worker.kill()
            worker.wait()


def load(path: Path | str) -> optuna.Study:
    if isinstance(path, str):
        return optuna.load_study(study_name="sweep", storage=sweep_worker.sweep(path, 1).storage(optuna))
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    return optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("leak=0.5..0.999", Range("leak", 0.5, 0.999)),
        ("lr=log:1e-3..0.1", Range("lr", 1e-3, 0.1, True)),
        ("steps=2..8", Range("steps", 2, 8)),
        ("residual=s2s|v2v", Range("residual", choices=("s2s", "v2v"))),
    ],
)
def test_spaces(text, expected):
    assert Range.parse(text) == expected


@pytest.mark.parametrize("text", ["lr", "lr=1", "lr=a..b", "=1..2", "lr=log:0..1", "lr=2..1"])
def test_spaces_that_are_none(text):
    with pytest.raises(ValueError, match="search space"):
        Range.parse(text)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ([Range("lr"), Range("leek")], "search space of 'leek': expected one of lr, momentum"),
        ([Range("lr"), Range("lr")], "search space of 'lr': expected it once"),
        ([Range("width", 2, 8)], "search space of 'width': expected it once, and not among the model's options"),
    ],
)
def test_a_mistake_in_the_space_makes_no_study(tmp_path, space, message):
    sweep = Sweep("s_resnet20", {"width": 4}, "digits", recipe("digits"), tuple(space), str(tmp_path / "s.journal"))
    with pytest.raises(ValueError, match=message):
        run(sweep, 1)
    assert not list(tmp_path.iterdir())


def test_recordings_are_cut_into_the_timesteps_of_the_trial(tmp_path, monkeypatch):
    asked, real = [], data.load_for
    monkeypatch.setattr(data, "load_for", lambda name, steps: (asked.append((name, steps)), real(name, steps))[1])
    plan = recipe("digits", epochs=1, quantized_epochs=0, batch=256)
    space = (Range("steps", choices=(3,)),)
    study = run(Sweep("mlp", {"hidden": (4,)}, "digits", plan, space, str(tmp_path / "s.journal")), 1)
    assert asked == [("digits", 3)] and study.best_params == {"steps": 3}


def test_two_processes_share_a_study(tmp_path):
    path = tmp_path / "a.journal"
    with started(path, 6, 2, workers=2) as workers:
        assert [worker.wait(timeout=400) for worker in workers] == [0, 0]
    study = load(path)
    assert set(states(study)) <= {"COMPLETE", "PRUNED"} and len(study.trials) in (6, 7)
    owners = {trial.user_attrs[OWNER] for trial in study.trials}
    folders = [trial.user_attrs[FOLDER] for trial in study.trials]
    assert len(owners) == 2, "both worked on it"
    assert len(set(folders)) == len(folders) and study.best_value > 0.2
    again = run(sweep_worker.sweep(str(path), 2), 6)
    assert len(again.trials) == len(study.trials), "a study that is complete is left alone"


def test_a_kill_loses_nothing(tmp_path):
    path, epochs = tmp_path / "b.journal", 5
    kill_in_the_middle(path, 1, epochs)
    killed = load(path).trials[0]
    assert killed.state.name == "RUNNING" and killed.last_step == 3
    study = run(sweep_worker.sweep(str(path), epochs), 1)
    dead, resumed = study.trials[0], study.trials[1]
    assert dead.state.name == "FAIL" and resumed.state.name in ("COMPLETE", "PRUNED")
    assert resumed.params == killed.params and resumed.user_attrs[RESUMES] == 0
    assert resumed.user_attrs[FOLDER] == killed.user_attrs[FOLDER]
    assert min(resumed.intermediate_values) == 4, "it went on where the checkpoint was"


def kill_in_the_middle(study: Path | str, trials: int, epochs: int, folder: Path | None = None) -> None:
    """Of the fourth epoch of the first trial."""
    with started(study, trials, epochs, "3", folder=folder) as (worker,):
        assert worker.wait(timeout=200) == -signal.SIGKILL


@pytest.fixture
def database() -> Iterator[str]:
    """URL of a PostgreSQL that runs for one test, by a user without rights."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'lava-mlsnn[cluster]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    folder, programs = Path(tempfile.mkdtemp(prefix="sweep-")), found[-1].parent
    who: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    if os.geteuid() == 0:  # PostgreSQL refuses it
        shutil.chown(folder, "postgres")
        who |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    port = str(free_port())
    trust = ["-A", "trust", "-U", "sweep", "--no-sync", "-D", "data"]
    subprocess.run([programs / "initdb", *trust], check=True, **who)
    options = ["-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "autovacuum=off"]
    server = subprocess.Popen([programs / "postgres", "-D", "data", "-p", port, *options], **who)
    try:
        assert server.stderr is not None
        assert any("ready to accept connections" in line for line in server.stderr)
        yield f"postgresql://sweep:secret@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # "fast": it does not wait for clients
        server.communicate(timeout=60)
        shutil.rmtree(folder)


@pytest.mark.timeout(600)
def test_machines_share_a_study_in_a_postgresql_database(database: str, tmp_path: Path, monkeypatch) -> None:
    """Two processes on one disk, a kill, a machine with a disk of its own, and the killed trial's disk again."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    epochs = 5
    kill_in_the_middle(database, 9, epochs, here)
    killed = load(database).trials[0]
    assert killed.state.name == "RUNNING" and killed.last_step == 3
    monkeypatch.chdir(there)
    other = run(sweep_worker.sweep(database, epochs), 1)
    assert states(other)[0] == "RUNNING" and RESUMES not in other.trials[1].user_attrs, "it may go on elsewhere"
    with started(database, 3, epochs, workers=2, folder=here) as workers:
        assert [worker.wait(timeout=200) for worker in workers] == [0, 0]
    study = load(database)
    resumed = study.trials[2]
    assert states(study)[0] == "FAIL" and resumed.params == killed.params and resumed.user_attrs[RESUMES] == 0
    assert min(resumed.intermediate_values) == 4, "it went on"
    assert len({trial.user_attrs[OWNER] for trial in study.trials}) == 4 and states(study).count("FAIL") == 1


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'lava-mlsnn[cluster]'")
    sweep = sweep_worker.sweep("postgresql://me:secret@127.0.0.1:1/x", 1)
    with pytest.raises(ValueError, match=r"study postgresql://me:\*\*\*@127.0.0.1:1/x: .*refused") as told:
        sweep.storage(optuna)
    assert "secret" not in str(told.value)
    with pytest.raises(ValueError, match="study what://x: "):
        sweep_worker.sweep("what://x", 1).storage(optuna)


def test_ctrl_c_before_the_training_leaves_the_trial_to_be_resumed(tmp_path, monkeypatch):
    """While a module is loaded, for example; Optuna would take it for a failure of the trial."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    journal = tmp_path / "a.journal"
    monkeypatch.setattr(sweep_module.Experiment, "training", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(sweep_worker.sweep(str(journal), 1), 1)
    study = optuna.load_study(study_name="sweep", storage=storage(optuna, journal))
    assert [trial.state.name for trial in study.trials] == ["RUNNING"]


def test_half_a_line_at_the_end_of_a_journal_is_cut_off(tmp_path):
    """What a full disk leaves: the finished trial stays, and the next one is written behind it."""
    journal = tmp_path / "a.journal"
    run(sweep_worker.sweep(str(journal), 1), 1)
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":8,"worker_id":"x')
    run(sweep_worker.sweep(str(journal), 1), 2)
    assert journal.read_bytes().startswith(whole)
    assert states(load(journal)) == ["COMPLETE", "COMPLETE"]


def test_a_journal_that_is_none_is_named(tmp_path):
    journal = tmp_path / "a.journal"
    journal.write_text("not a journal\nat all")  # nor is its last line cut off
    with pytest.raises(ValueError, match=r"a\.journal: expected the journal of a sweep"):
        run(sweep_worker.sweep(str(journal), 1), 1)
    assert journal.read_text() == "not a journal\nat all"


@pytest.mark.parametrize("name", ["../../x", "/x", "trial1/../../x", "owner"])
def test_a_study_does_not_choose_folders(name, tmp_path):
    journal = tmp_path / "inside" / "a.journal"
    journal.parent.mkdir()
    study = optuna.create_study(study_name="sweep", direction="maximize", storage=storage(optuna, journal))
    study.enqueue_trial({"lr": 0.1, "levels": 1}, user_attrs={FOLDER: name})
    with pytest.raises(ValueError, match="attribute 'folder' of a trial: expected a name such as trial"):
        run(sweep_worker.sweep(str(journal), 1), 1)
    assert {path.name for path in tmp_path.rglob("*")} <= {"inside", "a.journal", "a.journal.trials", "disk"}


def test_a_changed_line_of_a_journal_is_found(tmp_path):
    path = tmp_path / "a.journal"
    best = run(sweep_worker.sweep(str(path), 1), 2).best_value
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    value = next(line for line in lines if f"{best}".encode() in line)
    for changed in (
        whole.replace(value, value.replace(f"{best}".encode(), b"0.99")),
        b"".join(line for line in lines if line is not value),
        whole.replace(value, value + value),
        b"".join([lines[1], lines[0], *lines[2:]]),
    ):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"a\.journal: expected the journal of a sweep, found another line"):
            run(sweep_worker.sweep(str(path), 1), 2)
    path.write_bytes(whole)
    assert run(sweep_worker.sweep(str(path), 1), 2).best_value == best


def test_another_search_does_not_join_a_study(tmp_path):
    sweep = sweep_worker.sweep(str(tmp_path / "a.journal"), 1)
    run(sweep, 1)
    with pytest.raises(ValueError, match=r"a\.journal: belongs to a search with another options, another seed"):
        run(replace(sweep, seed=1, options={"hidden": (8,)}), 2)


def test_a_study_that_began_before_recipes_had_a_field_goes_on(tmp_path):
    sweep = sweep_worker.sweep(str(tmp_path / "a.journal"), 1)
    sweep.folder.mkdir()
    study = joined(sweep, sweep.folder)
    search = study.user_attrs[SEARCH]
    search["recipe"] = {name: value for name, value in sweep.recipe.to_dict().items() if name != "distill"}
    study.set_user_attr(SEARCH, search)
    joined(sweep, sweep.folder)
    search["recipe"]["batch"] += 1
    study.set_user_attr(SEARCH, search)
    with pytest.raises(ValueError, match="belongs to a search with another recipe"):
        joined(sweep, sweep.folder)


def test_a_study_that_began_with_other_defaults_does_not_go_on(tmp_path):
    """The default gradient of barriers was another one: its trials and later ones would not compare."""
    sweep = sweep_worker.sweep(str(tmp_path / "a.journal"), 1)
    sweep.folder.mkdir()
    for model, goes_on in (("mlp", True), ("sparse_resnet18", False)):
        one = replace(sweep, model=model, options={}, study=str(tmp_path / f"{model}.journal"))
        study = joined(one, sweep.folder)
        search = {name: value for name, value in study.user_attrs[SEARCH].items() if name != VERSION}
        study.set_user_attr(SEARCH, search)
        with nullcontext() if goes_on else pytest.raises(ValueError, match="another version of its trainings"):
            joined(one, sweep.folder)


def test_a_sweep_has_no_teacher(tmp_path):
    plan = recipe("digits", distill=Distill(0.5, 2.0))
    with pytest.raises(
        ValueError, match=r"recipe of a sweep: expected none with a teacher, got distill=Distill\(weight"
    ):
        Sweep("mlp", {}, "digits", plan, (Range("lr"),), str(tmp_path / "a.journal"))


def test_what_killed_processes_leave_is_removed(tmp_path):
    path = tmp_path / "a.journal"
    folder = tmp_path / "a.journal.trials"
    folder.mkdir()
    (folder / "owner-1-00000000").touch()
    with alive(folder) as other:
        run(sweep_worker.sweep(str(path), 1), 1)
        assert sorted(p.name for p in folder.glob("*owner*")) == [other]


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    path = tmp_path / "a.journal"
    made = storage(optuna, path)
    whole = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"a\.journal: cannot be written: No space left"):
        patch.setattr("lava_mlsnn.train.study.os.fsync", full)
        optuna.create_study(study_name="sweep", storage=made)
    assert path.read_bytes() == whole


def test_ctrl_c_in_a_trial_is_resumed(tmp_path, monkeypatch):
    real, path = Training.fit, tmp_path / "a.journal"

    def pressed(self, **how):
        class Press(pl.Callback):
            def on_train_epoch_start(self, trainer, pl_module):
                if trainer.current_epoch == 1:
                    os.kill(os.getpid(), signal.SIGINT)

        return real(self, **{**how, "callbacks": [*how["callbacks"], Press()]})

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Training, "fit", pressed)
        run(sweep_worker.sweep(str(path), 2), 1)
    study = run(sweep_worker.sweep(str(path), 2), 1)
    assert states(study)[:2] == ["FAIL", "COMPLETE"] and study.trials[1].user_attrs[RESUMES] == 0
    assert len(study.trials) == 2 and not list((tmp_path / "a.journal.trials").glob("*owner*"))
