"""mlsnn fit, import, and export to other formats, on small networks."""

from __future__ import annotations

import html
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from lava_mlsnn import data, energy, loihi2, netx, sim
from lava_mlsnn.cli.app import app
from lava_mlsnn.helpers import units
from lava_mlsnn.netx import (
    Connection,
    Conv,
    DelayDense,
    Delta,
    Dense,
    Injection,
    Input,
    Layer,
    MultiLevel,
    NetGraph,
    Readout,
    Sigma,
    SigmaDelta,
)


def small(levels=2, timesteps=1):
    rng = np.random.default_rng(3)
    conv = Connection(("input",), Conv(rng.integers(-9, 10, (4, 1, 3, 3)), padding=1))
    dense = Connection(("conv",), Dense(rng.integers(-9, 10, (10, 256))))
    layers = (
        Layer("conv", (conv,), (4, 8, 8), MultiLevel(levels, 64), rng.integers(-9, 10, 4)),
        Layer("out", (dense,), (10, 1, 1), Readout()),
    )
    return NetGraph(Input((1, 8, 8), 1 / 16, 5), layers, timesteps)


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "small.net"
    netx.save(small(), path)
    return path


def mlsnn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_fit_prints_every_layer_and_writes_the_same_as_json(net):
    result = mlsnn("fit", net, "--stock")
    assert result.exit_code == 0, result.output
    content = json.loads(net.with_name("small.fit.json").read_text())
    assert [layer["name"] for layer in content["fit"]["layers"]] == ["conv", "out"]
    assert f"{content['fit']['cores']} cores, 120 on a chip: fits one chip" in result.output
    stock, own = content["fit_stock"]["layers"], content["fit"]["layers"]
    assert stock[0]["neurons"] == 2 * own[0]["neurons"]


def test_fit_says_how_many_chips_a_smaller_chip_makes_necessary(net):
    result = mlsnn("fit", net, "--cores", 1)
    assert result.exit_code == 0
    assert "needs 2 chips" in result.output


def test_export_converts_to_stock_neurons_that_compute_the_same(net, tmp_path):
    assert mlsnn("export", net, "--format", "stock").exit_code == 0
    lowered = netx.load(tmp_path / "small.stock.net")
    images = np.random.default_rng(0).integers(0, 17, (6, 1, 8, 8))
    np.testing.assert_array_equal(sim.run(lowered, images).output, sim.run(small(), images).output)


def test_stock_neurons_that_do_not_fit_the_chip_are_said_and_refused_if_asked(tmp_path):
    rng = np.random.default_rng(0)
    dense = Connection(("input",), Dense(rng.integers(-99, 100, (2, 64))))
    wide = NetGraph(Input((1, 8, 8), 1 / 16, 5), (Layer("out", (dense,), (2, 1, 1), MultiLevel(4, [9, 3000])),))
    netx.save(wide, tmp_path / "wide.net")
    result = mlsnn("export", tmp_path / "wide.net", "--format", "stock", "--require-fit")
    assert result.exit_code == 2
    assert "layer 'out', channel 0: bias 5995" in result.output and "exceeds 13 bits" in result.output
    assert "wide.stock.net is not written (--require-fit" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"wide.net"}
    result = mlsnn("export", tmp_path / "wide.net", "--format", "stock")
    assert result.exit_code == 0 and "runs on the CPU: layer 'out'" in result.output
    images = rng.integers(0, 32, (50, 1, 8, 8))
    lowered = netx.load(tmp_path / "wide.stock.net")
    np.testing.assert_array_equal(
        sim.run(lowered, images).output.reshape(50, 2, 4).sum(axis=2), sim.run(wide, images).output
    )


