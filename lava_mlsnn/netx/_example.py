"""The trained networks that come with the package."""

from __future__ import annotations

from ..graph.graph import NetGraph
from ..helpers import shipped
from ..helpers.check import choice
from .hdf5 import load


def examples() -> tuple[str, ...]:
    """Names that :func:`example` knows; ``mlsnn models`` lists them with accuracy, joules and cores.

    >>> "digits_sparse_resnet_t1n4" in examples()
    True
    """
    return tuple(sorted(path.stem for path in shipped.folder("netx_exports").glob("*.net")))


def example(name: str) -> NetGraph:
    """A trained network that comes with the package, for the data set that its name begins with.

    Raises:
        ValueError: unknown name; lists the known ones.

    Example:
        >>> from lava_mlsnn import netx
        >>> netx.example("digits_sparse_resnet_t1n4").input.shape
        (1, 8, 8)
        >>> netx.example("digits")
        Traceback (most recent call last):
        ValueError: example: expected one of digits_cnn_t1n4, ..., got 'digits'
    """
    choice(name, "example", examples())
    return load(shipped.folder("netx_exports") / f"{name}.net")
