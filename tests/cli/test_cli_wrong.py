"""Wrong options are told of before anything heavy is loaded, and the list of options is that of the architectures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from lava_mlsnn import model
from lava_mlsnn.helpers import shipped
from lava_mlsnn.model import catalog, registry

WRONG = {
    "train nope": "model: expected one of mlp",
    "train cnn -N 0": "--levels",
    "train cnn -T 0": "--steps",
    "train cnn --recipe nope": "recipe: expected one of digits",
    "train cnn --data nope": "dataset 'nope'",
    "train cnn --data cifar10:/nowhere": "/nowhere",
    "train cnn -m foo=1": "option of cnn: expected one of in_shape",
    "train cnn -m width": "NAME=VALUE",
    "train cnn --precision 7": "precision: expected one of",
    "train cnn --accelerator tpu": "accelerator: expected one of",
    "train cnn --strategy zzz": "strategy: expected one of",
    "train cnn --epochs 0": "epochs: expected an integer >= 1",
    "train cnn --lr -1": "lr: expected a finite number > 0",
    "export nope.safetensors": "nope.safetensors: no such file",
    "export x.net --format zip": "--format 'zip'",
    "export x.net --format nir --dialect zzz": "dialect: expected one of nir",
    "export x.net -o y.net --bits 4": "holds integers already",
    "simulate nope.net": "no such network file",
    "simulate x.net --data nope": "dataset 'nope'",
    "energy x.net --model zzz": "model: expected one of lemaire",
    "energy x.net -o foo=1": "no setting 'foo'",
    "report x.net --model zzz": "model: expected one of lemaire",
    "fit nope.net": "no such network file",
    "import nope.nir": "no such NIR file",
    "reproduce nope": "item 'nope'",
    "reproduce fig7 --preset zz": "preset: expected one of",
    "sweep --trials 0": "--trials",
    "sweep --data nope": "dataset 'nope'",
    "sweep nope": "model: expected one of mlp",
    "shipped --only nope": "network: expected one of digits_mlp",
    "tutorials": "",
}

RUN = """
import json, sys
from typer.testing import CliRunner
from lava_mlsnn.cli import app
found = {}
for line in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, line.split())
    heavy = sorted({"torch", "lightning", "numba", "lava", "matplotlib", "pandas"} & sys.modules.keys())
    found[line] = [result.exit_code, result.output, heavy]
json.dump(found, sys.stdout)
"""


def test_wrong_options_load_nothing_heavy(tmp_path: Path) -> None:
    shutil.copy(shipped.folder("netx_exports") / "digits_cnn_t1n4.net", tmp_path / "x.net")
    command = [sys.executable, "-c", RUN, json.dumps(list(WRONG))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for line, (code, said, heavy) in json.loads(done.stdout).items():
        flat = " ".join(said.replace("│", " ").split())
        assert code == 2 or line == "tutorials", (line, said)
        assert WRONG[line] in flat, (line, said)
        assert heavy == [], (line, heavy)


def test_the_catalog_is_that_of_the_architectures() -> None:
    assert list(registry.ARCHITECTURES) == model.names()
    for name in model.names():
        assert tuple(model.arguments(name)) == (*catalog.SETTING, *catalog.OPTIONS[name])
