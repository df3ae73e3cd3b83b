"""Wrong options are told of before anything heavy is loaded, and the list of options is that of the architectures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from lava_mlsnn import model
from lava_mlsnn.block.fusion import FUSIONS
from lava_mlsnn.block.norm import NORMS
from lava_mlsnn.helpers import shipped
from lava_mlsnn.model import catalog, registry, resnet, s_resnet, window_rnn
from lava_mlsnn.neuron.bumps import BUMPS
from lava_mlsnn.neuron.checks import BARRIER_GRADS

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
    "train cnn -m width=x": "width: expected an integer >= 1, got 'x'",
    "train cnn -m width=0": "width: expected an integer >= 1, got 0",
    "train cnn -m depth=1.5": "depth: expected an integer >= 1, got 1.5",
    "train cnn -m levels=2": "--model-option levels=2: expected --levels 2",
    "train cnn -m in_shape=1,8,8": "option 'in_shape' is decided by the dataset 'digits': expected it to be left out",
    "train cnn -m neuron=gelu": "neuron: expected multilevel, atif, relu or a mapping of arguments, got 'gelu'",
    "train cnn -m barrier_grad=hat": f"barrier_grad: expected one of {', '.join(BARRIER_GRADS)}, got 'hat'",
    "train mlp -m hidden=64,x": "hidden: expected integers >= 1, got (64, 'x')",
    "train sparse_resnet18 -m blocks=0": "blocks: expected integers >= 1, got 0",
    "train sparse_resnet18 -m stem=imagenet": "stem: expected one of cifar, dvs, got 'imagenet'",
    "train vgg16 -m downsample=avg": "downsample: expected one of stride, sumpool, maxpool, got 'avg'",
    "train mobilenet_v2 -m expansion=0": "expansion: expected an integer >= 1, got 0",
    "train mobilenet_v2 -m blocks=1,1,1,1,1,1,1,1": "blocks: expected 1 to 7 stages, got 8",
    "train s_resnet20": "levels: expected 1, as the neurons of an S-ResNet are binary, got 4",
    "train s_resnet20 -N 1 -m leak=2": "leak: expected a finite number >= 0 and <= 1, got 2",
    "train s_resnet20 -N 1 -m stem=dvs": "stem: expected one of cifar, dvs64, dvs128, got 'dvs'",
    "train s_resnet20 -N 1 -m boost=maybe": "boost: expected True or False, got 'maybe'",
    "train window_cnn12 -T 2": "steps: expected 1, got 2: in a window network groups replace timesteps",
    "train window_lstm12 -m cell=tcn": "cell: expected one of lstm, gru, rnn, birnn, mlp, got 'tcn'",
    "train cnn --resume --out empty": "resume: expected a checkpoint empty/last.ckpt, found none",
    "train cnn --out taken": "taken/last.ckpt: the checkpoint of a training is there: expected resume (--resume)",
    "train cnn --out x.net": "x.net/last.ckpt: cannot be written",
    "train cnn --from nope.safetensors": "nope.safetensors: no such file",
    "train cnn --from broken.safetensors": "broken.safetensors: expected a safetensors file written by model.save",
    "train cnn --devices 0": "devices: expected an integer >= 1, got 0",
    "train cnn --devices 3 --batch 32 --strategy ddp": "batch: expected a multiple of the 3 processes, got 32",
    "train cnn --precision 16 --accelerator cpu": 'precision: "16" needs a GPU, expected "32" or "bf16" on a CPU',
    "train cnn --validation 2": "validation: expected a finite number >= 0 and < 1, got 2.0",
    "train cnn --patience 0": "patience: expected an integer >= 1, got 0",
    "train cnn --mixup -1": "mixup: expected a finite number >= 0, got -1.0",
    "train cnn --energy cheap": "--energy: expected a share of the ANN such as 0.3, or joules such as 20uJ, got",
    "train cnn --energy 0.3 --energy-weight 1": "--energy-weight 1: expected it without --energy 0.3",
    "train cnn --data digits:here": "dataset 'digits' comes with an installed package: expected no path",
    "train cnn --data digits,size=8": "dataset 'digits': option 'size'; expected one of: none",
    "train cnn --data nope.npz": "nope.npz: no such file or folder; expected FILE.npz with images and labels",
    "train cnn --data broken.npz": "broken.npz: cut or damaged, or another file; expected an archive of arrays (.npz)",
    "train cnn --data text.csv": "text.csv: expected FILE.npz with images and labels",
    "train cnn --data empty": "empty: no images; expected FILE.npz with images and labels",
    "train cnn --data events:empty": "empty: no recordings; expected a folder of one folder of recordings per class",
    "train cnn --epochs many": "'--epochs'",
    "train cnn --color": "No such option: --color",
    "export nope.safetensors": "nope.safetensors: no such file",
    "export x.net --format zip": "--format 'zip'",
    "export x.net --format nir --dialect zzz": "dialect: expected one of nir",
    "export x.net -o y.net --bits 4": "holds integers already",
    "export broken.safetensors": "broken.safetensors: expected a safetensors file written by model.save",
    "export taken/last.ckpt": "a checkpoint, from which mlsnn train --resume goes on: expected model.safetensors",
    "export broken.safetensors --bits 9": "--bits: expected an integer in 2 .. 8, got 9",
    "export x.net -o x.net": "x.net would overwrite the network it is made from: choose another --output",
    "export x.net -o text.json": "text.json: a name of json files, expected one with .net",
    "simulate nope.net": "no such network file",
    "simulate x.net --data nope": "dataset 'nope'",
    "simulate broken.net": "broken.net: not an HDF5 file",
    "simulate x.net --lava slow": "'slow' is not one of 'fused', 'layers'",
    "simulate x.net --samples 0": "'--samples'",
    "simulate x.net --input-shape 8,8": "--input-shape: expected C,H,W, for example 1,28,28, got '8,8'",
    "simulate x.net --input-scale -1": "input_scale: expected a finite number > 0, got -1.0",
    "simulate x.net --json x.net": "x.net: a name of net files, expected one with .json",
    "simulate x.net --json empty": "empty: a folder, expected the name of a file",
    "energy x.net --model zzz": "model: expected one of lemaire",
    "energy x.net -o foo=1": "no setting 'foo'",
    "energy nope.net": "no such network file: nope.net",
    "energy x.net -o sram": "--option 'sram': expected NAME=VALUE",
    "energy x.net -o sram=new2": "sram: expected one of regression, piecewise, bus, got 'new2'",
    "energy x.net -o bits=0": "bits: expected an integer in 1 .. 64, got 0",
    "energy x.net --preset zzz": "options: expected one of qualia, lemaire, spikingjelly, paper000_tables, got 'zzz'",
    "energy x.net --model horowitz --preset lemaire": "presets belong to the model lemaire, got 'horowitz'",
    "energy x.net --model loihi1 -o active=some": "active: expected one of expected, all, none, got 'some'",
    "energy x.net --json text.json": "text.json: holds something else than this command writes: expected another name",
    "report x.net --model zzz": "model: expected one of lemaire",
    "report broken.net": "broken.net: not an HDF5 file",
    "report x.net -o x.net": "x.net: a name of net files, expected one with .html",
    "report x.net --data nope": "dataset 'nope'",
    "fit nope.net": "no such network file",
    "fit x.net --cores 0": "chip cores: expected an integer >= 1, got 0",
    "fit x.net --affine speed=1": "--affine 'speed': expected one of dendop, synop, read, bit, message_bits, barrier",
    "fit x.net --affine read=fast": "affine read: expected a finite number >= 0, got 'fast'",
    "fit x.net --activity nope.json": "nope.json: No such file",
    "fit x.net --activity text.json": "text.json: expected the JSON of mlsnn simulate, found no activity in it",
    "fit x.net --activity text.json --data digits": "--data and --activity both say what is counted",
    "fit x.net --picture x.net": "x.net: a name of net files, expected one with .png",
    "import nope.nir": "nope.nir: no such file",
    "import text.csv": "text.csv: expected a NIR file, as nir.write makes it, found no HDF5",
    "import empty": "empty: no such file",
    "pareto nope.json": "nope.json: No such file",
    "verdicts nope.md nope.md": "nope.md: No such file",
    "verdicts nope.md": "expected pairs, a first run and a second one, got 1 files",
    "verdicts text.json text.json": "text.json: expected a page of several items that mlsnn reproduce wrote",
    "pareto text.json": "text.json: expected records with accuracy and totals.energy",
    "reproduce nope": "item 'nope'",
    "reproduce fig7 --preset zz": "preset: expected one of",
    "reproduce fig7 --data nope": "dataset 'nope'",
    "reproduce fig7 --seeds 0,x": "--seeds '0,x': expected whole numbers with commas, such as 0,1,2",
    "reproduce fig7 --seeds 0,0": "seeds: expected one or more different whole numbers from 0 on, got (0, 0)",
    "reproduce fig7 --recipe nope": "recipe: expected one of digits",
    "reproduce fig7 --epochs 0": "epochs: expected an integer >= 1, got 0",
    "sweep --trials 0": "--trials",
    "sweep --data nope": "dataset 'nope'",
    "sweep nope": "model: expected one of mlp",
    "sweep -m width=x": "width: expected an integer >= 1, got 'x'",
    "sweep cnn": "search space of 'leak': expected one of lr, momentum",
    "sweep --space lr": "search space 'lr': expected NAME=LOW..HIGH",
    "sweep --space lr=2..1": "search space of 'lr': expected low < high",
    "sweep --space leak=0.1..0.9 -m leak=0.5 --epochs 0": "epochs: expected an integer >= 1, got 0",
    "sweep --study empty": "empty: a folder, expected the name of a file",
    "shipped --only nope": "network: expected one of digits_mlp",
    "demo --layers 0": "'--layers'",
    "info --json x.net": "x.net: a name of net files, expected one with .json",
    "data check nope": "dataset 'nope'",
    "data check cifar10:nowhere": "nowhere",
    "tutorials x.net": "x.net: a file, expected a folder",
    "paint": "No such command 'paint'",
}
"""Command line -> what its one sentence holds."""

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


def test_wrong_options_are_one_sentence_and_load_nothing_heavy(tmp_path: Path) -> None:
    shutil.copy(shipped.folder("netx_exports") / "digits_cnn_t1n4.net", tmp_path / "x.net")
    for name in ("broken.net", "broken.npz", "broken.safetensors", "taken/last.ckpt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"something else")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "text.csv").write_text("a,b\n", encoding="utf-8")
    command = [sys.executable, "-c", RUN, json.dumps(list(WRONG))]
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for line, (code, said, heavy) in json.loads(done.stdout).items():
        flat = " ".join(said.replace("│", " ").split())
        assert code == 2, (line, said)
        assert WRONG[line] in flat and "Traceback" not in said, (line, said)
        assert said.count("\n") == 1 or said.startswith("Usage:"), (line, said)
        assert heavy == [], (line, heavy)
    assert sorted(tmp_path.iterdir()) == before


def test_the_catalog_is_that_of_the_architectures() -> None:
    assert list(registry.ARCHITECTURES) == model.names()
    for name in model.names():
        assert tuple(model.arguments(name)) == (*catalog.SETTING, *catalog.OPTIONS[name])


def test_the_catalog_s_words_are_those_that_the_networks_know() -> None:
    """It is read without torch, so it has words of its own."""
    known = {
        "barrier_grad": BARRIER_GRADS,
        "cell": window_rnn.CELLS,
        "fusion": FUSIONS,
        "norm": NORMS,
        "residual": s_resnet.RESIDUALS,
        "surrogate": BUMPS,
    }
    for option, words in known.items():
        assert catalog.RULES[option].keywords["known"] == tuple(words), option  # type: ignore[attr-defined]
    for stems, name in ((resnet.STEMS, "sparse_resnet18"), (s_resnet.STEMS, "s_resnet20")):
        for stem in (*stems, None):
            assert catalog.check(name, {"stem": stem, "levels": 1}) == {"stem": stem, "levels": 1}
    assert set(catalog.RULES) <= {*catalog.SETTING, *(o for own in catalog.OPTIONS.values() for o in own)}
