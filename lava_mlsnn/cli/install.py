"""``mlsnn install-lava``"""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from typing import Annotated

import typer

from . import show


def install_lava(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the command and run nothing.")] = False,
) -> None:
    """Install Lava into this Python: on 3.11 to 3.13 pip refuses it unless it is told not to look at its metadata.

    [bold]Example:[/] mlsnn install-lava
    """
    from ..lava_compat import install

    command = [sys.executable, "-m", "pip", *install.arguments()]
    if dry_run:
        show.say(shlex.join(command))
        return
    missing = install.problem()
    if not missing:
        show.say("Lava is installed already: nothing to do")
        return
    if install.stranger():  # its files lie in the same folder; what else uses it is not known here
        raise ValueError(f"{missing.partition(';')[0]}; then again")
    if importlib.util.find_spec("pip") is None:
        raise ValueError(f"this Python has no pip: {sys.executable} -m ensurepip; then again")
    show.say(shlex.join(command))
    code = subprocess.run(command, check=False).returncode
    if code or install.problem():
        raise ValueError(f"pip did not install Lava (exit code {code}): see what it says above")
    show.say("Lava is installed")
