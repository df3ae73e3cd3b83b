"""Tables 11 to 14 of [VicenteSola2022]: weights from other data, events, and what others reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..findings import Findings, Spread, all_hold, better
from ..request import Request
from ..standins import moving, shrunk
from . import trained

if TYPE_CHECKING:
    from ...data import Dataset
    from ..lab import Outcome

SOURCES = {"digits": "mnist5k", "fashion-dvs": "fashion-mnist"}
"""Where stand-ins get their first weights: from other images of the same classes; the others from the digits."""

PAPER_SOURCE = "cifar100"

WIDER = {**trained.WIDER, "boost": True}
QUICK_WIDER = {**trained.QUICK_WIDER, "boost": True}

FINE_TUNED = {
    11: ("Table 11: fine-tuning, events", "CIFAR10-DVS", (0.633, 0.704, 0.655, 0.698)),
    12: ("Table 12: fine-tuning, images", "CIFAR-10", (0.9197, 0.9244, 0.9377, 0.9359)),
}
"""Title, data, and as printed: plain and pre-trained, wider plain and pre-trained."""

PLAIN, BOOSTED = "S-ResNet", "wider + boosting"

EPOCHS = {(11, PLAIN): (70, 70), (11, BOOSTED): (70, 70), (12, PLAIN): (200, 100), (12, BOOSTED): (70, 70)}
"""From scratch, and fine-tuned, as printed."""

SOURCE_EPOCHS = {PLAIN: 200, BOOSTED: 70}
"""On CIFAR-100 (Table 6)."""

MILESTONES = {11: (0.5, 0.7, 0.9)}
"""Where they are not those of section 3.5."""
LOSES = (12, BOOSTED)
"""The one pair of which the paper says that first weights from other data make it worse."""

RESOLUTIONS = {32: ("cifar", 0.718), 64: ("dvs64", 0.7298), 128: ("dvs128", 0.7251)}
"""Table 13: rows, stem and accuracy as printed."""

OTHERS = (
    ("Kim S-VGG9", "CIFAR-10", 0.9005),
    ("Lee Residual SNN (11)", "CIFAR-10", 0.9095),
    ("Zheng S-ResNet'19", "CIFAR-10", 0.9315),
    ("Fang CifarNet", "CIFAR-10", 0.935),
    ("Wu VGG-11", "CIFAR-10", 0.9124),
    ("Sengupta VGG-16", "CIFAR-10", 0.9155),
    ("Stockl ResNet-50", "CIFAR-10", 0.9242),
    ("Deng ResNet-20", "CIFAR-10", 0.9358),
    ("Han VGG16", "CIFAR-10", 0.9363),
    ("Kim S-VGG9", "CIFAR-100", 0.666),
    ("Han VGG16", "CIFAR-100", 0.7097),
    ("Deng VGG-16", "CIFAR-100", 0.7234),
    ("Kim S-VGG9", "CIFAR10-DVS", 0.632),
    ("Zheng S-ResNet'19", "CIFAR10-DVS", 0.678),
    ("Fang Wide-7B-Net", "CIFAR10-DVS", 0.744),
    ("Fang CifarDVSNet", "CIFAR10-DVS", 0.748),
)
"""Table 14: networks of others, as printed."""

OWN = {"cifar10": ("CIFAR-10", 0.9414), "cifar100": ("CIFAR-100", 0.7465), "cifar10dvs": ("CIFAR10-DVS", 0.7298)}
"""Table 14: S-ResNet38 as printed."""


def fine_tuning(request: Request, number: int) -> Findings:
    """Table 11 on events, Table 12 on images."""
    title, data, printed = FINE_TUNED[number]
    found: dict[str, Spread] = {}
    relations = []
    taken: dict[str, None] = {}
    for name, quick, full in ((PLAIN, {}, {}), (BOOSTED, QUICK_WIDER, WIDER)):
        chosen = trained.options(request, quick, full)
        target = _events(request, int(chosen["steps"])) if number == 11 else trained.images(request)
        source = _source(request, target)
        scratch, tuned = EPOCHS[number, name]
        at = MILESTONES.get(number)
        starts = trained.trained(request, chosen, source, epochs=SOURCE_EPOCHS[name])
        own, other = name, f"{name}, from {source.name}"
        found[own] = trained.spread(trained.trained(request, chosen, target, epochs=scratch, at=at))
        share = tuned / scratch * trained.FULL_EPOCHS if request.quick else tuned
        found[other] = trained.spread(trained.trained(request, chosen, target, starts, round(share), at))
        taken[_taken(chosen, target, source, starts[0])] = None
        more, less = (own, other) if (number, name) == LOSES else (other, own)
        claim = f"{more} is more accurate than {less} (section 4, Table {number})"
        relations.append(better(claim, (more, less), found[more], found[less]))
    paper = dict(zip(found, printed, strict=True))
    note = f"First weights: {source.source} Norms' statistics are taken over. {' '.join(taken)}"
    return trained.findings(request, title, data, found, paper, relations, target.name, (note,))


def _taken(chosen: Mapping[str, Any], target: Dataset, source: Dataset, start: Outcome) -> str:
    """Which of the two parts that may not fit are taken over."""
    from ... import train
    from ...model.s_resnet import fine_tuned

    net = train.create("s_resnet38", target, **chosen)
    names = fine_tuned(net, start.net().state_dict(), labels=target.labels, known=source.labels)
    how = {"copied": "is copied", "adapted": "is adapted to other channels or classes", "kept": "starts anew"}
    said = {name.split(".")[0]: how[key] for key, found in names.items() for name in found}
    return f"The first convolution {said['stem']}, the readout {said['readout']}."


def _source(request: Request, target: Dataset) -> Dataset:
    """Other images, no larger than the target's; of the same classes, if there are any at hand."""
    from ... import data

    name = SOURCES.get(data.registry.Spec.parse(request.data).name, "digits") if request.quick else PAPER_SOURCE
    source = data.load(name)
    return shrunk(source, min(target.shape[1:])) if request.quick else source


