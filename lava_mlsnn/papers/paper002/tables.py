"""Tables 2 to 8, 10 and 15 to 17 of [VicenteSola2022]: accuracies of variants of one network."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from ..findings import Findings, Relation, Spread, all_hold, as_accurate, better
from ..lab import Outcome
from ..request import Request
from . import trained
from .variants import BOOST, SHORT, TABLES, WIDE, Row

BOOSTING = {
    6: (100, {(16, False): (639_760, 0.6871), (16, True): (697_360, 0.646)}
        | {(32, False): (2_399_776, 0.7446), (32, True): (2_514_976, 0.7321)}),
    7: (10, {(16, False): (634_000, 0.9197), (16, True): (639_760, 0.92)}
        | {(32, False): (2_388_256, 0.9266), (32, True): (2_399_776, 0.9377)}),
}  # fmt: skip
"""Classes, and (filters, boosting) -> (parameters, accuracy) as printed in Tables 6 and 7."""

BOOST_EPOCHS = {16: 200, 32: 70}
"""Of Tables 6 and 7, by filters."""

VOTING = {"plain": {}, "boosting": BOOST, "boosting, matched": {**BOOST, "boost_matched": True}}


def compare(request: Request, number: int) -> Findings:
    """A table of variants."""
    table = TABLES[number]
    found = {row.name: _accuracy(request, row) for row in table.rows}
    classes = request.dataset().num_classes
    orders = table.orders or (tuple(found),)
    relations = [_order(table.claim, {name: found[name] for name in order}, classes) for order in orders]
    for a, b in table.equal:
        relations.append(as_accurate(f"{a} and {b} are as accurate ({table.title})", (a, b), found[a], found[b]))
    paper = {row.name: row.paper for row in table.rows if row.paper == row.paper}
    notes = (STRICT,) if number == 2 else ()
    return trained.findings(request, table.title, table.data, found, paper, relations, notes=notes)


STRICT = (
    "The authors' neurons fire above Vth only. A residual spike of weight Vth that meets an empty membrane ends at Vth "
    'exactly and is not passed on, so S2M is not the identity that section 3.2.1 promises; "fires at Vth" is the same '
    "network with >=, as Eq 4 prints it."
)


def _accuracy(request: Request, row: Row) -> Spread:
    own = {"steps": 1 if "neuron" in row.options else trained.steps(request, row.share)}  # the ANN has no time
    chosen = {**trained.options(request, {**row.options, **row.quick}, {**row.options, **row.full}), **own}
    networks = trained.trained(request, chosen, epochs=row.epochs)
    if row.stop is None:
        return trained.spread(networks)
    return Spread.of(_stopped(request, network, trained.steps(request, row.stop)) for network in networks)


def boosting(request: Request, number: int) -> Findings:
    """Tables 6 and 7: parameters, exactly, and what votes do to accuracy, also with a matched start and step."""
    classes, printed = BOOSTING[number]
    relations = []
    for (width, boost), (count, _) in printed.items():
        here = parameters(classes, width, boost)
        claim = f"{width} filters{', boosting' if boost else ''}, {classes} classes: {count:,} parameters"
        relations.append(Relation(claim, here == count, f"{here:,} here"))
    found, paper = {}, {}
    for width in BOOST_EPOCHS:
        quick = trained.QUICK_WIDER if width == 32 else {}
        for name, options in VOTING.items():
            if width == 16 and "matched" in name:
                continue  # the claim is about 32 filters
            chosen = trained.options(request, {**options, **quick}, {**options, "width": width})
            key = f"{name}, {chosen['width']} filters"
            found[key] = trained.spread(trained.trained(request, chosen, epochs=BOOST_EPOCHS[width]))
            if "matched" not in name:
                paper[key] = printed[width, name == "boosting"][1]
    plain, *voting = (key for key in found if key.endswith(f", {chosen['width']} filters"))
    verb = "raises" if classes == 10 else "lowers"
    here = request.dataset().num_classes
    for key in voting:
        first, second = (key, plain) if classes == 10 else (plain, key)
        claim = f"{key}: {verb} the accuracy with {classes} classes (section 4, Table {number})"
        relation = better(claim, (first, second), found[first], found[second])
        if here != classes:
            relation = Relation(claim, None, f"{relation.numbers}; {here} classes here")
        relations.append(relation)
    note = (
        "The mean of ten voters starts with logits about six times smaller than one neuron per class, and moves them "
        'ten times more slowly at the same learning rate; "matched" starts and steps as one neuron per class does, so '
        "that the votes alone differ."
    )
    return trained.findings(
        request, f"Table {number}: boosting", f"CIFAR-{classes}", found, paper, relations, notes=(note,)
    )


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


EARLY = {
    "CIFAR-10": (0.941, 0.9396, 0.9361, 0.9193, 0.9128, 0.6386, 0.9045),
    "CIFAR-100": (0.734, 0.7314, 0.7175, 0.6578, 0.677, 0.1515, 0.6228),
}
"""Table 16 as printed: 50, 40, 30, 20 of 50 steps, 20 of 20, 10 of 50, 10 of 20."""


def table16(request: Request) -> Findings:
    """Fewer timesteps than in training."""
    chosen = trained.options(request, {}, {**WIDE, **BOOST})
    long, short = trained.steps(request), trained.steps(request, SHORT)
    networks = {n: trained.trained(request, {**chosen, "steps": n}) for n in (long, short)}
    pairs = [(trained.steps(request, share), long) for share in (1.0, 0.8, 0.6, SHORT)]
    pairs += [(short, short), (trained.steps(request, 0.2), long), (trained.steps(request, 0.2), short)]
    data = "CIFAR-100" if request.dataset().num_classes == 100 else "CIFAR-10"
    paper = dict(zip((f"{n} of {of}" for n, of in pairs), EARLY[data], strict=False)) if long == 50 else {}
    found = {f"{n} of {of}": Spread.of(_stopped(request, net, n) for net in networks[of]) for n, of in pairs}
    dropped = [found[f"{n} of {of}"] for n, of in pairs if of == long]
    holds = all(a.mean >= b.mean for a, b in pairwise(dropped))
    least = trained.steps(request, 0.2)
    claims = {
        f"{short} steps: trained with as many is better than stopped early (section 5.2; CIFAR-100 only)": (
            f"{short} of {short}",
            f"{short} of {long}",
        ),
        f"{least} steps: trained with {short} degrades less than trained with {long} (section 5.2)": (
            f"{least} of {short}",
            f"{least} of {long}",
        ),
    }
    relations = [
        Relation("accuracy falls with every timestep that is dropped (Table 16)", holds, _numbers(found)),
        *(better(claim, (a, b), found[a], found[b]) for claim, (a, b) in claims.items() if a != b),
    ]
    return trained.findings(request, "Table 16: early stop", data, found, paper, relations)


def _stopped(request: Request, network: Outcome, steps: int) -> float:
    """Accuracy after so many of the steps that a network was trained with."""
    from ... import train

    dataset = trained.images(request, int(network.job.options["steps"]))
    labels = train.predict(network.net(), dataset, steps=steps).argmax(1)
    return float((labels == dataset.test_labels).mean())


def _order(claim: str, found: Mapping[str, Spread], classes: int) -> Relation:
    """Whether accuracies fall from row to row: not if two neighbors rise, undecided if two are too close.

    A network that has learned nothing, at less than twice of chance, is no evidence for an order either.
    """
    relation = all_hold(claim, [better(claim, (a, b), found[a], found[b]) for a, b in pairwise(found)])
    untrained = [name for name, spread in found.items() if spread.mean < 2 / classes]
    if untrained:
        return Relation(claim, None, f"{relation.numbers}; these epochs do not train {', '.join(untrained)}")
    return relation


def _numbers(found: Mapping[str, Spread]) -> str:
    return ", ".join(f"{name} {spread.percent()}" for name, spread in found.items())
