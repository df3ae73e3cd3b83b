"""Names of architectures, their options and what these accept; without torch, so that wrong ones are found at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..helpers.check import choice, finite, flag, integer, positive_ints

_Rule = Callable[[Any, str], Any]

OF_DATA = ("in_shape", "num_classes", "input_scale", "input_bits")
"""Options that a data set decides."""

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
    "window_lstm12": ("width", "stages", "cell", "groups", "dilated", "fusion", "theta", "region", "messages"),
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


def known(name: str) -> tuple[str, ...]:
    """All options of an architecture."""
    own = ("parts",) if name == CONVERTED else OPTIONS[choice(name, "model", OPTIONS)]
    return (*SETTING, *own)


def _is_neuron(value: Any, what: str) -> Any:
    if value not in NEURONS and not isinstance(value, Mapping):
        raise ValueError(f"{what}: expected {', '.join(NEURONS)} or a mapping of arguments, got {value!r}")
    return value


def _one_of(*known: str) -> _Rule:
    return partial(choice, known=known)


def _or_none(rule: _Rule) -> _Rule:
    return lambda value, what: None if value is None else rule(value, what)


NEURONS = ("multilevel", "atif", "relu")
STAGES = 7
"""Most stages of a MobileNetV2."""

_count = partial(integer, low=1)
_above_0 = partial(finite, positive=True)
RULES: dict[str, _Rule] = {
    "in_shape": partial(positive_ints, length=3),
    **dict.fromkeys(("num_classes", "levels", "steps", "width", "depth", "expansion"), _count),
    **dict.fromkeys(("blocks", "hidden"), positive_ints),
    **dict.fromkeys(("boost", "norm_bias", "dilated"), flag),
    "neuron": _is_neuron,
    "barrier_grad": _one_of("attached", "detached", "sigmoids", "ste", "clip", "eq9"),
    "input_scale": _above_0,
    "downsample": _one_of("stride", "sumpool", "maxpool"),
    "stem": _or_none(_one_of("cifar", "dvs")),
    "residual": _one_of("s2s", "s2m", "v2v"),
    "encoding": _one_of("direct", "poisson"),
    "norm": _one_of("bntt", "tdbn", "bn", "none"),
    "leak": partial(finite, low=0, high=1),
    "plif": _one_of("none", "layer", "shared"),
    "threshold": _above_0,
    "surrogate": _one_of("triangle", "arctangent", "rectangle", "sigmoid"),
    "fraction": partial(integer, low=0, high=14),
    "bits": partial(integer, low=2, high=24),
    "fusion": _one_of("omega", "group", "none", "sum", "relu", "sigmoid", "tanh"),
    "theta": finite,
    "mixing": _one_of("patch", "channel"),
    "cell": _one_of("lstm", "gru", "rnn", "birnn", "mlp"),
    "messages": _or_none(partial(integer, low=1, high=32767)),
}
"""Option -> what accepts its value, or raises; those that are left out are checked where they are used."""

_S_STEM = _or_none(_one_of("cifar", "dvs64", "dvs128"))


def check(name: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options of a network as its architecture takes them: counts as ints, several as tuples.

    Without options, only the name is checked.

    Raises:
        ValueError: the name of no architecture, an option that it does not have, or a value that is not accepted.

    Example:
        >>> check("cnn", {"width": 8.0})
        {'width': 8}
        >>> check("cnn", {"color": 1})
        Traceback (most recent call last):
        ValueError: option of cnn: expected one of in_shape, ..., width, depth, got 'color'
    """
    accepted, found = known(name), {}
    binary = name.startswith("s_resnet")
    for option, value in (options or {}).items():
        choice(option, f"option of {name}", accepted)
        rule = _S_STEM if binary and option == "stem" else RULES.get(option)
        found[option] = value if rule is None else rule(value, option)
    if name.endswith("mobilenet_v2") and not 1 <= len(found.get("blocks", "1")) <= STAGES:
        raise ValueError(f"blocks: expected 1 to {STAGES} stages, got {len(found['blocks'])}")
    if found.get("messages") is not None and (cell := found.get("cell", "lstm")) in ("lstm", "gru"):
        raise ValueError(
            f"messages of a {cell} mixer: expected none, as its gates multiply states, or the cell mlp, rnn or birnn, "
            f"got {found['messages']}"
        )
    if binary and options is not None and (neuron := found.get("neuron", "multilevel")) != "relu":
        if (levels := found.get("levels", 4)) != 1:
            raise ValueError(f"levels: expected 1, as the neurons of an S-ResNet are binary, got {levels}")
        if neuron != "multilevel":
            raise ValueError(f"neuron: expected none, as S-ResNet has its own, or 'relu', got {neuron!r}")
    if name.startswith("window") and found.get("steps", 1) != 1:
        raise ValueError(f"steps: expected 1, got {found['steps']}: in a window network groups replace timesteps")
    return found


def check_own(options: Iterable[str], dataset: str) -> None:
    """ValueError for an option that a data set decides."""
    for key in options:
        if key in OF_DATA:
            raise ValueError(f"option {key!r} is decided by the dataset {dataset!r}: expected it to be left out")
