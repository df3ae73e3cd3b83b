"""The report: one HTML page that fetches nothing, made of the results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ..helpers.units import count, joules, percent, ratio, significant
from .document import Document, bar, chart, legend, stack, table
from .drawing import drawing
from .record import WITH_TWIN
from .style import CSS

FIT_COLUMNS = (
    ("cores", "cores"),
    ("neurons", "neurons per core"),
    ("synaptic_words", "synaptic words"),
    ("axons_in", "axons in"),
    ("axons_out", "axons out"),
)
"""Keys of a layer's part of a core, and their titles."""


def page(results: Mapping[str, Any]) -> str:
    """A self-contained HTML page of :func:`lava_mlsnn.report.results`; each number carries its path in them.

    Networks after the first are compared with it layer by layer, by the layers' names.
    """
    doc = Document(results)
    several = len(results["networks"]) > 1
    sections = [
        _summary(doc),
        _checks(doc) if results["checks"] else "",
        _activity(doc),
        _energy(doc),
        *(_network(doc, i) for i in range(len(results["networks"]))),
        _constants(doc),
        _reproduce(doc),
    ]
    title = escape(results["title"])
    intro = "Events are non-zero spikes, whatever their value; all figures are means per image over all timesteps."
    if several:
        intro += " The networks have the same shapes and the same ANN twin."
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{CSS}</style></head><body><main>"
        f'<h1>{title}</h1><p class="soft">{intro}</p>{"".join(sections)}</main></body></html>\n'
    )


def _records(doc: Document) -> range:
    return range(len(doc.results["networks"]))


def _names(doc: Document) -> list[str]:
    return [doc.text(f"networks.{i}.name") for i in _records(doc)]


def _summary(doc: Document) -> str:
    cards = []
    for i in _records(doc):
        at = f"networks.{i}"
        accuracy = "".join(
            f"<dt>accuracy, {escape(how)}</dt><dd>{doc.value(f'{at}.accuracy.{how}', percent)}</dd>"
            for how in doc.get(f"{at}.accuracy")
        )
        spread = _between(doc, f"{at}.energy.snn.spread.low", f"{at}.energy.snn.spread.high", joules)
        if doc.get(f"{at}.totals.ratio") is not None:
            spread += f", its ratio {_between(doc, f'{at}.totals.ratio_low', f'{at}.totals.ratio_high', ratio)},"
        cards.append(
            f'<div class="card"><h3>{doc.text(f"{at}.name")}</h3><dl>{accuracy}'
            f"<dt>events</dt><dd>{doc.value(f'{at}.totals.events', count)}</dd>"
            f"<dt>energy</dt><dd>{doc.value(f'{at}.totals.energy', joules)}</dd>"
            f"<dt>ANN twin</dt><dd>{doc.value(f'{at}.totals.energy_ann', joules)}</dd>"
            f"<dt>energy / ANN twin</dt><dd>{doc.value(f'{at}.totals.ratio', ratio)}</dd>"
            f'</dl><p class="soft">energy {spread} over the documented variants of the model; '
            f"{doc.value(f'{at}.samples', count)} images, {doc.value(f'{at}.totals.neurons', count)} neurons, "
            f"{doc.value(f'{at}.totals.parameters', count)} parameters</p></div>"
        )
    return f'<h2>In short</h2><div class="cards">{"".join(cards)}</div>'


def _between(doc: Document, low: str, high: str, form: Callable[[Any], str]) -> str:
    return f"{doc.value(low, form)} to {doc.value(high, form)}"


def _checks(doc: Document) -> str:
    rows = []
    for i, check in enumerate(doc.results["checks"]):
        mark = '<span class="pass">ok</span>' if check["passed"] else '<span class="fail">FAILED</span>'
        rows.append([mark, doc.text(f"checks.{i}.what"), doc.text(f"checks.{i}.detail")])
    return f"<h2>Checks</h2>{table(['', 'what', 'found'], rows, 0)}"


