"""Hypothesis strategies of small random networks of torch blocks, with weights and norms as training leaves them."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from lava_mlsnn import block
from lava_mlsnn.block.norm import make_norm
from lava_mlsnn.model.s_residual import RESIDUALS, Parts
from lava_mlsnn.neuron import ATIF, Barrier, Leak, MultiLevel, SoftLIF
from lava_mlsnn.neuron.bumps import BUMPS

torch.set_num_threads(1)


class RandomNet(nn.Module):
    """Input, body blocks of one of several kinds, optional pool, readout. Everything is drawn from ``draw``."""

    def __init__(self, draw: Any) -> None:
        super().__init__()
        self.levels = draw(st.sampled_from((4, 1, 3, 10)))
        self.steps = draw(st.integers(1, 4))
        self.trainable = draw(st.booleans())
        self.start = draw(st.sampled_from((0.0, 0.5, 0.3)))
        self.kind = draw(st.sampled_from(("multilevel", "multilevel", "uniform", "nonuniform")))
        shape = (draw(st.integers(1, 3)), draw(st.integers(5, 7)), draw(st.integers(5, 7)))
        scale, bits = draw(st.sampled_from(((1 / 255, 8), (1 / 16, 5), (1.0, 1))))
        self.input = block.Input(shape, scale, bits, self.steps)
        channels = draw(st.integers(2, 5))
        self.stem = block.Conv(shape[0], channels, 3, 1, 1, neuron=self.neuron())
        forms = draw(st.lists(st.sampled_from(("plain", "sew", "sparse", "spiking", "grouped")), max_size=3))
        self.body = nn.ModuleList()
        for form in forms:
            out, stride = draw(st.sampled_from(((channels, 1), (channels + 1, 2), (channels, 1))))
            out = channels if form == "grouped" else out
            self.body.append(Residual(self, form, channels, out, stride))
            channels = out
        self.pool = None
        sent = block.plan(nn.Sequential(self.input, self.stem, *self.body))[-1].output
        if min(sent.shape[1:]) > 1:
            mode = draw(st.sampled_from((None, "sum", "average", *["max", "max"] * (sent.bound == 1))))
            sizes = draw(st.sampled_from(((2, None, 0), (3, 2, 1), (2, 1, (1, 0)))))
            self.pool = None if mode is None else block.Pool(sizes[0], sizes[1], mode, sizes[2])
        if self.pool is not None:
            self.after = block.Conv(channels, channels, 1, neuron=self.neuron())
        self.whole = draw(st.sampled_from((None, block.Pool(None, mode="average"))))
        self.flatten = block.Flatten()
        self.dense = block.Dense(self.features(), 6, neuron=self.neuron(), norm=draw(st.booleans()))
        self.readout = block.Readout(6, 4)
        self.short = draw(st.booleans())  # without the dense layer, so that a pool meets the readout
        if self.short:
            self.readout = block.Readout(self.dense.synapse.in_features, 4)
            del self.dense

    def neuron(self) -> MultiLevel | ATIF:
        if self.kind != "multilevel":
            schedule = "printed" if self.steps == 4 and self.trainable else "extended"
            return ATIF(self.kind, self.steps, self.levels, schedule, start=self.start)
        return MultiLevel(self.levels, trainable=self.trainable, start=self.start)

    def maps(self, x: Tensor) -> Tensor:
        x = self.stem(self.input(x))
        for part in self.body:
            x = part(x)
        if self.pool is not None:
            x = self.after(self.pool(x))
        return x if self.whole is None else self.whole(x)

    def features(self) -> int:
        with torch.no_grad():
            return self.eval().maps(torch.zeros(1, *self.input.shape, 1)).numel()

    def forward(self, x: Tensor) -> Tensor:
        x = self.flatten(self.maps(x))
        return self.readout(x if self.short else self.dense(x))


class Residual(nn.Module):
    """One residual block of the named form, or a plain or grouped convolution."""

    def __init__(self, net: RandomNet, form: str, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.form = form
        if form == "grouped":
            self.widen = block.Conv(channels, out, 3, stride, 1, neuron=net.neuron(), groups=channels)
            return
        self.conv1 = block.Conv(channels, out, 3, stride, 1, neuron=net.neuron())
        if form == "spiking":
            same = channels == out and stride == 1
            shortcut = block.identity() if same else block.conv(channels, out, 1, stride)
            self.merge = block.Block([block.conv(out, out, 3, 1, 1), shortcut], net.neuron())
        elif form != "plain":
            self.shortcut = (
                None if (channels, stride) == (out, 1) else block.Conv(channels, out, 1, stride, neuron=net.neuron())
            )
            self.conv2 = block.Conv(out, out, (3, 1), 1, (1, 0), neuron=net.neuron())
            self.add = block.Add(Barrier(net.levels) if form == "sparse" else None)

    def forward(self, x: Tensor) -> Tensor:
        if self.form == "grouped":
            return self.widen(x)
        y = self.conv1(x)
        if self.form == "spiking":
            return self.merge(y, x)
        if self.form == "plain":
            return y
        return self.add(self.conv2(y), x if self.shortcut is None else self.shortcut(x))


def randomise(net: nn.Module, seed: int) -> None:
    """Weights, norms and thresholds far from their initial values, so that neurons fire at several levels."""
    random = torch.Generator().manual_seed(seed)

    def uniform(like: Tensor, low: float, high: float) -> Tensor:
        return torch.rand(like.shape, generator=random) * (high - low) + low

    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.copy_(uniform(module.running_mean, -0.3, 0.3))
                module.running_var.copy_(uniform(module.running_var, 0.02, 0.5))
                module.weight.copy_(uniform(module.weight, -0.3, 1.0))
                module.bias.copy_(uniform(module.bias, -0.2, 0.6))
            elif isinstance(module, nn.Conv2d | nn.Linear):
                spread = 2.0 / module.weight[0].numel() ** 0.5
                module.weight.copy_(uniform(module.weight, -spread, spread) * uniform(module.weight, 0, 1))
            elif isinstance(module, ATIF):
                module.free.add_(uniform(module.free, -0.7, 0.7))
            elif isinstance(module, MultiLevel) and module.vth is not None:
                module.vth.copy_(uniform(module.vth, 0.5, 1.5))


@st.composite
def nets(draw: Any) -> RandomNet:
    """A random network in evaluation mode."""
    net = RandomNet(draw)
    randomise(net, draw(st.integers(0, 2**16)))
    return net.eval()


@st.composite
def cases(draw: Any) -> tuple[RandomNet, Tensor]:
    """A network and integer images for it: (N, C, H, W), or (N, C, H, W, T)."""
    net = draw(nets())
    source = net.input.netx
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    shape = (draw(st.integers(1, 3)), *source.shape)
    if draw(st.booleans()):
        shape = (*shape, net.steps)
    return net, torch.randint(0, source.bound + 1, shape, generator=random)


class LeakyNet(nn.Module):
    """A small S-ResNet: stem, two residual blocks of one of the three forms, one with a stride, readout with votes."""

    def __init__(self, draw: Any) -> None:
        super().__init__()
        self.steps = draw(st.integers(1, 4))
        shape = (draw(st.integers(1, 2)), draw(st.integers(4, 6)), draw(st.integers(4, 6)))
        scale, bits = draw(st.sampled_from(((1 / 255, 8), (1 / 16, 5), (1.0, 1))))
        threshold, leak = draw(st.sampled_from((1.0, 0.5, 1.3))), draw(st.sampled_from((0.874, 0.0, 1.0, 0.6)))
        kind, bias = draw(st.sampled_from(("bntt", "bntt", "tdbn", "bn", "none"))), draw(st.booleans())
        surrogate = draw(st.sampled_from(sorted(BUMPS)))
        shared = Leak(leak, trainable=True) if 0 < leak < 1 and draw(st.booleans()) else None
        parts = Parts(
            lambda: SoftLIF(shared or leak, threshold, surrogate),
            lambda channels: make_norm(kind, channels, self.steps, bias, threshold),
            threshold,
            draw(st.sampled_from((4, 2, 6))),
            draw(st.sampled_from((8, 5, 10))),
        )
        form = RESIDUALS[draw(st.sampled_from(("s2s", "s2m", "v2v")))]
        width = draw(st.integers(1, 4))
        self.input = block.Input(shape, scale, bits, self.steps)
        self.stem = form.stem(parts, shape[0], width, 3, 1)
        blocks = [form(parts, width, width, 1, False), form(parts, width, width + 1, 2, True)]
        self.body = form.body(parts, blocks)
        self.pool = block.Pool(None, mode="average")
        self.flatten = block.Flatten()
        self.readout = block.Readout(width + 1, 3, bias=draw(st.booleans()), votes=draw(st.sampled_from((1, 4))))

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.flatten(self.pool(self.body(self.stem(self.input(x))))))


@st.composite
def leaky_cases(draw: Any) -> tuple[LeakyNet, Tensor]:
    """A network with norms per timestep or over all of them, and integer images for it."""
    net, seed = LeakyNet(draw), draw(st.integers(0, 2**16))
    randomise(net, seed)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, block.BNTT):
                module.weight.copy_(torch.rand(module.weight.shape, generator=random) * 1.6 - 0.2)
                module.running_mean.copy_(torch.rand(module.weight.shape, generator=random) * 0.6 - 0.3)
                module.running_var.copy_(torch.rand(module.weight.shape, generator=random) * 0.5 + 0.02)
                if module.bias is not None:
                    module.bias.copy_(torch.rand(module.weight.shape, generator=random) - 0.2)
    source = net.input.netx
    shape = (draw(st.integers(1, 2)), *source.shape, *((net.steps,) if draw(st.booleans()) else ()))
    return net.eval(), torch.randint(0, source.bound + 1, shape, generator=random)
