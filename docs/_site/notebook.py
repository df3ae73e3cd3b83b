"""A notebook with its stored outputs as Markdown; nothing is run."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def title(path: Path) -> str:
    """The first heading of a notebook."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        found = re.search(r"^# (.+)$", _text(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and found:
            return found[1]
    return path.stem


def markdown(path: Path) -> tuple[str, dict[str, bytes]]:
    """The page, and its pictures by name."""
    pictures: dict[str, bytes] = {}
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(_formulas(_text(cell["source"])).strip())
        elif cell["cell_type"] == "code" and _text(cell["source"]).strip():
            parts.append(f"```python\n{_text(cell['source'])}\n```")
            parts += [_output(output, path.stem, pictures) for output in cell["outputs"]]
    return "\n\n".join(filter(None, parts)) + "\n", pictures


def _formulas(text: str) -> str:
    text = re.sub(r"\$\$(.+?)\$\$", r"\n\n```math\n\1\n```\n\n", text, flags=re.DOTALL)
    return re.sub(r"(?<![\w$`])\$(?![\s`])([^$\n]+?)(?<!\s)\$(?![\w`])", r"$`\1`$", text)


def _output(output: dict[str, Any], stem: str, pictures: dict[str, bytes]) -> str:
    if output["output_type"] == "stream":
        return _block(_text(output["text"]))
    if output["output_type"] == "error":
        return _block("\n".join(output["traceback"]))
    data = output["data"]
    if "image/png" in data:
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(_text(data["image/png"]))
        said = _text(data.get("text/plain", "figure")).splitlines()[0]
        return f"![{html.escape(said.strip('<>'))}]({name})"
    if "image/svg+xml" in data or "text/html" in data:
        raw = _text(data.get("image/svg+xml") or data["text/html"])
        return f'<div class="output">{re.sub(chr(10) + r" *(?=" + chr(10) + ")", "", raw)}</div>'
    return _block(_text(data["text/plain"])) if "text/plain" in data else ""


def _block(text: str) -> str:
    text = ANSI.sub("", text).rstrip()
    return f'<pre class="output">{html.escape(text).replace(chr(10), "&#10;")}</pre>' if text else ""


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
