"""Names of the architectures and of their options, known without torch, so that a wrong one is found at once."""

from __future__ import annotations

from collections.abc import Iterable

from ..helpers.check import choice

SETTING = (
    *("in_shape", "num_classes", "levels", "steps", "neuron"),
    *("barrier_grad", "input_scale", "input_bits"),
)
"""Options of all: fields of :class:`~lava_mlsnn.model.setting.Setting`."""

_RESNET = ("width", "blocks", "stem")
_MOBILENET = ("width", "blocks", "expansion", "stem")
_S_RESNET = (
    *("residual", "width", "blocks", "encoding", "boost", "boost_matched", "norm", "norm_bias"),
    *("leak", "plif", "threshold", "strict", "surrogate", "alpha", "stem", "fraction", "bits"),
)

OPTIONS: dict[str, tuple[str, ...]] = {
    "mlp": ("hidden",),
    "cnn": ("width", "depth"),
    "vgg16": ("width", "blocks", "hidden", "downsample"),
    **{f"{form}_resnet{depth}": _RESNET for depth in (18, 34) for form in ("spiking", "sew", "ms", "sparse")},
    "mobilenet_v2": _MOBILENET,
    "sparse_mobilenet_v2": _MOBILENET,
    **{f"s_resnet{depth}": _S_RESNET for depth in (20, 38, 44)},
    "window_cnn12": ("width", "stages", "groups", "dilated", "fusion", "theta", "region", "mixing"),
    "window_lstm12": ("width", "stages", "cell", "groups", "dilated", "fusion", "theta", "region"),
}
"""Name of an architecture -> its own options."""

CONVERTED = "converted"
"""Name of what :func:`lava_mlsnn.model.convert` makes, in files; its own option lists its parts."""


def names() -> list[str]:
    """Names that :func:`lava_mlsnn.model.create` knows.

    >>> names()[:3]
    ['mlp', 'cnn', 'vgg16']
    """
    return list(OPTIONS)


def check(name: str, options: Iterable[str] = ()) -> None:
    """ValueError for the name of no architecture, or an option that it does not have.

    >>> check("cnn", ["width", "color"])
    Traceback (most recent call last):
    ValueError: option of cnn: expected one of in_shape, ..., width, depth, got 'color'
    """
    own = ("parts",) if name == CONVERTED else OPTIONS[choice(name, "model", OPTIONS)]
    for option in options:
        choice(option, f"option of {name}", (*SETTING, *own))
