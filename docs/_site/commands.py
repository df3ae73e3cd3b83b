"""The page of ``mlsnn``, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from lava_mlsnn.cli.app import app


def page() -> str:
    """Every command with its help, arguments and options, in Markdown."""
    group = typer.main.get_command(app)
    lines = ["# mlsnn", "", _help(group), ""]
    for name, command in _walk(group, "mlsnn"):
        lines += [f"## {name}", "", _help(command), "", "| | |", "|---|---|"]
        lines += [f"| {_usage(parameter)} | {_about(parameter)} |" for parameter in command.params]
        lines.append("")
    return "\n".join(lines)


def _walk(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _walk(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _help(command: Any) -> str:
    """Paragraphs; those behind "Example" are commands."""
    paragraphs: list[str] = []
    examples: list[str] = []
    shell = False
    for paragraph in re.split(r"\n\s*\n", (command.help or "").strip()):
        text = " ".join(paragraph.split())
        example = re.match(r"\[bold\]Examples?:\[/\] *", text)
        shell = shell or bool(example)
        text = text[example.end() :] if example else text
        if text:
            (examples if shell else paragraphs).append(text if shell else _escaped(text))
    if examples:
        paragraphs.append("\n".join(["```sh", *examples, "```"]))
    return "\n\n".join(paragraphs)


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return f"`{(parameter.metavar or parameter.name or '').upper()}`"


def _about(parameter: Any) -> str:
    text = _escaped(" ".join((getattr(parameter, "help", None) or "").split()))
    default = getattr(parameter, "show_default", None)
    if not isinstance(default, str):
        default = parameter.default if isinstance(parameter.default, (int, float, str)) else None
        default = None if default is False or default is None else str(default)
    return f"{text} Default: {_escaped(default)}." if default else text


def _escaped(text: str) -> str:
    return re.sub(r"([_*|<\[])", r"\\\1", text)
