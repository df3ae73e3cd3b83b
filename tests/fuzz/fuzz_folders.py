"""More doors: data sets that are folders of files and lists, results that are read back, studies, values of options."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nir_cases
import numpy as np
import real_formats
import speech_commands
import test_data_tiny_imagenet as tiny
from fuzz_files import Door, data_set, fingerprint

from lava_mlsnn import netx
from lava_mlsnn.helpers.reading import read_file


def sets(folder: Path) -> Iterator[Door]:
    """Data sets in their publishers' folders."""
    yield from _speech(folder / "speech")
    yield from _tiny(folder / "tiny")
    gestures = real_formats.write_dvs128(folder / "gestures", "aedat", (1, 1), events=40)
    root = next(gestures.rglob("trials_to_train.txt")).parent

    def read_gestures(path: Path) -> str:
        return data_set("dvs128gesture", root=gestures, complete=False, size=4)

    for target in (root / "trials_to_train.txt", *sorted(root.glob("*.csv"))[:1]):
        yield Door(f"gestures {target.suffix}", target, read_gestures, slow=4)
    arrays = real_formats.write_dvs128(folder / "arrays", "npy", (1, 1), events=40)

    def read_arrays(path: Path) -> str:
        return data_set("dvs128gesture", root=arrays, complete=False, size=4)

    yield Door("gestures npy", next(arrays.rglob("*.npy")), read_arrays, slow=4)
    yield from _frames(folder / "frames")
    shutil.copy(nir_cases.CASES / "nested.nir", folder)
    images = np.array([[1, 1], [1, 0], [0, 0]]).reshape(3, 2, 1, 1)

    def read_nested(path: Path) -> str:
        return netx.digest(netx.from_nir(path, images, timesteps=2, input_scale=1.0, input_bits=1, dt=1.0))

    yield Door("nested nir", folder / "nested.nir", read_nested)


def _speech(folder: Path) -> Iterator[Door]:
    """The mel filters take seconds: what is read are clips and lists."""
    from lava_mlsnn.data import speech

    speech_commands.write(folder, 3)

    def read(path: Path) -> str:
        copy = speech.find("speech", folder)
        if copy is None:
            raise ValueError("no copy")
        clips = (speech.read_clip(folder / name) for part in copy.clips.values() for name in part)
        return fingerprint(copy.words, dict(copy.clips), *clips)

    yield Door("speech clip", next(folder.glob("yes/*.wav")), read)
    yield Door("speech list", folder / "testing_list.txt", read)


def _tiny(folder: Path) -> Iterator[Door]:
    root = folder / "tiny-imagenet-200"
    for label, name in enumerate(tiny.CLASSES):
        tiny.write_image(root / "train" / name / "images" / f"{name}_0.JPEG", tiny.COLOURS[label], label)
        tiny.write_image(root / "val" / "images" / f"val_{label}.JPEG", tiny.COLOURS[label], label)
    (root / "wnids.txt").write_text("".join(f"{name}\n" for name in tiny.CLASSES))
    (root / "words.txt").write_text("".join(f"{name}\t{text}\n" for name, text in tiny.CLASSES.items()))
    lines = [f"val_{i}.JPEG\t{name}\t0\t32\t44\t62\n" for i, name in enumerate(tiny.CLASSES)]
    (root / "val" / "val_annotations.txt").write_text("".join(lines))

    def read(path: Path) -> str:
        return data_set("tinyimagenet", root=folder, complete=False)

    for name in ("wnids.txt", "words.txt", "val/val_annotations.txt", "val/images/val_1.JPEG"):
        yield Door(f"tinyimagenet {Path(name).stem}", root / name, read)


def _frames(folder: Path) -> Iterator[Door]:
    """The cache of frames: whatever is in it, the frames are those of the recordings."""
    from lava_mlsnn.data import cache

    for label in ("a", "b"):
        (folder / "classes" / label).mkdir(parents=True)
        content = real_formats.dat_bytes(real_formats.random_events(60, 32, 0))
        (folder / "classes" / label / "1.dat").write_bytes(content)
    name = f"events:{folder / 'classes'},sensor=32,size=4,test=0"
    data_set(name, cache=folder / "cache")
    kept = next((folder / "cache").iterdir())
    for file in (cache.FRAMES, cache.ABOUT):
        whole = {path.name: path.read_bytes() for path in kept.iterdir()}

        def read(path: Path, whole: dict[str, bytes] = whole) -> str:
            found = data_set(name, cache=folder / "cache")
            for other, content in whole.items():
                (kept / other).write_bytes(content)
            return found

        yield Door(f"cache {file}", kept / file, read, sealed=True, slow=2)


