"""A short part of each campaign; whole ones are commands (see the modules)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

optuna = pytest.importorskip("optuna")

import full_disk  # noqa: E402
import resume_files  # noqa: E402

HERE = Path(__file__).parent


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("name", resume_files.KINDS)
def test_damaged_files_give_no_other_result(name: str) -> None:
    with resume_files.made(name) as kind:
        tally = resume_files.campaign(kind, 60, seed=1)
    assert tally.keys() <= set(resume_files.ACCEPTED) and tally.total() > 50, tally


OWN_MEMORY = 'mount -t tmpfs none /dev/shm && exec "$@"'
"""For a shell in a namespace of its own: what other tests leave in /dev/shm meanwhile is not seen."""


def command(*arguments: str) -> str:
    alone = ["unshare", "-m", "sh", "-c", OWN_MEMORY, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        alone = []
    done = subprocess.run([*alone, sys.executable, *arguments], cwd=HERE, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


def test_signals_at_random_moments() -> None:
    assert "train {'equal': 2}" in command("signals.py", "train", "--moments", "2")


def test_full_disks() -> None:
    try:
        with full_disk.disk():
            pass
    except PermissionError as error:
        pytest.skip(str(error))
    said = command("full_disk.py", "info", "train")
    assert "info, 0 bytes free: exit code 2, error: " in said and "info, 200,704 bytes free: exit code 0" in said
    assert "WRONG" not in said
