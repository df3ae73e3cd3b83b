"""What the file of a trained network says of it; read without torch, so that another file is told of at once."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any, cast

from safetensors import SafetensorError, safe_open

from ..helpers.doors import door
from ..helpers.reading import opened

FORMAT = "lava-mlsnn model"
VERSION = 1


def read_header(path: str | PathLike[str]) -> dict[str, Any]:
    """``format``, ``version``, ``config``, ``quantized`` and ``notes`` of a file of :func:`lava_mlsnn.model.save`.

    Lists of ``config`` are tuples.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another file.
    """
    with door(path):
        path = fspath(path)
        try:
            with opened(path) as found:
                if found.read(9)[8:] != b"{":  # before a large file of nothing is mapped
                    raise ValueError(f"{path}: expected a safetensors file written by model.save, found another")
            with safe_open(path, "np") as file:
                metadata = (file.metadata() or {}).get("lava_mlsnn")
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: no such file") from None
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{path}: expected a safetensors file written by model.save ({error})") from None
        try:
            content = json.loads(metadata or "")
        except json.JSONDecodeError:
            raise ValueError(
                f"{path}: a safetensors file without a model configuration: expected one of model.save"
            ) from None
        missing = [key for key in ("format", "version", "config", "quantized", "notes") if key not in content]
        if missing or content["format"] != FORMAT:
            raise ValueError(f"{path}: expected format {FORMAT!r}, got {content.get('format')!r}, missing {missing}")
        if content["version"] > VERSION:
            raise ValueError(
                f"{path}: version {content['version']}, this library reads up to {VERSION}: expected a newer library"
            )
        content["config"] = {k: tuple(v) if isinstance(v, list) else v for k, v in dict(content["config"]).items()}
        return cast(dict[str, Any], content)
