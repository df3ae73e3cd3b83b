"""Ctrl-C while a command loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys
sys.argv = ["mlsnn", "train", "nope"]
class Press:
    def find_spec(self, name, *_):
        if name == sys.orig_argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
from lava_mlsnn.cli import main
main()
"""


def interrupted(*program: str) -> None:
    done = subprocess.run([sys.executable, "-c", *program], capture_output=True, text=True, timeout=60, check=False)
    said = "interrupted: nothing was written, the same command begins anew\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)


@pytest.mark.parametrize("module", ["lava_mlsnn.lava_compat", "lava_mlsnn.cli.app", "typer", "rich.text", "numpy"])
def test_it_is_one_line(module: str) -> None:
    interrupted(PROGRAM, module)


def test_it_is_one_line_while_commands_are_made() -> None:
    made = "typer.main.get_command = lambda _: os.kill(os.getpid(), signal.SIGINT)\nmain()\n"
    interrupted(PROGRAM.replace("main()\n", f"import typer\n{made}"), "nothing")


def test_behind_it_a_module_is_loaded_whole() -> None:
    code = """
import os, signal, sys
import lava_mlsnn
class Press:
    def find_spec(self, name, *_):
        if name == "lava_mlsnn.train.recipes":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
try:
    lava_mlsnn.train
except KeyboardInterrupt:
    print(hasattr(sys.modules.get("lava_mlsnn.train.recipes"), "recipe"))
print(lava_mlsnn.train.recipe("digits").batch > 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("True\nTrue\n", "")
