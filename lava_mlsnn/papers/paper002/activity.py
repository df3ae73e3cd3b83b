"""Figure 3 of [VicenteSola2022]: which share of each layer fires at each timestep, and what its norm's weights are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..findings import Findings, Relation
from ..request import Request
from . import trained

FORMS = ("s2m", "v2v", "s2s")


def fig3(request: Request) -> Findings:
    """Activity maps of the three residual connections; the first seed's networks, as integers."""
    from ... import netx, sim
    from ...block import BNTT

    maps: dict[str, NDArray[Any]] = {}
    weights: dict[str, NDArray[Any]] = {}
    rows = []
    first = request.but(seeds=request.seeds[:1])
    images = request.dataset().test_images
    for form in FORMS:
        chosen = trained.options(request, {"residual": form}, {"residual": form, "width": 32})
        net = trained.trained(first, chosen)[0].net()
        graph = netx.quantize(net)
        run = sim.run(graph, images)
        layers = [layer for layer in graph if layer.neuron.kind == "soft_lif"]
        maps[form] = np.array([run.activity.events[v.name] / v.size / run.activity.samples for v in layers])
        norms = [m for m in net.modules() if isinstance(m, BNTT)]
        weights[form] = np.array([norm.weight.detach().mean(1).numpy() for norm in norms])
        rows += [
            {"form": form, "layer": layer.name, "step": t + 1, "share that fires": float(maps[form][i, t])}
            for i, layer in enumerate(layers)
            for t in range(graph.timesteps)
        ]
    means = {form: float(m.mean()) for form, m in maps.items()}
    claim = "S2S is more active than V2V and S2M (section 4)"
    numbers = ", ".join(f"{form} {100 * value:.1f} %" for form, value in means.items())

    def draw(figure: Any) -> None:
        axes = figure.subplots(2, len(FORMS))
        for column, form in enumerate(FORMS):
            for row, (values, what) in enumerate(((100 * maps[form], "% active"), (weights[form], "weight"))):
                image = axes[row, column].imshow(values, aspect="auto", origin="lower")
                axes[row, column].set_title(f"{form}: {what}", fontsize=8)
                figure.colorbar(image, ax=axes[row, column])

    return Findings(
        f"Figure 3: activity per layer and timestep, on {request.dataset().name}",
        pd.DataFrame(rows),
        draw,
        {"Mean share of neurons that fire": pd.DataFrame([{k: f"{100 * v:.1f} %" for k, v in means.items()}])},
        (Relation(claim, means["s2s"] > max(means["v2v"], means["s2m"]), f"{numbers} (one seed)"),),
        (trained.note(request), "The non-residual VGG11 beside them is left out."),
        (9.0, 5.0),
    )
