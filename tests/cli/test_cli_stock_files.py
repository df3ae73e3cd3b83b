"""What stock NetX takes as arguments and its files do not say, on the command line."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from lava_mlsnn import netx
from lava_mlsnn.cli import app

TINY = Path(sysconfig.get_path("purelib")) / "tests/lava/lib/dl/netx/tiny.net"


def fit(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["fit", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output + result.stderr


@pytest.fixture
def untimed(tmp_path: Path) -> Path:
    """tiny.net without its number of timesteps, and with a delay that stock clips."""
    path = tmp_path / "x.net"
    path.write_bytes(TINY.read_bytes())
    with h5py.File(path, "r+") as file:
        file.pop("simulation", None)
        layer = next(file[f"layer/{i}"] for i in file["layer"] if "outChannels" in file[f"layer/{i}"])
        layer.pop("kernelSize", None)
        layer["kernelSize"] = np.array([9, 9])
    return path


def test_steps_are_given_and_what_stock_ignores_is_a_warning(untimed: Path):
    out = fit(untimed, "--steps", 5, "--json", untimed.with_suffix(".json"))
    assert "warning: " in out and "'kernelSize' is (9, 9)" in out and "tSample" not in out
    assert json.loads(untimed.with_suffix(".json").read_text())["file"] == "x.net"


def test_without_steps_a_warning_says_how_to_give_them(untimed: Path):
    assert "--steps" in fit(untimed, "--json", untimed.with_suffix(".json"))


def test_strict_refuses(untimed: Path):
    assert "error: x.net: layer" in fit(untimed, "--strict", code=2)


def test_a_bad_shape_is_named(untimed: Path):
    assert "--input-shape: expected C,H,W, for example 1,28,28, got '3'" in fit(untimed, "--input-shape", 3, code=2)


def test_the_limit_of_what_a_file_may_declare_is_raised_as_its_error_says(tmp_path: Path):
    layer = netx.Layer("out", (netx.Connection("input", netx.Dense([[1]])),), (1, 1, 1), netx.Readout())
    netx.save(netx.NetGraph(netx.Input((1, 1, 1)), (layer,), timesteps=65_537), tmp_path / "x.net")
    said = " ".join(fit(tmp_path / "x.net", code=2).split())
    assert "timesteps: 65,537: expected at most 65,536" in said and "--largest N, raises the limit" in said
    number = said.split("N = ")[1].split()[0].replace(",", "")
    assert "cores" in fit(tmp_path / "x.net", "--largest", number, "--json", tmp_path / "x.json")


def test_a_file_that_was_edited_is_read_as_its_error_says(tmp_path: Path):
    layer = netx.Layer("out", (netx.Connection("input", netx.Dense([[1]])),), (1, 1, 1), netx.Readout())
    netx.save(netx.NetGraph(netx.Input((1, 1, 1)), (layer,)), tmp_path / "x.net")
    with h5py.File(tmp_path / "x.net", "r+") as file:
        file["layer/1/weight"][...] = 2
    assert "--no-verify, takes it as it is" in " ".join(fit(tmp_path / "x.net", code=2).split())
    assert "cores" in fit(tmp_path / "x.net", "--no-verify", "--json", tmp_path / "x.json")
