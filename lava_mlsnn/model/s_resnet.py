"""S-ResNet: deep residual networks of leaky neurons for images of CIFAR's size ([VicenteSola2022], section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
        boost_matched: with ``boost``, whether logits start and move as those of one neuron per class. The mean of ten
            starts about six times smaller and moves ten times more slowly per step, so a comparison at the same
            learning rate compares two learning rates.
        norm: "bntt", "tdbn" (over all timesteps together), "bn" or "none".
        norm_bias: whether BNTT has a bias; the parameters that the paper counts are without.
        leak: share of a potential that remains after a step, 0 .. 1.
        plif: "layer" or "shared" trains the leak, one per layer or one for all.
        threshold: Vth.
        strict: whether H = Vth does not fire, as in the authors' code. S2M is the identity that section 3.2.1 promises
            with False only, as Eq 4 prints it: a residual spike of weight Vth into an empty membrane makes H = Vth.
        surrogate: "triangle", "arctangent", "rectangle" or "sigmoid" (:mod:`lava_mlsnn.neuron.bumps`).
        alpha: the surrogate's scale; None is that of its paper, 0.3 for "triangle". The reset passes no gradient, so
            time multiplies gradients by the sum of the leak's powers: 7.9 at T = 50, for which 0.3 was chosen, and 1.9
            at T = 2. Few steps want a larger scale: 1 at T = 2 and 4.
        stem: "cifar", "dvs64" (stride 2) or "dvs128" (5x5, stride 2, max-pool, which exports with "s2s" and "s2m", as
            the stem of "v2v" sends currents); default by the rows of the image.
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
        boost_matched: bool = False,
        norm: str = "bntt",
        norm_bias: bool = False,
        leak: float = LEAK,
        plif: str = "none",
        threshold: float = 1.0,
        strict: bool = True,
        surrogate: str = "triangle",
        alpha: float | None = None,
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
            trained = shared or Leak(leak, trainable=plif == "layer")
            return SoftLIF(trained, threshold, surrogate, alpha, strict)

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
        if boost_matched and not boost:
            raise ValueError("boost_matched: expected False without boost")
        self.append_head(channels, bias=False, votes=VOTES if boost else 1, matched=boost_matched)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(module.weight, gain=2.0)
        if boost_matched:
            bound = 2.0 * math.sqrt(6 / (channels + setting.num_classes))
            for weight in self.get_submodule("readout").parameters():
                nn.init.uniform_(weight, -bound, bound)

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


def fine_tuned(
    net: Network,
    state: Mapping[str, Tensor],
    *,
    readout: str = "readout",
    labels: Sequence[Any] = (),
    known: Sequence[Any] = (),
) -> dict[str, list[str]]:
    """Initialize ``net`` with the weights of a network trained on other data ([VicenteSola2022], Tables 11 and 12).

    Copies all parameters and statistics of equal name and shape. A first convolution for another number of input
    channels gets the mean over the old ones, scaled so that equal channels give the same current as before. Of a
    readout, the classes that both networks know by name are copied; without names, all of them, if there are as many.

    Args:
        net: the new network, changed in place.
        state: ``state_dict()`` of the trained one.
        readout: part whose weights may be of another shape, beside the stem.
        labels, known: names of the classes of the new network and of the trained one.

    Returns:
        ``{"copied": [...], "adapted": [...], "kept": [...]}``: names of what is as it was, changed to fit, and not
        taken.

    Raises:
        ValueError: something else than readout and stem does not fit: another architecture.

    Example:
        >>> from lava_mlsnn import model
        >>> options = dict(in_shape=(1, 8, 8), width=2, blocks=(1, 1), levels=1, steps=2)
        >>> old, new = (model.create("s_resnet20", num_classes=n, **options) for n in (20, 10))
        >>> fine_tuned(new, old.state_dict())["kept"]
        ['readout.connections.0.synapse.weight']
        >>> fine_tuned(new, old.state_dict(), labels=range(10), known=range(20))["adapted"]
        ['readout.connections.0.synapse.weight']
    """
    own = net.state_dict()
    found: dict[str, Tensor | None] = {}
    for name, mine in own.items():
        theirs, part = state.get(name), name.split(".")[0]
        if theirs is not None and part == readout and labels and known:
            found[name] = _by_class(mine, theirs, labels, known)
        elif theirs is not None and theirs.shape != mine.shape:
            found[name] = _by_channel(mine, theirs) if part == "stem" else None
        else:
            found[name] = theirs
    kept = [name for name, tensor in found.items() if tensor is None]
    strange = [name for name in {*kept, *(state.keys() - own.keys())} if name.split(".")[0] not in (readout, "stem")]
    if strange:
        raise ValueError(
            f"weights of another architecture: {', '.join(sorted(strange)[:3])} do not fit; "
            f"expected a network that differs in its input channels and classes only"
        )
    taken = {name: tensor for name, tensor in found.items() if tensor is not None}
    adapted = [name for name, tensor in taken.items() if tensor is not state[name]]
    with torch.no_grad():
        for name, tensor in taken.items():
            own[name].copy_(tensor)
    return {"copied": [name for name in taken if name not in adapted], "adapted": adapted, "kept": kept}


def _by_channel(mine: Tensor, theirs: Tensor) -> Tensor | None:
    """A convolution's weights for another number of input channels; None if they differ in more."""
    if mine.ndim != 4 or mine.shape[0] != theirs.shape[0] or mine.shape[2:] != theirs.shape[2:]:
        return None
    return theirs.sum(1, keepdim=True).expand(mine.shape) / mine.shape[1]


def _by_class(mine: Tensor, theirs: Tensor, labels: Sequence[Any], known: Sequence[Any]) -> Tensor | None:
    """Rows of ``theirs`` for the classes with a name in common, else those of ``mine``; None if there are none."""
    if list(labels) == list(known) and mine.shape == theirs.shape:
        return theirs
    votes = len(mine) // len(labels)
    places = [(i, list(known).index(label)) for i, label in enumerate(labels) if label in known]
    if not places or mine.shape[1:] != theirs.shape[1:] or len(theirs) != votes * len(known):
        return None
    rows = mine.detach().clone().unflatten(0, (-1, votes))
    new, old = zip(*places, strict=True)
    rows[list(new)] = theirs.unflatten(0, (-1, votes))[list(old)]
    return rows.flatten(0, 1)
