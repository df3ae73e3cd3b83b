"""Architectures by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from .catalog import CONVERTED, SETTING, check, names
from .cnn import CNN
from .converted import Converted
from .mlp import MLP
from .mobilenet import MobileNet
from .residual import FORMS
from .resnet import BLOCKS, ResNet
from .s_resnet import BLOCKS as S_BLOCKS
from .s_resnet import SResNet
from .setting import Network, Setting
from .vgg import VGG
from .window_cnn import WindowCNN
from .window_rnn import WindowRNN

ARCHITECTURES: dict[str, Callable[..., Network]] = {
    "mlp": MLP,
    "cnn": CNN,
    "vgg16": VGG,
    **{
        f"{form}_resnet{depth}": partial(ResNet, form=form, blocks=blocks)
        for depth, blocks in BLOCKS.items()
        for form in FORMS
    },
    "mobilenet_v2": partial(MobileNet, form="sew"),
    "sparse_mobilenet_v2": partial(MobileNet, form="sparse"),
    **{f"s_resnet{depth}": partial(SResNet, blocks=blocks) for depth, blocks in S_BLOCKS.items()},
    "window_cnn12": WindowCNN,
    "window_lstm12": WindowRNN,
}

__all__ = ["ARCHITECTURES", "arguments", "create", "names", "twin"]


def _maker(name: str) -> Callable[..., Network]:
    return Converted if name == CONVERTED else ARCHITECTURES[name]


def arguments(name: str) -> dict[str, Any]:
    """Arguments of an architecture and their defaults, those of :class:`Setting` first.

    Raises:
        ValueError: unknown name.

    >>> arguments("cnn")["width"], arguments("cnn")["levels"]
    (32, 4)
    """
    check(name)
    own = list(inspect.signature(_maker(name)).parameters.values())[1:]
    fixed = getattr(_maker(name), "keywords", {})
    known = {f.name: f.default for f in fields(Setting)}
    return known | {p.name: fixed.get(p.name, p.default) for p in own if p.name != "form"}


def create(name: str, **options: Any) -> Network:
    """A new network.

    Args:
        name: one of :func:`names`.
        options: fields of :class:`Setting` (in_shape, num_classes, levels, steps, neuron, ...) and of the architecture
            (width, blocks, ...); :func:`arguments` lists them.

    Returns:
        A module of images (N, C, H, W) or (N, C, H, W, T) to logits (N, classes), averaged over T.

    Raises:
        ValueError: unknown name or option, or a value that is not accepted.

    Example:
        >>> import torch
        >>> net = create("sparse_resnet18", in_shape=(1, 8, 8), width=4, blocks=(1, 1), levels=4, input_scale=1 / 16)
        >>> net(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """
    options = check(name, options)
    setting = Setting(**{k: v for k, v in options.items() if k in SETTING})
    own = {k: v for k, v in options.items() if k not in SETTING}
    net = _maker(name)(setting, **own)
    net.config = {"name": name, **setting.to_dict(), **own}
    return net


def twin(net: Network) -> Network:
    """A new network of the same shapes with ReLUs in place of spiking neurons: the ANN that energy is compared with.

    >>> create("cnn", width=4).config["neuron"], twin(create("cnn", width=4)).config["neuron"]
    ('multilevel', 'relu')
    """
    return create(**{**net.config, "neuron": "relu"})
