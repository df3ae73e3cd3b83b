from __future__ import annotations

import base64
import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lava_mlsnn import report, sim
from lava_mlsnn.energy import estimate
from lava_mlsnn.helpers import units
from lava_mlsnn.netx import Barrier, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Readout


def graph(levels: int, steps: int) -> NetGraph:
    random = np.random.default_rng(0)
    conv = [Conv(random.integers(-9, 10, (4, c, 3, 3)), padding=(1, 1)) for c in (1, 4)]
    neuron = MultiLevel(levels, 16)
    return NetGraph(
        Input((1, 8, 8), scale=1 / 16, bits=5),
        (
            Layer("stem", (Connection("input", conv[0]),), (4, 8, 8), neuron, bias=np.arange(4)),
            Layer("conv<1>", (Connection("stem", conv[1]),), (4, 8, 8), neuron),
            Layer("add", (Connection(("conv<1>", "stem"), Identity()),), (4, 8, 8), Barrier(levels)),
            Layer("read", (Connection("add", Dense(random.integers(-9, 10, (10, 256)))),), (10, 1, 1), Readout()),
        ),
        timesteps=steps,
    )


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    images = np.random.default_rng(1).integers(0, 17, (6, 1, 8, 8))
    records = []
    for name, levels, steps in (("multi & level", 4, 1), ("binary", 1, 4)):
        net = graph(levels, steps)
        activity = sim.run(net, images, engine="reference").activity
        records.append(report.network_record(name, net, activity, {"float": 0.5, "engine": 2 / 3}))
    checks = [{"what": "a = b", "passed": True, "detail": "equal"}, {"what": "c", "passed": False, "detail": "<x>"}]
    found = report.results("Two nets & more", records, report.provenance("mlsnn report a.net", {"name": "d"}), checks)
    return json.loads(json.dumps(found, allow_nan=False))


