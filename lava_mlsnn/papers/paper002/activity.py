"""Figure 3 of [VicenteSola2022]: which share of each layer is active at each timestep, and its norm's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..findings import Findings, Relation
from ..request import Request
from . import trained

if TYPE_CHECKING:
    from ...data import Dataset
    from ...model import Network

FORMS = ("s2m", "v2v", "s2s")


def fig3(request: Request) -> Findings:
    """Activity maps of the three residual connections; the first seed's networks, counted after each sum."""
    maps: dict[str, NDArray[Any]] = {}
    gammas: dict[str, NDArray[Any]] = {}
    rows = []
    first = request.but(seeds=request.seeds[:1])
    for form in FORMS:
        chosen = trained.options(request, {"residual": form}, {"residual": form, **trained.WIDER})
        net = trained.trained(first, chosen)[0].net()
        names, maps[form], gammas[form] = activity(net, trained.images(request, int(chosen["steps"])))
        rows += [
            {
                "form": form,
                "layer": name,
                "step": t + 1,
                "share active": float(maps[form][i, t]),
                "gamma": float(gammas[form][i, t]),
            }
            for i, name in enumerate(names)
            for t in range(maps[form].shape[1])
        ]
    means = {form: float(m.mean()) for form, m in maps.items()}
    claim = "S2S is more active than V2V and S2M (section 4)"
    numbers = ", ".join(f"{form} {100 * value:.1f} %" for form, value in means.items())

    def draw(figure: Any) -> None:
        axes = figure.subplots(2, len(FORMS), sharex=True, sharey=True)
        for column, form in enumerate(FORMS):
            for row, (values, what) in enumerate(((100 * maps[form], "% active"), (gammas[form], "gamma"))):
                image = axes[row, column].imshow(values, aspect="auto", origin="lower", extent=_extent(values))
                axes[row, column].set_title(f"{form}: {what}", fontsize=8)
                axes[row, column].set(xlabel="timestep", ylabel="convolutional layer")
                figure.colorbar(image, ax=axes[row, column])

    note = (
        "A residual connection's layers are counted after the sum, where the next layer reads them: an entry is active "
        "if it is not zero. Layers are the 3x3 convolutions; gamma is the mean over channels of the weight of the norm "
        "behind the same convolution. The non-residual VGG11 beside them is left out."
    )
    return Findings(
        f"Figure 3: activity per layer and timestep, on {trained.images(request).name}",
        pd.DataFrame(rows),
        draw,
        {"Mean share of entries that are active": pd.DataFrame([{k: f"{100 * v:.1f} %" for k, v in means.items()}])},
        (Relation(claim, means["s2s"] > max(means["v2v"], means["s2m"]), f"{numbers} (one seed)"),),
        (trained.note(request), note),
        (9.0, 5.0),
    )


def _extent(values: NDArray[Any]) -> tuple[float, float, float, float]:
    """Cells around whole numbers from 1 on."""
    layers, steps = values.shape
    return 0.5, steps + 0.5, 0.5, layers + 0.5


def activity(net: Network, dataset: Dataset) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Of every 3x3 convolution's layer: its name, the share of its outputs that are not zero, and its mean gamma.

    The output of a block's second layer is that of the block: after the sum.

    **Shape:** names (L), shares (L, T), gammas (L, T).
    """
    from torch import nn

    from ... import train
    from ...block import BNTT

    body: Any = net.get_submodule("body")
    stem: Any = net.get_submodule("stem")
    blocks: Any = body.blocks if hasattr(body, "blocks") else body
    outputs = {"stem": body.fire if hasattr(body, "fire") else stem}
    norms = {"stem": stem}
    for i, block in enumerate(blocks):
        outputs |= {f"block {i + 1}, first": block.conv1, f"block {i + 1}, second": block}
        norms |= {f"block {i + 1}, first": block.conv1, f"block {i + 1}, second": block.conv2}
    active: dict[str, NDArray[Any]] = {}

    def count(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            sent = output[0] if isinstance(output, tuple) else output
            share = (sent != 0).double().mean(tuple(range(1, sent.ndim - 1))).sum(0).numpy()
            active[name] = active.get(name, 0) + share / len(dataset.test_labels)

        return hook

    hooks = [module.register_forward_hook(count(name)) for name, module in outputs.items()]
    try:
        train.predict(net, dataset)
    finally:
        for hook in hooks:
            hook.remove()
    steps = next(iter(active.values())).size
    gammas = []
    for module in norms.values():
        (norm,) = (m for m in module.modules() if isinstance(m, BNTT))
        gammas.append(norm.weight.detach().mean(1).numpy()[:steps])
    return list(outputs), np.stack([active[name] for name in outputs]), np.stack(gammas)
