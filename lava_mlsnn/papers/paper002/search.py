"""What [VicenteSola2022] searches, on held-out training images: the leak (Table 9) and the surrogate's scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ...model.s_resnet import SResNet
from .. import draw as drawing
from ..findings import Findings, Relation, Spread
from ..request import Request
from . import trained

LEAKS = (0.5, 0.7, 0.8, 0.874, 0.95, 0.99)
"""Searched for Table 9."""

ALPHAS = (0.3, 0.5, 1.0, 2.0)
"""Scales of the surrogate that :func:`alphas` compares."""

HELD_OUT = 0.2


def _searched(request: Request, variants: Mapping[Any, Mapping[str, Any]]) -> dict[Any, Spread]:
    """Accuracy of variants on held-out training images."""
    part = trained.images(request).validation(HELD_OUT)
    found = {}
    for key, options in variants.items():
        chosen = {**trained.options(request, {}, trained.WIDER), **options}
        found[key] = trained.spread(trained.trained(request, chosen, part))
    return found


def table9(request: Request) -> Findings:
    """The leak that all layers share: trained, and searched on held-out images."""
    chosen = trained.options(request, {"plif": "shared"}, {"plif": "shared"})
    nets = (trainee.net() for trainee in trained.trained(request, chosen))
    values = Spread.of(next(iter(net.leaks.values())) for net in nets if isinstance(net, SResNet))
    found = _searched(request, {leak: {"leak": leak} for leak in LEAKS})
    best = Spread.of(max(LEAKS, key=lambda leak: found[leak].values[i]) for i in range(len(request.seeds)))
    rows = pd.DataFrame(
        [
            {"leak": "searched", "paper": 0.889, "here": best.mean},
            {"leak": "trained", "paper": 0.986, "here": values.mean},
            *({"leak": f"{leak}", "held-out accuracy": spread.mean} for leak, spread in found.items()),
        ]
    )
    table = pd.DataFrame(
        [
            {"leak": "searched", "here": best.number(), "paper": "0.889 (± 0.003)"},
            {"leak": "trained", "here": values.number(), "paper": "0.986"},
        ]
    )
    search = pd.DataFrame([{f"{leak:g}": spread.percent() for leak, spread in found.items()}])
    relation = Relation(
        "the trained leak is larger than the searched one (Table 9)",
        values.mean > best.mean,
        f"trained {values.number()} from 0.874, searched {best.number()}",
    )
    note = f"The search is over {len(LEAKS)} values on {HELD_OUT:.0%} of the training images; the paper's is BOHB."
    return Findings(
        f"Table 9: leak factor, on {trained.images(request).name}",
        rows,
        lambda figure: drawing.bars(figure.subplots(), ["searched", "trained"], {request.data: [best, values]}),
        {"Leak": table, "Accuracy on held-out training images, by leak": search},
        (relation,),
        (trained.note(request), note),
    )


def alphas(request: Request) -> Findings:
    """Scales of the surrogate for each residual connection, on held-out training images."""
    variants = {(form, a): {"residual": form, "alpha": a} for form in ("s2s", "v2v", "s2m") for a in ALPHAS}
    found = _searched(request, variants)
    best = {form: max(ALPHAS, key=lambda a: found[form, a].mean) for form, _ in variants}
    cells = {form: {f"{a:g}": found[form, a].percent() for a in ALPHAS} for form in best}
    rows = [
        {"residual": form, "alpha": a, "seed": seed, "held-out accuracy": value}
        for (form, a), spread in found.items()
        for seed, value in zip(request.seeds, spread.values, strict=True)
    ]
    steps = trained.steps(request)
    return Findings(
        f"Scale of the surrogate at T = {steps}, on {trained.images(request).name}",
        pd.DataFrame(rows),
        lambda figure: drawing.bars(
            figure.subplots(), [f"{a:g}" for a in ALPHAS], {form: [found[form, a] for a in ALPHAS] for form in best}
        ),
        {"Accuracy on held-out training images, by alpha": pd.DataFrame([{"": k, **v} for k, v in cells.items()])},
        (),
        (
            trained.note(request),
            "No image of the test part is seen. Best: " + ", ".join(f"{form} {a:g}" for form, a in best.items()) + ".",
        ),
    )