class Reader(HTMLParser):
    """Collects <data> elements, all addresses and the open tags."""

    VOID = ("meta", "br", "hr", "img", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.data: list[tuple[str, str, str]] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.pending: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [known[key] or "" for key in ("src", "href", "xlink:href", "action") if key in known]
        if tag == "data":
            self.pending = known["data-path"] or "", known["value"] or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        if self.pending:
            self.data.append((*self.pending, data))
            self.pending = None

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


def at(content: Any, path: str) -> Any:
    for key in path.split("."):
        content = content[int(key)] if isinstance(content, list) else content[key]
    return content


def test_every_number_equals_the_json(results: dict[str, Any]):
    reader = read(report.page(results))
    assert len(reader.data) > 150
    for path, value, text in reader.data:
        assert float(value) == at(results, path)
        digits = re.search(r"-?[\d.,]+(e[-+]?\d+)?", text)
        assert digits is not None, text
        shown, exact = float(digits[0].replace(",", "")), abs(float(value))
        factor = {"%": 100, "m": 1e3, "µ": 1e6, "n": 1e9, "p": 1e12, "f": 1e15}
        scale = next((f for unit, f in factor.items() if text.endswith((unit, unit + "J", unit + "s"))), 1)
        assert abs(shown) == pytest.approx(exact * scale, rel=0.01, abs=0.06), (path, value, text)


def test_paths_cover_accuracy_events_energy_of_both_networks(results: dict[str, Any]):
    paths = {path for path, _, _ in read(report.page(results)).data}
    for i in range(2):
        keys = ("accuracy.float", "accuracy.engine", "totals.ratios.exact", "totals.ratios.published")
        assert {f"networks.{i}.{key}" for key in keys} <= paths
        for j in range(4):
            assert f"networks.{i}.layers.{j}.events" in paths and f"networks.{i}.layers.{j}.energy_ann" in paths
        assert f"networks.{i}.layers.2.sums.0.sites" in paths
        assert {f"networks.{i}.fit.cores", f"networks.{i}.fit.layers.1.part.synaptic_words"} <= paths


def test_nothing_is_fetched_and_nothing_runs(results: dict[str, Any]):
    html = report.page(results)
    reader = read(html)
    assert len(reader.addresses) == 2 and all(address.startswith("data:") for address in reader.addresses)
    assert not reader.tags & {"script", "link", "iframe", "img", "object"}
    assert "@import" not in html and "url(" not in html
    assert 'name="viewport"' in html and "@media print" in html


def content_of(html: str, kind: str) -> str:
    (address,) = (a for a in read(html).addresses if a.startswith(f"data:{kind};base64,"))
    return base64.b64decode(address.partition(",")[2]).decode()


def test_the_page_holds_its_numbers_as_json_and_csv(results: dict[str, Any]):
    html = report.page(results)
    assert json.loads(content_of(html, "application/json")) == results
    rows = list(csv.DictReader(content_of(html, "text/csv").splitlines()))
    layers = [(record["name"], row) for record in results["networks"] for row in record["layers"]]
    assert [(row["network"], row["layer"]) for row in rows] == [(name, row["name"]) for name, row in layers]
    assert [float(row["events"]) for row in rows] == [row["events"] for _, row in layers]
    assert [float(row["energy_ann"]) for row in rows] == [row["energy_ann"] for _, row in layers]


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def headline_of(html: str) -> str:
    found = re.search(r'<p class="headline">(.*?)</p>', html, re.S)
    assert found is not None
    return text_of(found[1])


def test_the_first_line_says_what_a_person_came_for(results: dict[str, Any]):
    first, second = results["networks"]
    line, head = headline_of(report.page(results)), results["headline"]
    energy, other = first["energy"]["snn"], second["energy"]["snn"]
    assert head["binary"]["ratio"] == energy["total"] / other["total"]
    published = energy["countings"]["published"] / other["countings"]["published"]
    assert head["binary"]["ratios"] == {"exact": head["binary"]["ratio"], "published": published}
    assert head["ann"]["ratios"] == first["totals"]["ratios"]
    shares = [energy["spread"]["variants"][name] / total for name, total in other["spread"]["variants"].items()]
    assert head["binary"]["low"] == min(*shares, head["binary"]["ratio"]) and head["binary"]["high"] == max(shares)
    assert line == (
        f"66.7 % right, {units.joules(energy['total'])} per image, {units.ratio(first['totals']['ratio'])} of its ANN, "
        f"{units.ratio(head['binary']['ratio'])} of the binary network, {first['fit']['cores']} cores of Loihi 2."
    )
    sure = [f"{units.ratio(head[of]['ratios']['published'])} in the published counting" for of in ("ann", "binary")]
    sure += [f"{units.ratio(head[of]['low'])} to {units.ratio(head[of]['high'])} over all" for of in ("ann", "binary")]
    assert all(words in text_of(report.page(results)) for words in sure)


def test_the_first_line_says_what_was_not_measured(results: dict[str, Any]):
    first, second = results["networks"]
    alone, binary = (report.results("t", [record], results["run"]) for record in (first, second))
    assert "the binary network was not measured, " in headline_of(report.page(alone))
    assert "binary itself, " in headline_of(report.page(binary))
    assert report.results("t", [second, first], results["run"])["headline"]["network"] == 1
    unlike = {**second, "layers": second["layers"][1:]}
    assert report.results("t", [first, unlike], results["run"])["headline"]["binary"] is None


def test_the_twin_stands_below_the_total(results: dict[str, Any]):
    html = report.page(results)
    energies = html[html.index("Energy by layer and term") :]
    total, twin = energies.index('<tr class="total">'), energies.index('<tr class="twin">')
    assert total < twin and "<tr><td>" not in energies[total : energies.index("</tbody>")]


def test_bars_say_in_words_what_they_show(results: dict[str, Any]):
    html = report.page(results)
    layer = results["networks"][0]["layers"][0]
    assert f'title="multi &amp; level: {units.count(layer["events"])}"' in html
    weights = results["networks"][0]["energy"]["snn"]["terms"]["weights"]
    assert f'title="weights: {units.joules(weights)}"' in html and '<span class="sr">of which ' in html
    assert html.count('class="wide" role="region" tabindex="0" aria-label="') == html.count('class="wide"')


def test_neurobench_and_the_chip_are_on_the_page(results: dict[str, Any]):
    paths = {path for path, _, _ in read(report.page(results)).data}
    for i, record in enumerate(results["networks"]):
        assert f"networks.{i}.neurobench.SynapticOperations.Dense" in paths
        assert f"networks.{i}.fit.time.step.1" in paths
        assert record["neurobench"]["exact"] is False and record["fit"]["traffic"]["largest"]["dendops"] == 256
    assert f"networks.{0}.neurobench.MembraneUpdates" in paths and "networks.1.neurobench.MembraneUpdates" not in paths
    assert "measured.0.step" in paths


def test_a_network_without_a_place_on_the_chip_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Barrier, "state_words", None)
    net = graph(4, 1)
    activity = sim.run(net, np.random.default_rng(1).integers(0, 17, (6, 1, 8, 8)), engine="reference").activity
    record = report.network_record("n", net, activity, {"engine": 1.0})
    assert record["fit"]["traffic"] is None and record["fit"]["time"] is None
    html = report.page(report.results("t", [record], report.provenance("c")))
    assert "No figure: layer &#39;add&#39;: no figure for the state of a barrier neuron" in html


