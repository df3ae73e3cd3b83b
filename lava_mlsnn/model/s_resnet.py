"""S-ResNet: deep residual networks of leaky neurons for images of CIFAR's size ([VicenteSola2022], section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..block import Pool
from ..block.norm import Norm, make_norm
from ..neuron import Leak, SoftLIF
from ..neuron.leaky import LEAK
from .poisson import Poisson
from .s_residual import RESIDUALS, Parts
from .setting import Network, Setting

BLOCKS = {20: (3, 3, 3), 38: (6, 6, 6), 44: (7, 7, 7)}
"""Residual blocks per stage: 1 + 6 n convolutions in n blocks per stage."""

STEMS = {"cifar": (3, 1), "dvs64": (3, 2), "dvs128": (5, 2)}
"""Kernel and stride of the first convolution, for images of 32, 64 and 128 rows ([VicenteSola2022], Table 13)."""

VOTES = 10


class SResNet(Network):
    """S-ResNet20, 38 and 44: stem, three stages of residual blocks, average over the map, voltage readout.

    Every convolution has a norm per timestep (BNTT) and leaky neurons with soft reset; every second one ends a residual
    block. The readout has no leak, no spike and no bias; its voltage after T steps, over T, is the logit. Weights start
    by Xavier's uniform rule with gain 2.

    Args:
        residual: "s2s" adds spikes to spikes, "s2m" puts spikes into the membrane with the weight Vth, "v2v" adds
            what entered the membrane a block earlier (section 3.2.1). Where the map shrinks, the path has a 1x1
            convolution with a norm of its own.
        width: filters of the first stage; they double twice. 16, or 32 for the wider network.
        blocks: residual blocks per stage.
        encoding: "direct" presents the image at each step, "poisson" spikes drawn with its pixels as probabilities.
        boost: whether ten neurons vote for each class.
        norm: "bntt", "tdbn" (over all timesteps together), "bn" or "none".
        norm_bias: whether BNTT has a bias; the parameters that the paper counts are without.
        leak: share of a potential that remains after a step, 0 .. 1.
        plif: "layer" or "shared" trains the leak, one per layer or one for all.
        threshold: Vth.
        surrogate: "triangle", "arctangent", "rectangle" or "sigmoid" (:mod:`lava_mlsnn.neuron.bumps`).
        stem: "cifar", "dvs64" (stride 2) or "dvs128" (5x5, stride 2, max-pool: trains, but does not export); default by
            the rows of the image.
        fraction, bits: fractional bits, and bits in all, of messages of the integer network that are not spikes.

    Example:
        >>> from lava_mlsnn import model
        >>> net = model.create("s_resnet20", in_shape=(1, 8, 8), width=4, levels=1, steps=4, input_scale=1 / 16)
        >>> net(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
        >>> paper = model.create("s_resnet38", in_shape=(3, 32, 32), steps=50, levels=1)
        >>> sum(p.numel() for p in paper.parameters())              # Table 7
        634000
    """

    def __init__(
        self,
        setting: Setting,
        residual: str = "s2s",
        width: int = 16,
        blocks: Sequence[int] = BLOCKS[38],
        encoding: str = "direct",
        boost: bool = False,
        norm: str = "bntt",
        norm_bias: bool = False,
        leak: float = LEAK,
        plif: str = "none",
        threshold: float = 1.0,
        surrogate: str = "triangle",
        stem: str | None = None,
        fraction: int = 4,
        bits: int = 8,
    ) -> None:
        super().__init__(setting)
        if encoding == "poisson":
            self.input = Poisson(setting.in_shape, setting.input_scale, setting.input_bits, setting.steps)
        shared = Leak(leak, trainable=True) if plif == "shared" else None

        def neuron() -> nn.Module:
            if setting.is_twin:
                return nn.ReLU()
            return SoftLIF(shared or Leak(leak, trainable=plif == "layer"), threshold, surrogate)

        def normed(channels: int) -> Norm | None:
            kind = "bn" if setting.is_twin else norm
            return make_norm(kind, channels, setting.steps, norm_bias, threshold)

        parts = Parts(neuron, normed, threshold, fraction, bits)
        stem = stem or _stem_for(setting.in_shape[1])
        kernel, stride = STEMS[stem]
        first = RESIDUALS[residual]
        self.append("stem", first.stem(parts, setting.in_shape[0], width, kernel, stride))
        if stem == "dvs128":
            self.append("maxpool", Pool(2, mode="max"))
        stages, channels = [], width
        for i, count in enumerate(blocks):
            for j in range(count):
                out = width * 2**i
                stages.append(first(parts, channels, out, 2 if i and j == 0 else 1, i > 0))
                channels = out
        self.append("body", first.body(parts, stages))
        self.append_head(channels, bias=False, votes=VOTES if boost else 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(module.weight, gain=2.0)

    @property
    def leaks(self) -> dict[str, float]:
        """The leak factor of every layer of neurons, by the layer's name; a shared one appears once per layer."""
        found = {}
        for name, module in self.named_modules():
            if isinstance(module, SoftLIF):
                found[name.removesuffix(".neuron")] = module.leak.value
        return found


def _stem_for(rows: int) -> str:
    return "cifar" if rows < 64 else "dvs64" if rows < 128 else "dvs128"


def fine_tuned(net: Network, state: dict[str, Tensor], *, readout: str = "readout") -> dict[str, Any]:
    """Initialize ``net`` with the weights of a network trained on other data ([VicenteSola2022], Tables 11 and 12).

    Copies all parameters and statistics of equal name and shape; a readout for another number of classes, and a first
    convolution for another number of input channels, keep their initial weights.

    Args:
        net: the new network, changed in place.
        state: ``state_dict()`` of the trained one.
        readout: part whose weights may be of another shape, beside the stem.

    Returns:
        ``{"copied": [...], "kept": [...]}``: names.

    Raises:
        ValueError: something else than readout and stem does not fit: another architecture.

    Example:
        >>> from lava_mlsnn import model
        >>> options = dict(in_shape=(1, 8, 8), width=2, blocks=(1, 1), levels=1, steps=2)
        >>> old, new = (model.create("s_resnet20", num_classes=n, **options) for n in (20, 10))
        >>> fine_tuned(new, old.state_dict())["kept"]
        ['readout.connections.0.synapse.weight']
    """
    own = net.state_dict()
    fits = {name: t for name, t in state.items() if name in own and own[name].shape == t.shape}
    kept = [name for name in own if name not in fits]
    strange = [name for name in {*kept, *(state.keys() - own.keys())} if name.split(".")[0] not in (readout, "stem")]
    if strange:
        raise ValueError(
            f"weights of another architecture: {', '.join(sorted(strange)[:3])} do not fit; "
            f"expected a network that differs in its input channels and classes only"
        )
    with torch.no_grad():
        for name, tensor in fits.items():
            own[name].copy_(tensor)
    return {"copied": list(fits), "kept": kept}