def _activity(doc: Document) -> str:
    records = doc.results["networks"]
    most = max((row["events"] for record in records for row in record["layers"]), default=1.0) or 1.0
    rows = []
    for name in [row["name"] for row in records[0]["layers"] if row["levels"]]:
        bars = []
        for i, record in enumerate(records):
            for j, row in enumerate(record["layers"]):
                if row["name"] == name:
                    label = doc.value(f"networks.{i}.layers.{j}.events", count)
                    bars.append(bar(row["events"] / most, i, label))
        rows.append((escape(name), bars))
    return f"<h2>Events per layer</h2>{legend(_names(doc))}{chart(rows)}"


def _energy(doc: Document) -> str:
    records = doc.results["networks"]
    bars = [(_names(doc)[i], f"networks.{i}.energy.snn") for i in _records(doc)]
    bars = [(name, path) for name, path in bars if not doc.get(f"{path}.missing")]
    if records[0]["energy"]["ann"]:
        bars.append(("ANN twin", "networks.0.energy.ann"))
    terms = list(dict.fromkeys(term for _, path in bars for term in doc.get(f"{path}.terms")))
    most = max((doc.get(f"{path}.total") for _, path in bars), default=0.0) or 1.0
    rows = []
    for name, path in bars:
        values = doc.get(f"{path}.terms")
        label = doc.value(f"{path}.total", joules)
        rows.append((name, [stack([values.get(term, 0.0) / most for term in terms], label)]))
    model = records[0]["energy"]["snn"]["model"]
    process = ", 45 nm" if model in WITH_TWIN else ""
    return (
        f"<h2>Energy per image by term</h2><p class='soft'>Model {escape(model)}{process}; an estimate from counts, "
        f"not a measurement.</p>{legend([escape(term) for term in terms])}{chart(rows)}"
    )


def _network(doc: Document, i: int) -> str:
    at = f"networks.{i}"
    record = doc.get(at)
    head = ["layer", "shape", "neurons", "events", "rate", "values", "energy", "ANN twin"]
    forms = [("neurons", count), ("events", count), ("rate", percent), ("values", count)]
    rows = []
    for j, row in enumerate(record["layers"]):
        path = f"{at}.layers.{j}"
        cells = [doc.value(f"{path}.{key}", form) for key, form in forms]
        cells += [doc.value(f"{path}.energy", joules), doc.value(f"{path}.energy_ann", joules)]
        rows.append([escape(row["name"]), "×".join(map(str, row["shape"])), *cells])
    totals = [doc.value(f"{at}.totals.{key}", count) if key else "" for key in ("neurons", "events", "", "values")]
    totals += [doc.value(f"{at}.totals.energy", joules), doc.value(f"{at}.totals.energy_ann", joules)]
    rows.append(["total", "", *totals])
    return (
        f"<h2>{doc.text(f'{at}.name')}</h2><p>T = {doc.value(f'{at}.timesteps', count)}, "
        f"N = {doc.value(f'{at}.levels', count)}</p>{drawing(record)}{table(head, rows, 6, True)}"
        f"{_sums(doc, at)}{_terms(doc, at)}{_fit(doc, at)}"
    )


def _sums(doc: Document, at: str) -> str:
    rows = []
    for j, layer in enumerate(doc.get(f"{at}.layers")):
        for k, added in enumerate(layer["sums"]):
            path = f"{at}.layers.{j}.sums.{k}"
            cells = [doc.value(f"{path}.{key}", count) for key in ("events", "sites")]
            rows.append([escape(" + ".join(added["sources"])), escape(layer["name"]), *cells])
    if not rows:
        return ""
    head = ["sum of", "read by", "events carried", "non-zero sites of the sum"]
    return f"<h3>Residual sums</h3>{table(head, rows, 2)}"


