"""Tables 2 to 10 and 15 to 17 of [VicenteSola2022]: accuracies of variants of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from ...model.s_resnet import SResNet
from .. import draw as drawing
from ..findings import Findings, Relation, Spread, all_hold, better
from ..lab import Outcome
from ..request import Request
from . import trained

WIDE = {"width": 32}


@dataclass(frozen=True)
class Row:
    """A variant: what the paper found, and the options that make it, in quick and in full runs."""

    name: str
    paper: float
    options: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    full: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows, best first as the paper orders them."""

    title: str
    data: str
    rows: tuple[Row, ...]
    claim: str


TABLES: dict[int, Table] = {
    2: Table(
        "Table 2: residual connections",
        "CIFAR-10",
        (
            Row("S2S", 0.9401, {"residual": "s2s"}, full=WIDE),
            Row("V2V", 0.9383, {"residual": "v2v"}, full=WIDE),
            Row("S2M", 0.8927, {"residual": "s2m"}, full=WIDE),
        ),
        "S2S is the most accurate, then V2V, then S2M (section 4)",
    ),
    3: Table(
        "Table 3: depth",
        "CIFAR-10",
        (
            Row("S-ResNet38", 0.9197, quick={"blocks": (2, 2, 2)}, full={"blocks": (6, 6, 6)}),
            Row("S-ResNet20", 0.9089, quick={"blocks": (1, 1, 1)}, full={"blocks": (3, 3, 3)}),
        ),
        "the deeper network is the more accurate one (20 and 38 layers; here one and two blocks per stage)",
    ),
    4: Table(
        "Table 4: encoding",
        "CIFAR-100",
        (Row("raw image", 0.6903, {"encoding": "direct"}), Row("Poisson spikes", 0.6496, {"encoding": "poisson"})),
        "the raw image gives more than Poisson spikes (section 4)",
    ),
    5: Table(
        "Table 5: batch norm",
        "CIFAR-100",
        (Row("BNTT", 0.7454, {"norm": "bntt"}, full=WIDE), Row("BN over time", 0.7082, {"norm": "bn"}, full=WIDE)),
        "one norm per timestep gives more than one for all (section 4)",
    ),
    8: Table(
        "Table 8: leak per layer",
        "CIFAR-100",
        (Row("LIF", 0.6871, {"plif": "none"}), Row("PLIF", 0.6493, {"plif": "layer"})),
        "a leak that is searched gives more than leaks that are trained per layer (section 4)",
    ),
    10: Table(
        "Table 10: one trained leak",
        "CIFAR-100",
        (
            Row("LIF", 0.7321, {"plif": "none", "boost": True}, full=WIDE),
            Row("one PLIF leak", 0.7244, {"plif": "shared", "boost": True}, full=WIDE),
        ),
        "a leak that is searched gives more than one that is trained for all layers (section 4)",
    ),
    15: Table(
        "Table 15: the ANN",
        "CIFAR-10",
        (Row("ResNet (ANN)", 0.9233, {"neuron": "relu"}), Row("S-ResNet", 0.9197)),
        "the ANN is the more accurate one (section 5.1)",
    ),
    17: Table(
        "Table 17: leak for fewer timesteps",
        "CIFAR-10",
        (
            Row("trained leak", 0.928, {"plif": "shared"}, full={"steps": 20}),
            Row("leak 0.874", 0.9128, {"plif": "none"}, full={"steps": 20}),
        ),
        "with few timesteps a trained leak gives more than the one searched for 50 (section 5.2)",
    ),
}
"""By number."""

BOOSTING = {
    6: (100, {(16, False): (639_760, 0.6871), (16, True): (697_360, 0.646)}
        | {(32, False): (2_399_776, 0.7446), (32, True): (2_514_976, 0.7321)}),
    7: (10, {(16, False): (634_000, 0.9197), (16, True): (639_760, 0.92)}
        | {(32, False): (2_388_256, 0.9266), (32, True): (2_399_776, 0.9377)}),
}  # fmt: skip
"""Classes, and (filters, boosting) -> (parameters, accuracy) as printed in Tables 6 and 7."""


def compare(request: Request, number: int) -> Findings:
    """A table of variants."""
    table = TABLES[number]
    found: dict[str, Spread] = {}
    for row in table.rows:
        chosen = trained.options(request, {**row.options, **row.quick}, {**row.options, **row.full})
        found[row.name] = trained.spread(trained.trained(request, chosen))
    relation = _order(table, found, request.dataset().num_classes)
    return trained.findings(request, table.title, table.data, found, {r.name: r.paper for r in table.rows}, [relation])


