"""The Lemaire model against cases computed by qualia-plugin-snn 2.6.0: every term and every count to 1e-9."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lava_mlsnn.energy import lemaire

CASES = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "golden").glob("*.json"))}
KINDS = {
    "TConv2DLayer": "conv",
    "TDenseLayer": "dense",
    "TMaxPooling2DLayer": "pool",
    "TAvgPooling2DLayer": "pool",
    "TFlattenLayer": "flatten",
}
TERMS = {
    "potentials": "mem_pot_J",
    "weights": "mem_weights_J",
    "bias": "mem_bias_J",
    "io": "mem_io_J",
    "synaptic": "ops_J",
    "addressing": "addr_J",
    "memory": "mem_total_J",
    "total": "total_J",
}
COUNTS = {"acc_synaptic_only": "acc_synaptic", "mul_leak": "mul"}
LAYERS = [(case, layer["name"]) for case, data in CASES.items() for layer in data["layers"] if layer["energy"]]


def evaluate(case: str, name: str, **changes: object) -> tuple[dict, lemaire.LayerEnergy]:
    data = CASES[case]
    config = data["config"]
    layer = next(entry for entry in data["layers"] if entry["name"] == name)
    return layer, lemaire.layer(
        kind=KINDS[layer["type"]],
        in_shape=tuple(layer["in_shapes_CHW"][0]),
        out_shape=tuple(layer["out_shape_CHW"]),
        kernel=tuple(layer.get("kernel_size", (1, 1))),
        stride=tuple(layer.get("stride", (1, 1))),
        groups=layer.get("groups", 1),
        bias=layer.get("bias", False),
        events_in=layer.get("theta_in"),
        events_out=layer.get("theta_out"),
        steps=config["T"],
        levels=config["N"] or 1,
        leaky=layer.get("leak", False),
        analog_input=not layer.get("input_is_binary", True),
        bits=config["mem_width_bits"],
        fifo=config["fifo_size_elements"],
        sram_estimation_type=config["sram_estimation_type"],
        op_estimation_type=config["op_estimation_type"],
        **changes,
    )


def test_every_sample_is_here():
    assert len(CASES) == 6
    assert len(LAYERS) == 3 + 7 + 4 * 8


@pytest.mark.parametrize(("case", "name"), LAYERS)
def test_layer(case, name):
    expected, got = evaluate(case, name)
    for term, key in TERMS.items():
        assert getattr(got, term) == pytest.approx(expected["energy"][key], rel=1e-9, abs=0), term
    for key, value in expected.get("counts", {}).items():
        assert getattr(got.counts, COUNTS.get(key, key)) == pytest.approx(value, rel=1e-12, abs=0), key


@pytest.mark.parametrize("case", CASES)
def test_total(case):
    data = CASES[case]
    rows = [evaluate(case, name)[1] for c, name in LAYERS if c == case]
    for term, key in TERMS.items():
        assert math.fsum(getattr(row, term) for row in rows) == pytest.approx(data["total"][key], rel=1e-9), term
        assert getattr(lemaire.total(rows), term) == pytest.approx(data["total"][key], rel=1e-9), term
    for key, value in data["total_counts"].items():
        assert getattr(lemaire.total(rows).counts, COUNTS.get(key, key)) == pytest.approx(value, rel=1e-12), key


@pytest.mark.parametrize("name", [name for case, name in LAYERS if case == "18_snn_cnn_T1_N4_derived"])
def test_addressing_of_the_tables(name):
    expected, got = evaluate("18_snn_cnn_T1_N4_derived", name, addressing="table")
    assert got.addressing == pytest.approx(expected["energy"]["addr_J_N_variant"], rel=1e-9, abs=0)
    assert got.synaptic == pytest.approx(expected["energy"]["ops_J"], rel=1e-9, abs=0)


@pytest.mark.parametrize("case", CASES)
def test_constants_of_the_case(case):
    config = CASES[case]["config"]
    options = lemaire.Options(bits=config["mem_width_bits"], sram=config["sram_estimation_type"])
    assert options.operations.add == config["e_add_J"]
    assert options.operations.mul == config["e_mul_J"]
    assert options.operations.mac == pytest.approx(config["e_mac_J"], rel=1e-12)
    for words, joules in config["sram_access_examples_J"].items():
        assert options.access(int(words)) == pytest.approx(joules, rel=1e-12)
