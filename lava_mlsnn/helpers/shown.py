"""How objects show themselves: one line as ``repr``, a table when printed, and a table of HTML in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Grid:
    """A table: a title, columns, rows of texts and numbers, and lines below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """In columns of equal width; numbers stand at the right.

        Example:
            >>> print(Grid("two rows", ("name", "count"), (("a", 1200), ("long", None))).text())
            two rows
            name  count
            a     1,200
            long
        """
        cells = [tuple(self.columns), *(tuple(map(_text, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        right = [self._is_number(i) for i in range(len(self.columns))]
        lines = [
            "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([self.title, *lines, *self.notes])

    def html(self) -> str:
        """The same as HTML."""
        aligned = [f"text-align:{'right' if self._is_number(i) else 'left'}" for i in range(len(self.columns))]
        head = "".join(f'<th style="{a}">{escape(c)}</th>' for c, a in zip(self.columns, aligned, strict=True))
        body = ""
        for row in self.rows:
            cells = (f'<td style="{a}">{escape(_text(c))}</td>' for c, a in zip(row, aligned, strict=True))
            body += f"<tr>{''.join(cells)}</tr>"
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        title = f"<caption style='text-align:left;caption-side:top'>{escape(self.title)}</caption>"
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _is_number(self, column: int) -> bool:
        return any(isinstance(row[column], int | float) for row in self.rows)


class Shown:
    """Base of what shows itself as a table: subclasses define ``grid``."""

    def grid(self) -> Grid:
        """The table."""
        raise NotImplementedError(f"{type(self).__name__} defines no grid")

    def __str__(self) -> str:
        return self.grid().text()

    def _repr_html_(self) -> str:
        return self.grid().html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else self.grid().text())


def shape_text(shape: Sequence[int]) -> str:
    """``(16, 8, 8)`` -> "16x8x8"."""
    return "x".join(map(str, shape))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