def _terms(doc: Document, at: str) -> str:
    energy = doc.get(f"{at}.energy.snn")
    terms = list(energy["terms"])
    rows = []
    for j, layer in enumerate(energy["layers"]):
        path = f"{at}.energy.snn.layers.{j}"
        cells = [doc.value(f"{path}.terms.{t}", joules) if t in layer["terms"] else "" for t in terms]
        mark = " *" if layer["extension"] else ""
        rows.append([escape(layer["name"]) + mark, *cells, doc.value(f"{path}.total", joules)])
    for name, path in (("ANN twin", f"{at}.energy.ann"), ("total", f"{at}.energy.snn")):
        if not doc.get(path):
            continue
        known = doc.get(f"{path}.terms")
        cells = [doc.value(f"{path}.terms.{t}", joules) if t in known else "" for t in terms]
        rows.append([name, *cells, doc.value(f"{path}.total", joules)])
    note = ""
    if any(layer["extension"] for layer in energy["layers"]):
        note = '<p class="soft">* no formula is published for this kind of layer; one of this project is used.</p>'
    body = table(["layer", *map(escape, terms), "total"], rows, len(terms) + 1, True)
    return f"<h3>Energy by layer and term</h3>{body}{note}"


def _fit(doc: Document, at: str) -> str:
    fit = doc.get(f"{at}.fit")
    rows = []
    for j, layer in enumerate(fit["layers"]):
        path = f"{at}.fit.layers.{j}.part"
        cells = (
            [doc.value(f"{path}.{key}", count) for key, _ in FIT_COLUMNS] if layer["part"] else ["–"] * len(FIT_COLUMNS)
        )
        rows.append([escape(layer["name"]), *cells])
    head = ["layer", *(title for _, title in FIT_COLUMNS)]
    lines = "".join(f"<li>{escape(line)}</li>" for line in fit["advice"])
    verdict = "fits one chip" if fit["fits"] else "does not fit as it is"
    return (
        f"<h3>Fit on Loihi 2</h3><p>{doc.value(f'{at}.fit.cores', count)} cores, "
        f"{doc.value(f'{at}.fit.chip.cores', count)} on a chip: {verdict}. Limits are public, most rules are "
        f"inferred from compiler logs; nothing was run on silicon.</p>"
        f"{table(head, rows, len(FIT_COLUMNS))}<ul>{lines}</ul>"
    )


def _constants(doc: Document) -> str:
    path = "networks.0.energy.snn"
    rows = [
        [
            doc.text(f"{path}.constants.{i}.name"),
            doc.value(f"{path}.constants.{i}.value", _constant),
            doc.text(f"{path}.constants.{i}.unit"),
            doc.text(f"{path}.constants.{i}.source"),
        ]
        for i in range(len(doc.get(f"{path}.constants")))
        if isinstance(doc.get(f"{path}.constants.{i}.value"), int | float)
    ]
    notes = "".join(f"<li>{escape(note)}</li>" for note in doc.get(f"{path}.notes"))
    head = "<h2>Where the energy figures come from</h2>"
    return f"{head}{table(['constant', 'value', 'unit', 'source'], rows, 0)}<ul>{notes}</ul>"


def _constant(value: float) -> str:
    return significant(value) if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.4g}"


def _reproduce(doc: Document) -> str:
    run = doc.results["run"]
    versions = ", ".join(f"{escape(k)} {escape(v)}" for k, v in run["versions"].items() if v)
    source = run["dataset"].get("source", "")
    digests = "".join(
        f"<li>{doc.text(f'networks.{i}.name')}: <code>{doc.text(f'networks.{i}.digest')[:16]}</code></li>"
        for i in _records(doc)
    )
    return (
        f"<h2>How to get these numbers again</h2><pre>{escape(run['command'])}</pre>"
        f"<p>{escape(source)}</p><p class='soft'>{versions}</p><p class='soft'>Digests of the networks:</p>"
        f"<ul class='soft'>{digests}</ul>"
    )