def results(folder: Path) -> Iterator[Door]:
    """What our own commands wrote, and what is given to them."""
    from lava_mlsnn.cli import shipped, target
    from lava_mlsnn.helpers.files import write_json
    from lava_mlsnn.helpers.reading import read_json
    from lava_mlsnn.report import pareto

    def record(name: str, right: float, joules: float) -> dict[str, Any]:
        return {"name": name, "accuracy": {"engine": right}, "totals": {"energy": joules, "energy_ann": 4e-6}}

    write_json({"title": "x", "networks": [record("a", 0.9, 1e-6), record("b", 0.8, 5e-7)]}, folder / "points.json")

    def read_points(path: Path) -> str:
        found = pareto.points({path.name: read_json(path, "such as mlsnn energy writes")})
        return fingerprint(pareto.table(found)) + pareto.svg(found)[:0]

    yield Door("records", folder / "points.json", read_points, slow=8)
    write_json({"title": "x", "networks": []}, folder / "target.json")

    def read_target(path: Path) -> str:
        return str(target.check(path, "json", ("title", "networks")))

    yield Door("result to replace", folder / "target.json", read_target)
    write_json({"format": 1, "nets": {"a.net": {"seed": 1, "digest": "0" * 64}}}, folder / shipped.MANIFEST)
    yield Door("manifest", folder / shipped.MANIFEST, lambda path: fingerprint(shipped.read_manifest(path.parent)))
    yield from _studies(folder)
    yield from _options(folder)


def _studies(folder: Path) -> Iterator[Door]:
    from lava_mlsnn import train
    from lava_mlsnn.train import sweep

    recipe = train.recipe("digits", epochs=1, quantized_epochs=0, batch=64)
    space = (sweep.Range("lr", 0.1, 1.0),)
    search = sweep.Sweep("mlp", {"hidden": (4,)}, "digits", recipe, space, f"sqlite:///{folder}/study.db")
    sweep._optuna().logging.set_verbosity(sweep._optuna().logging.WARNING)
    (folder / "trials").mkdir()
    study = sweep.joined(search, folder / "trials")
    study.optimize(lambda trial: trial.suggest_float("lr", 0.1, 1.0), n_trials=2)
    study._storage.remove_session()

    def read(path: Path) -> str:
        found = sweep.joined(search, folder / "trials")
        try:
            return fingerprint([(t.number, t.params, t.values, str(t.state)) for t in found.trials])
        finally:
            found._storage.remove_session()
            found._storage._backend.engine.dispose()

    yield Door("study database", folder / "study.db", read, slow=10)


def _options(folder: Path) -> Iterator[Door]:
    """Texts of options, one a line."""
    from lava_mlsnn import model
    from lava_mlsnn.cli import options
    from lava_mlsnn.data.registry import Spec
    from lava_mlsnn.train.sweep import Range

    images = np.array([[1, 1], [1, 0], [0, 0]]).reshape(3, 2, 1, 1)

    def lines(path: Path) -> list[str]:
        return read_file(path).decode("utf-8", "surrogateescape").split("\n")

    def dialect(path: Path) -> str:
        given = options.key_values(lines(path), "--option")
        return netx.digest(
            netx.from_nir(nir_cases.CASES / "nested.nir", images, timesteps=2, input_scale=1.0, input_bits=1, **given)
        )

    def architecture(path: Path) -> str:
        given = options.key_values(lines(path), "--model-option")
        model.check("mlp", given)
        return fingerprint(given)

    def numbers(path: Path) -> str:
        name, space, target = [*lines(path), "", "", ""][:3]
        return fingerprint(Spec.parse(name), Range.parse(space), options.energy(target, None))

    for name, text, read in (
        ("--option", 'dt=1.0\nreset="hard"\nmax_spikes=1\nfires=">="', dialect),
        ("--model-option", "hidden=4,4\nlevels=4\nneuron=multilevel", architecture),
        ("others", "events:x.csv,size=4,test=0.5\nlr=log:0.01..1\n20uJ", numbers),
    ):
        path = folder / f"{name.strip('-')}.txt"
        path.write_text(text)
        yield Door(f"options {name}", path, read)