def test_nir_round_trip_computes_the_same(net, tmp_path):
    pytest.importorskip("nir")
    assert mlsnn("export", net, "--format", "nir").exit_code == 0
    result = mlsnn("import", tmp_path / "small.nir", "-o", tmp_path / "back.net")
    assert result.exit_code == 0, result.output
    images = np.random.default_rng(0).integers(0, 17, (6, 1, 8, 8))
    np.testing.assert_array_equal(
        sim.run(netx.load(tmp_path / "back.net"), images).output, sim.run(small(), images).output
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "onnx"], "'onnx': expected one of net, stock, nir"),
        (["--format", "net"], "would overwrite the network it is made from"),
        (["--bits", "4"], "holds integers already"),
    ],
)
def test_export_refuses_what_makes_no_sense(net, arguments, message):
    before = net.read_bytes()
    result = mlsnn("export", net, *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert net.read_bytes() == before


def test_soft_reset_over_several_steps_has_no_stock_or_nir_form(tmp_path):
    netx.save(small(timesteps=2), tmp_path / "slow.net")
    result = mlsnn("export", tmp_path / "slow.net", "--format", "stock", "--require-fit")
    assert result.exit_code == 2
    assert "T = 2" in result.output
    assert not (tmp_path / "slow.stock.net").exists()


@pytest.fixture
def delayed(tmp_path):
    """A network with a delay per synapse, over three timesteps."""
    rng = np.random.default_rng(5)
    delays = DelayDense(rng.integers(-9, 10, (20, 64)), rng.integers(0, 3, (20, 64)))
    layers = (
        Layer("late", (Connection(("input",), delays),), (20, 1, 1), MultiLevel(2, 64)),
        Layer("out", (Connection(("late",), Dense(rng.integers(-9, 10, (10, 20)))),), (10, 1, 1), Readout()),
    )
    netx.save(NetGraph(Input((1, 8, 8), 1 / 16, 5), layers, 3), tmp_path / "delayed.net")
    return tmp_path / "delayed.net"


@pytest.mark.parametrize("command", ["simulate", "energy", "report", "fit"])
def test_delays_go_through_every_command(command, delayed):
    result = mlsnn(command, delayed)
    assert result.exit_code == 0, result.output
    content = json.loads(delayed.with_name(f"delayed.{command}.json").read_text())
    if command == "fit":
        return
    graph = netx.load(delayed)
    expected = energy.estimate(graph, sim.run(graph, data.load("digits").test_images).activity)
    record = content["networks"][0] if command == "report" else content
    assert record["totals"]["energy"] == expected.total > 0
    assert record["layers"][0]["kind"] == "delay_dense+multilevel"


@pytest.fixture
def sigma_delta(tmp_path):
    """Delta encoder, sigma-delta neurons, sigma decoder."""
    rng = np.random.default_rng(6)
    layers = (
        Layer("enc", (Connection(("input",), Injection()),), (1, 8, 8), Delta(3)),
        Layer("hidden", (Connection(("enc",), Dense(rng.integers(-9, 10, (20, 64)))),), (20, 1, 1), SigmaDelta(4)),
        Layer("out", (Connection(("hidden",), Dense(rng.integers(-9, 10, (10, 20)))),), (10, 1, 1), Sigma()),
    )
    netx.save(NetGraph(Input((1, 8, 8), 1 / 16, 5), layers, 2), tmp_path / "sd.net")
    return tmp_path / "sd.net"


def record_of(command, net):
    result = mlsnn(command, net)
    assert result.exit_code == 0, result.output
    content = json.loads(net.with_name(f"{net.stem}.{command}.json").read_text())
    return result.output, content["networks"][0] if command == "report" else content


@pytest.mark.parametrize("command", ["simulate", "energy", "report"])
def test_sigma_delta_has_an_energy(command, sigma_delta):
    _, record = record_of(command, sigma_delta)
    graph = netx.load(sigma_delta)
    expected = energy.estimate(graph, sim.run(graph, data.load("digits").test_images).activity)
    assert record["totals"]["energy"] == expected.total > 0
    assert all(layer["extension"] for layer in record["energy"]["snn"]["layers"])


@pytest.mark.parametrize("command", ["simulate", "energy", "report"])
def test_a_network_without_a_figure_says_why_and_the_rest_stands(command, sigma_delta, monkeypatch):
    activity = sim.run(netx.load(sigma_delta), data.load("digits").test_images).activity
    twin = energy.ann(netx.load(sigma_delta)).total
    monkeypatch.setattr(SigmaDelta, "priced", False)
    output, record = record_of(command, sigma_delta)
    why = "layer 'hidden': model 'lemaire' has no formula for a 'sigma_delta' neuron"
    assert record["energy"]["snn"]["missing"].startswith(why)
    assert record["totals"]["energy"] is record["totals"]["ratio"] is record["layers"][0]["energy"] is None
    assert record["totals"]["energy_ann"] == twin and record["totals"]["events"] == sum(
        activity.mean_events(name) for name in ("enc", "hidden", "out")
    )
    if command == "report":
        page = sigma_delta.with_name("sd.report.html").read_text(encoding="utf-8")
        assert why in html.unescape(page)
    else:
        assert f"no energy: {why}" in output.replace("\n", " ")


def test_energy_without_a_figure_has_no_price_of_stock_neurons(net, monkeypatch):
    monkeypatch.setattr(MultiLevel, "priced", False)
    result = mlsnn("energy", net, "--stock")
    assert result.exit_code == 0, result.output
    price = json.loads(net.with_name("small.energy.json").read_text())["stock"]["price"]
    assert price["energy"] is None and price["events"] > 0


def test_fit_of_a_network_without_a_figure_says_why_and_the_rest_stands(sigma_delta, monkeypatch):
    monkeypatch.setattr(SigmaDelta, "state_words", None)
    output, content = record_of("fit", sigma_delta)
    layers = {layer["name"]: layer for layer in content["fit"]["layers"]}
    assert layers["enc"]["part"]["cores"] == 1 and layers["hidden"]["part"] is None
    assert layers["hidden"]["why"].startswith("no figure for the state of a sigma_delta neuron: expected one of")
    assert content["fit"]["time"] is None and not content["fit"]["fits"]
    assert "no time per timestep: layer 'hidden': no figure for the state" in output.replace("\n", " ")


def test_fit_gives_the_time_of_a_step(net):
    """From silent to all firing, or for measured activity, from data or from a file: the library's numbers."""
    graph, activity = small(), sim.run(small(), data.load("digits").test_images).activity
    mapped = loihi2.fit(graph)
    out = net.with_name("small.fit.json")
    result = mlsnn("fit", net)
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["fit"]["time"] == loihi2.step_range(graph, mapped).to_dict()
    assert "per timestep" in result.output and "guess" in result.output
    assert mlsnn("simulate", net).exit_code == 0
    expected = loihi2.step_range(graph, mapped, activity).to_dict()
    for arguments in (["--data", "digits"], ["--activity", net.with_name("small.simulate.json")]):
        assert mlsnn("fit", net, *arguments).exit_code == 0
        assert json.loads(out.read_text())["fit"]["time"] == expected


def test_fit_counts_traffic_prices_it_with_ones_own_figures_and_draws_it(net, tmp_path):
    graph, picture = small(), tmp_path / "chip.png"
    _, most = loihi2.traffic(graph, loihi2.fit(graph))
    result = mlsnn("fit", net, "--affine", "synop=1e-9", "--affine", "barrier=1e-6", "--picture", picture)
    assert result.exit_code == 0, result.output
    content = json.loads(net.with_name("small.fit.json").read_text())
    found = content["fit"]["traffic"]
    assert found["largest"] == most.largest() and len(found["layers"]) == len(graph)
    assert found["time"][1]["step"] == pytest.approx(most.largest()["synops"] * 1e-9 + 1e-6)
    assert content["measured"] == [measured.to_dict() for measured in loihi2.MEASURED]
    said = " ".join(result.output.split())
    assert "bound by synops (times given by the user); without a figure, left out: dendops, reads, messages" in said
    assert "PilotNet, LIF" in said and picture.read_bytes().startswith(b"\x89PNG")
    assert "published nowhere" in mlsnn("fit", net).output
    wrong = mlsnn("fit", net, "--affine", "hop=1")
    assert wrong.exit_code == 2 and "expected one of dendop, synop, read, bit, message_bits, barrier" in wrong.output


def test_fit_of_what_has_no_place_on_one_chip_draws_nothing_and_says_so(net, tmp_path):
    result = mlsnn("fit", net, "--cores", 1, "--picture", tmp_path / "chip.png")
    assert result.exit_code == 0, result.output
    assert json.loads(net.with_name("small.fit.json").read_text())["fit"]["traffic"] is None
    said = " ".join(result.output.split())
    assert "no traffic on the network-on-chip: 2 cores, one chip has 1" in said and "is not drawn" in said
    assert not (tmp_path / "chip.png").exists()


def test_fit_refuses_counts_of_something_else(net, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"activity": 3}')
    for path, message in ((net, "expected JSON"), (other, "found no activity"), (tmp_path / "no.json", "no.json")):
        result = mlsnn("fit", net, "--activity", path)
        assert result.exit_code == 2 and message in result.output, path
    both = mlsnn("fit", net, "--data", "digits", "--activity", other)
    assert both.exit_code == 2 and "expected one of the two" in both.output


def test_energy_tells_the_price_of_stock_neurons(net):
    result = mlsnn("energy", net, "--stock")
    assert result.exit_code == 0, result.output
    content = json.loads(net.with_name("small.energy.json").read_text())
    images = data.load("digits").test_images
    own, stock = sim.run(small(), images), sim.run(netx.lower(small()), images)
    price = content["stock"]["price"]
    events = stock.activity.events["conv"].sum() / own.activity.events["conv"].sum()
    assert price["events"] == pytest.approx(events, rel=1e-12)
    assert price["energy"] == content["stock"]["totals"]["energy"] / content["totals"]["energy"]
    assert content["accuracy"] == content["stock"]["accuracy"]
    assert f"neurons x {units.ratio(price['neurons'])}, events x {units.ratio(price['events'])}" in result.output


def test_energy_takes_a_preset_and_options_of_the_model(net):
    for arguments, settings in (
        (["-o", "sram=bus", "-o", "bits=8"], {"sram": "bus", "bits": 8}),
        (["--preset", "paper000_tables"], {"options": "paper000_tables"}),
        (["--model", "horowitz"], {"model": "horowitz"}),
    ):
        assert mlsnn("energy", net, *arguments).exit_code == 0
        content = json.loads(net.with_name("small.energy.json").read_text())
        report = energy.estimate(small(), sim.run(small(), data.load("digits").test_images).activity, **settings)
        assert content["totals"]["energy"] == report.total
        assert " ".join(arguments) in content["run"]["command"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "sram=magic"], "'magic'"),
        (["-o", "color=1"], "no setting 'color'"),
        (["-o", "bits"], "expected NAME=VALUE"),
        (["--preset", "qualia", "--model", "loihi1"], "presets belong to the model lemaire"),
        (["--preset", "best"], "got 'best'"),
    ],
)
def test_energy_refuses_unknown_settings(net, arguments, message):
    result = mlsnn("energy", net, *arguments)
    assert result.exit_code == 2 and message in result.output
    assert not net.with_name("small.energy.json").exists()
