"""Building blocks of a page: every number is looked up in the results by its path and carries that path with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ..helpers.units import NONE
from .picture import COLOURS

Format = Callable[[float], str]


class Document:
    """The results, and HTML made of their values.

    Args:
        results: JSON-ready, see :func:`lava_mlsnn.report.results`.

    Example:
        >>> from lava_mlsnn.helpers.units import joules
        >>> Document({"networks": [{"energy": 1.5e-6}]}).value("networks.0.energy", joules)
        '<data value="1.5e-06" data-path="networks.0.energy">1.50 µJ</data>'
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.results = results

    def get(self, path: str) -> Any:
        """The value at a path of keys and indices joined by dots; KeyError if there is none."""
        value: Any = self.results
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    def value(self, path: str, form: Format) -> str:
        """A number for people, with the exact one and its path for machines."""
        value = self.get(path)
        if value is None:
            return NONE
        return f'<data value="{value!r}" data-path="{escape(path)}">{escape(form(value))}</data>'

    def text(self, path: str) -> str:
        """A string of the results, escaped."""
        return escape(str(self.get(path)))


def table(head: list[str], rows: list[list[str]], numbers: int, last_is_total: bool = False) -> str:
    """A table whose last ``numbers`` columns hold numbers; cells are HTML."""
    first = len(head) - numbers

    def cells(tag: str, row: list[str]) -> str:
        kinds = [' class="n"' if i >= first else "" for i in range(len(row))]
        return "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, row, strict=True))

    body = [f"<tr>{cells('td', row)}</tr>" for row in rows]
    if last_is_total and rows:
        body[-1] = body[-1].replace("<tr>", '<tr class="total">', 1)
    content = f"<thead><tr>{cells('th', head)}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f'<div class="wide"><table>{content}</table></div>'


def legend(names: list[str]) -> str:
    """Colours and what they stand for; names are HTML."""
    items = (
        f'<span><i class="key" style="background:{COLOURS[i % len(COLOURS)]}"></i>{name}</span>'
        for i, name in enumerate(names)
    )
    return f'<div class="legend">{"".join(items)}</div>'


def bar(share: float, colour: int, label: str) -> str:
    """A bar, ``share`` (0 .. 1) of the width left for bars, and its label."""
    style = f"width:{72 * share:.3f}%;background:{COLOURS[colour % len(COLOURS)]}"
    return f'<div class="bar"><i style="{style}"></i><span class="value">{label}</span></div>'


def stack(shares: list[float], label: str) -> str:
    """A bar of several parts, one colour each, and its label."""
    parts = "".join(
        f'<i style="width:{100 * part / max(sum(shares), 1e-300):.3f}%;background:{COLOURS[i % len(COLOURS)]}"></i>'
        for i, part in enumerate(shares)
    )
    width = f"width:{72 * sum(shares):.3f}%"
    return f'<div class="bar"><div class="stack" style="{width}">{parts}</div><span class="value">{label}</span></div>'


def chart(rows: list[tuple[str, list[str]]]) -> str:
    """Rows of a label and bars; all are HTML."""
    body = (f'<div class="label">{label}</div><div class="bars">{"".join(bars)}</div>' for label, bars in rows)
    return f'<div class="chart">{"".join(body)}</div>'