def _events(request: Request, steps: int, rows: int | None = None) -> Dataset:
    """Recordings at so many rows, or else a stand-in that is larger by as much as these are than 32."""
    from ... import data

    if data.has_frames(request.data):
        return (request if rows is None else request.but(data=f"{request.data},size={rows}")).dataset(steps)
    if not request.quick:
        raise ValueError(
            f"the paper's setting needs recordings of events: expected cifar10dvs:PATH, got {request.data!r}"
        )
    return moving(trained.images(request), steps, 1 if rows is None else rows // 32)


def table13(request: Request) -> Findings:
    """Resolutions of events, each with its stem."""
    found: dict[str, Spread] = {}
    paper: dict[str, float] = {}
    for rows, (stem, printed) in RESOLUTIONS.items():
        chosen = trained.options(request, {"stem": stem}, {"stem": stem, "width": 32})
        target = _events(request, int(chosen["steps"]), rows)
        name = f"{target.shape[1]} x {target.shape[2]}, stem {stem}"
        found[name] = trained.spread(trained.trained(request, chosen, target))
        paper[name] = printed
    low, middle, high = found
    claim = "the middle resolution gives the most (Table 13)"
    steps = [better(claim, (middle, other), found[middle], found[other]) for other in (low, high)]
    here = target.name.partition("-x")[0]
    note = "Trained from scratch; the paper starts from CIFAR-100. Stand-ins hold the same events at each resolution."
    relations = [all_hold(claim, steps)]
    return trained.findings(
        request, "Table 13: resolution of events", "CIFAR10-DVS", found, paper, relations, here, (note,)
    )


def table14(request: Request) -> Findings:
    """What others reached, as printed, and the wider network with boosting here."""
    chosen = trained.options(request, QUICK_WIDER, WIDER)
    ours = trained.spread(trained.trained(request, chosen))
    name = trained.images(request, int(chosen["steps"])).name.partition("-")[0]
    data, printed = OWN.get(name, (None, None))
    network = f"S-ResNet, {BOOSTED}"
    paper = {} if printed is None else {network: printed}
    result = trained.findings(request, "Table 14: beside others", data or "no such data", {network: ours}, paper, [])
    rows = [
        {"network": who, "data": where, "printed": f"{value:.2%}"}
        for who, where, value in (*OTHERS, *(("S-ResNet38", *own) for own in OWN.values()))
        if data in (None, where)
    ]
    note = "Accuracies of others are as the paper prints them; none of their networks is trained here."
    return replace(result, tables={**result.tables, "As printed": pd.DataFrame(rows)}, notes=(*result.notes, note))
