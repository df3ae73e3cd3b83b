"""A trained network on disk: weights as safetensors, all that is needed to rebuild it as JSON beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from os import PathLike, fspath
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from ..block import quantization_of, quantized
from ..helpers.check import positive_ints
from ..helpers.doors import door, reason
from ..helpers.files import atomic_write
from ..helpers.version import __version__
from .header import FORMAT, VERSION, read_header
from .registry import create
from .setting import Network

LARGEST = 2**22
"""Most values of an input, unless :func:`load` is told otherwise: four images of 1024 x 1024."""


def save(net: Network, path: str | PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
    """Write a network that :func:`create` made, with its mode (float or quantized).

    Args:
        path: usually ``*.safetensors``.
        notes: JSON-ready facts to keep, such as class labels or accuracies; :attr:`Network.notes` after loading.

    Raises:
        ValueError: a network that :func:`create` did not make.
        OSError: the file cannot be written; names it.
    """
    if not isinstance(net, Network) or not net.config:
        raise ValueError(f"save: expected a network made by model.create, got {type(net).__name__}")
    mode = quantization_of(net)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "library": __version__,
        "config": net.config,
        "quantized": None if mode is None else {"weight_bits": mode.weight_bits, "per_channel": mode.per_channel},
        "notes": dict(net.notes if notes is None else notes),
    }
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in net.state_dict().items()}
    atomic_write(path, to_bytes(tensors, metadata={"lava_mlsnn": json.dumps(content)}))


def load(path: str | PathLike[str], *, largest: int = LARGEST) -> Network:
    """Rebuild a network that :func:`save` wrote, in evaluation mode. Nothing in the file is executed.

    Args:
        path: the file.
        largest: most values of an input: a small file can declare an input of any size, and a network is tried on it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a file of :func:`save`, or one whose weights do not fit its configuration.
    """
    with door(path):
        content, tensors = _read(fspath(path))
        config = content["config"]
        size = prod(positive_ints(config.get("in_shape", 1), "in_shape"))
        if size > largest:
            raise ValueError(
                f"in_shape {config['in_shape']}: {size:,} values: expected at most {largest:,}; "
                "model.load(..., largest=N), on the command line --largest N, raises the limit"
            )
        try:
            with _NoLargerThan(tensors, largest):
                net = create(**config)
            net.load_state_dict(tensors)
        except (TypeError, RuntimeError) as error:
            raise ValueError(f"{path}: weights do not fit the model {config.get('name')!r}: {reason(error)}") from None
        if content["quantized"] is not None:
            quantized(net, **content["quantized"])
        net.notes = content["notes"]
        return net.eval()


class _NoLargerThan(TorchFunctionMode):
    """While a network is made inside: RuntimeError for more or larger parameters than a file has tensors.

    A few bytes can ask for a network of a hundred thousand blocks, or of gigabytes. Tensors that are no parameters may
    have ``largest`` values.
    """

    def __init__(self, tensors: Mapping[str, Tensor], largest: int) -> None:
        super().__init__()
        self.most = sum(tensor.numel() for tensor in tensors.values())
        self.count, self.size, self.tensors, self.largest = 0, 0, len(tensors), max(self.most, largest)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _MAKERS and func(*args, **{**kwargs, "device": "meta"}).numel() > self.largest:
            self.refuse()
        return func(*args, **kwargs)

    def look(self, module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None:
            self.count, self.size = self.count + 1, self.size + parameter.numel()
            if self.count > self.tensors or self.size > self.most:
                self.refuse()

    def refuse(self) -> None:
        raise RuntimeError(f"it asks for more than the file's {self.tensors} tensors of {self.most:,} numbers")

    def __enter__(self) -> Any:
        self.hook = register_module_parameter_registration_hook(self.look)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        self.hook.remove()
        super().__exit__(*error)


_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange, torch.linspace}


def _read(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    content = read_header(path)
    try:
        with safe_open(path, "pt") as file:
            return content, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: expected a safetensors file written by model.save ({error})") from None
