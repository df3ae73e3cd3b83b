"""``mlsnn data check`` of one's own data: numbers, shape, classes, values, splits, and what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from real_formats import gray_images, idx_bytes
from typer.testing import CliRunner

from lava_mlsnn import data
from lava_mlsnn.cli.app import app
from lava_mlsnn.data import own

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 1, 4, 3), dtype=np.uint8)
LABELS = np.arange(20) % 2


def checked(tmp_path, what, code=0) -> dict[str, tuple[bool, str]]:
    result = CliRunner().invoke(app, ["data", "check", str(what), "--json", str(tmp_path / "check.json")])
    assert result.exit_code == code, result.output
    assert ("nothing is wrong" in result.output) == (code == 0)
    content = json.loads((tmp_path / "check.json").read_text())
    assert content["passed"] == (code == 0)
    return {f["what"]: (f["passed"], f["detail"]) for f in content["findings"]}


def saved(path, **content):
    np.savez(path, **content)
    return path


def test_arrays(tmp_path):
    path = saved(tmp_path / "a.npz", images=IMAGES, labels=LABELS)
    found = checked(tmp_path, f"{path},test=0.3")
    assert found["images"] == (True, "14 training and 6 test images of (C, H, W) = (1, 4, 3)")
    assert found["training classes"] == (True, "2 of 7 to 7 images")
    assert found["test classes"] == (True, "2 of 3 to 3 images")
    assert found["values"] == (True, f"{IMAGES.min()} .. {IMAGES.max()} of 0 .. 255, one step counts 0.00392157")
    assert found["split"] == (True, "no image is in both")


def test_what_is_wrong_with_arrays(tmp_path):
    images, labels, split = IMAGES // 32, LABELS * 2, np.arange(20) >= 15
    images[16], images[3] = images[2], 5
    found = checked(tmp_path, saved(tmp_path / "a.npz", images=images, labels=labels, split=split), 1)
    assert found["training classes"] == (False, "3 of 0 to 8 images; none of 1")
    assert found["split"] == (False, "1 test images are training images, too: number 1")
    passed, detail = found["values"]
    assert not passed and "0 .. 7 of 0 .. 255" in detail and "1 images have one value everywhere" in detail
    assert "3 bits hold them: bits=3,input_scale=0.142857 uses the whole range" in detail


def test_images_with_time(tmp_path):
    path = saved(tmp_path / "a.npz", images=RNG.integers(0, 256, (20, 2, 4, 4, 3), dtype=np.uint8), labels=LABELS)
    assert checked(tmp_path, path)["images"][1].endswith("(C, H, W) = (2, 4, 4) in 3 steps")


def test_a_folder_of_pictures(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(tmp_path / f"pets/{name}/{i}.png")
    found = checked(tmp_path, tmp_path / "pets")
    assert found["images"] == (True, "8 training and 2 test images of (C, H, W) = (3, 6, 5)")
    (tmp_path / "pets/dog/9.png").write_bytes(b"no picture")
    passed, detail = checked(tmp_path, tmp_path / "pets", 1)["content"]
    assert not passed and "9.png: expected a PNG or JPEG file" in detail


def test_own_idx_files_are_no_published_ones(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "my-images-idx3-ubyte").write_bytes(idx_bytes(gray_images(20, 0)[0]))
    (tmp_path / "own" / "my-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS.astype(np.uint8)))
    assert checked(tmp_path, tmp_path / "own")["training classes"] == (True, "2 of 8 to 8 images")


def test_a_part_that_cannot_be_held_out_is_a_finding(tmp_path):
    path = saved(tmp_path / "a.npz", images=IMAGES[:3], labels=[0, 0, 1])
    passed, detail = checked(tmp_path, path, 1)["content"]
    assert not passed and "class 0 has 2 members" in detail


def test_recordings(tmp_path):
    for name, count in (("left", 4), ("right", 6)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(count):
            lines = [f"{x},{x + 1},{1000 * x},{x % 2}" for x in range(5 + i)]
            (tmp_path / "own" / name / f"{i}.csv").write_text("\n".join(["x,y,t,p", *lines]))
    found = checked(tmp_path, f"{tmp_path}/own,sensor=16x24")
    assert found["training recordings"][1].startswith("8: left 3, right 5 (test=0.2")
    assert found["test recordings"][1].startswith("2: left 1, right 1 (test=0.2")
    assert found["events per recording"] == (True, "5 .. 10 of (H, W) = (16, 24), in 0.004 .. 0.009 s")
    found = checked(tmp_path, f"{tmp_path}/own", 1)
    assert not found["sensor"][0] and "give sensor=HxW" in found["sensor"][1] and found["content"][0]


NOTHING = {"/none.npz": "no such file", "/none.npz,test=0.3": "no such file", "digits,colour=1": "option 'colour'"}


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_to_look_at_is_one_line(text):
    result = CliRunner().invoke(app, ["data", "check", text])
    assert result.exit_code and NOTHING[text] in f"{result.output}{result.exception}"


def test_training_reads_own_images_once(tmp_path, monkeypatch):
    path, read = saved(tmp_path / "a.npz", images=IMAGES, labels=LABELS), []
    load = own.load
    monkeypatch.setattr(own, "load", lambda *args, **options: read.append(args) or load(*args, **options))
    arguments = ["-m", "hidden=4", "--epochs", "1", "--quantized-epochs", "0", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["train", "mlp", "--data", str(path), *arguments], catch_exceptions=False)
    assert result.exit_code == 0 and len(read) == 1
    assert data.load(str(path)).source in " ".join(result.output.split())