def test_several_networks_are_placed_on_the_plane_of_accuracy_and_energy(results: dict[str, Any]):
    page = report.page(results)
    assert "Accuracy against energy" in page and "energy per image" in page
    assert "Accuracy against energy" not in report.page({**results, "networks": results["networks"][:1]})


def test_text_is_escaped(results: dict[str, Any]):
    html = report.page(results)
    assert "multi &amp; level" in html and "conv&lt;1&gt;" in html and "conv<1>" not in html
    assert "FAILED" in html and "&lt;x&gt;" in html


def test_page_of_one_network(results: dict[str, Any]):
    one = {**results, "networks": results["networks"][:1], "checks": []}
    reader = read(report.page(one))
    assert not any(path.startswith("networks.1") for path, _, _ in reader.data)


def test_a_model_without_ann(tmp_path: Path):
    net = graph(4, 1)
    activity = sim.run(net, np.random.default_rng(1).integers(0, 17, (6, 1, 8, 8)), engine="reference").activity
    record = report.network_record("n", net, activity, {"engine": 1.0}, "loihi1")
    content = report.results("t", [record], report.provenance("c"))
    reader = read(report.page(content))
    assert all(float(value) == at(content, path) for path, value, _ in reader.data)
    assert "ANN twin" not in shown(report.terms_table(record)) and "–" in shown(report.layers_table(record))
    assert "Model loihi1; an estimate" in report.page(content)  # 14 nm, not the 45 nm of the other models
    report.picture(content, tmp_path / "p.png")


def test_a_total_stands_with_its_spread(results: dict[str, Any]):
    paths = {path for path, _, _ in read(report.page(results)).data}
    for i, record in enumerate(results["networks"]):
        assert {f"networks.{i}.energy.snn.spread.low", f"networks.{i}.energy.snn.spread.high"} <= paths
        spread = record["energy"]["snn"]["spread"]
        low, high, total = (units.joules(v) for v in (spread["low"], spread["high"], record["totals"]["energy"]))
        caption = f"total = {total} ({low} .. {high} over {len(spread['variants'])} documented variants"
        assert caption in " ".join(shown(report.terms_table(record)).split())


def test_record_is_what_the_models_say():
    net = graph(4, 1)
    activity = sim.run(net, np.random.default_rng(1).integers(0, 17, (6, 1, 8, 8)), engine="reference").activity
    record = report.network_record("n", net, activity, {"engine": 1.0})
    snn, ann = estimate(net, activity), estimate(net, None)
    assert record["totals"]["energy"] == snn.total == sum(row["energy"] for row in record["layers"])
    assert record["totals"]["ratio"] == snn.total / ann.total
    assert [row["events"] for row in record["layers"]] == [activity.mean_events(layer.name) for layer in net]
    added = record["layers"][2]["sums"][0]
    assert added["events"] == activity.mean_events("conv<1>") + activity.mean_events("stem")
    assert added["sites"] == activity.mean_sites(net["add"]) == record["layers"][2]["events"]
    assert added["sites"] < added["events"]


def test_picture_is_a_png(results: dict[str, Any], tmp_path: Path):
    path = report.picture(results, tmp_path / "demo.png")
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000
    assert report.picture(results, tmp_path / "again.png").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("build", [report.layers_table, report.terms_table])
def test_tables_show_every_layer(results: dict[str, Any], build: Any):
    text = shown(build(results["networks"][0]))
    assert all(row["name"] in text for row in results["networks"][0]["layers"]) and "total" in text


def test_comparison_and_checks(results: dict[str, Any]):
    text = shown(report.comparison_table(results["networks"]))
    assert "binary" in text and "ANN twin" in text and "conv<1>" in text
    assert "FAILED" in shown(report.checks_table(results["checks"]))


def shown(table: Any) -> str:
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()