def boosting(request: Request, number: int) -> Findings:
    """Tables 6 and 7: parameters, exactly, and what votes do to accuracy."""
    classes, printed = BOOSTING[number]
    relations = []
    for (width, boost), (count, _) in printed.items():
        here = parameters(classes, width, boost)
        claim = f"{width} filters{', boosting' if boost else ''}, {classes} classes: {count:,} parameters"
        relations.append(Relation(claim, here == count, f"{here:,} here"))
    found, paper = {}, {}
    for boost in (False, True):
        name = "boosting" if boost else "plain"
        chosen = trained.options(request, {"boost": boost}, {"boost": boost})
        found[name] = trained.spread(trained.trained(request, chosen))
        paper[name] = printed[16, boost][1]
    first, second = ("boosting", "plain") if classes == 10 else ("plain", "boosting")
    claim = f"boosting {'raises' if classes == 10 else 'lowers'} the accuracy with {classes} classes (section 4)"
    relation = better(claim, (first, second), found[first], found[second])
    here = request.dataset().num_classes
    if here != classes:
        relation = Relation(claim, None, f"{relation.numbers}; {here} classes here")
    relations.append(relation)
    return trained.findings(request, f"Table {number}: boosting", f"CIFAR-{classes}", found, paper, relations)


def parameters(classes: int, width: int, boost: bool) -> int:
    """Of S-ResNet38 with T = 50.

    Example:
        >>> parameters(10, 16, False)
        634000
    """
    import torch

    from ... import model

    with torch.device("meta"):
        net = model.create("s_resnet38", num_classes=classes, width=width, boost=boost, levels=1, steps=50)
    return sum(p.numel() for p in net.parameters())


def table9(request: Request) -> Findings:
    """The leak that all layers share, trained."""
    chosen = trained.options(request, {"plif": "shared"}, {"plif": "shared"})
    nets = (trainee.net() for trainee in trained.trained(request, chosen))
    values = Spread.of(next(iter(net.leaks.values())) for net in nets if isinstance(net, SResNet))
    rows = pd.DataFrame(
        [{"leak": "searched", "paper": 0.889}, {"leak": "trained", "paper": 0.986, "here": values.mean}]
    )
    claim = "the trained leak is larger than the one that starts, 0.874 (Table 9: 0.986)"
    relation = Relation(claim, values.mean > 0.874, f"{values.number()}")
    return Findings(
        f"Table 9: leak factor, on {request.dataset().name}",
        rows,
        lambda figure: drawing.bars(figure.subplots(), ["trained leak"], {request.data: [values]}),
        {"Leak": pd.DataFrame([{"leak": "trained", "here": values.number(), "paper": 0.986}])},
        (relation,),
        (trained.note(request),),
    )


def table16(request: Request) -> Findings:
    """Fewer timesteps than in training."""
    steps = 4 if request.quick else 50
    networks = trained.trained(request, trained.options(request, {"steps": steps}, {"steps": steps, "boost": True}))
    counts = (4, 3, 2, 1) if request.quick else (50, 40, 30, 20, 10)
    printed = dict(zip((50, 40, 30, 20, 10), (0.941, 0.9396, 0.9361, 0.9193, 0.6386), strict=True))
    found = {f"{n} of {steps}": Spread.of(_stopped(request, network, n) for network in networks) for n in counts}
    paper = {name: printed[n] for name, n in zip(found, counts, strict=True)} if not request.quick else {}
    means = [s.mean for s in found.values()]
    holds = all(a >= b for a, b in pairwise(means))
    relation = Relation("accuracy falls with every timestep that is dropped (Table 16)", holds, _numbers(found))
    return trained.findings(request, "Table 16: early stop", "CIFAR-10", found, paper, [relation])


def _stopped(request: Request, network: Outcome, steps: int) -> float:
    import torch

    dataset = request.dataset()
    net = network.net()
    right = 0
    with torch.inference_mode():
        for start in range(0, len(dataset.test_labels), 250):
            images = torch.from_numpy(dataset.test_images[start : start + 250].copy())
            logits = net(images[..., None].expand(*images.shape, steps))
            right += int((logits.argmax(1).numpy() == dataset.test_labels[start : start + 250]).sum())
    return right / len(dataset.test_labels)


def _order(table: Table, found: Mapping[str, Spread], classes: int) -> Relation:
    """Whether accuracies fall from row to row: not if two neighbors rise, undecided if two are too close.

    A network that has learned nothing, at less than twice of chance, is no evidence for an order either.
    """
    relation = all_hold(table.claim, [better(table.claim, (a, b), found[a], found[b]) for a, b in pairwise(found)])
    untrained = [name for name, spread in found.items() if spread.mean < 2 / classes]
    if untrained:
        numbers = f"{relation.numbers}; these epochs do not train {', '.join(untrained)}"
        return Relation(table.claim, None, numbers)
    return relation


def _numbers(found: Mapping[str, Spread]) -> str:
    return ", ".join(f"{name} {spread.percent()}" for name, spread in found.items())
