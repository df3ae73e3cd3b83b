"""What mkdocs does besides its pages: API, command line, notebooks, formulas. Nothing comes from a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from griffe import GriffeLoader
from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import commands  # noqa: E402
import docstrings  # noqa: E402
import notebook  # noqa: E402


class Inline(InlineProcessor):
    """``$`...`$``, as in Markdown of code forges, to MathML."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Any, int, int]:  # noqa: N802
        """Markdown calls this."""
        return self.md.htmlStash.store(f'<span class="math">{convert(m[1])}</span>'), m.start(0), m.end(0)


class Formulas(Extension):
    """Registers them."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Markdown calls this."""
        md.inlinePatterns.register(Inline(r"\$`(.+?)`\$", md), "formula", 195)


def display(source: str, *_: Any, **__: Any) -> str:
    """A fence ``math``, to MathML of its own line."""
    return f'<div class="math">{convert(source, display="block")}</div>'


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Formulas, and the pages that are made below, in the menu."""
    config.markdown_extensions.append(Formulas())
    config.mdx_configs["pymdownx.superfences"] = {
        "custom_fences": [{"name": "math", "class": "math", "format": display}]
    }
    made = {
        "API": [*(f"api/{room}.md" for room in docstrings.ROOMS), {"mlsnn": "api/mlsnn.md"}],
        "Tutorials": [f"tutorials/{path.stem}.md" for path in _notebooks()],
    }
    for section in config.nav:
        for name, pages in section.items():
            if name in made:
                section[name] = [*pages, *made[name]] if isinstance(pages, list) else made[name]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The made pages."""
    package = GriffeLoader(search_paths=[str(ROOT)]).load(docstrings.PACKAGE)
    for room, names in docstrings.public(package).items():
        files.append(File.generated(config, f"api/{room}.md", content=_room(room, names, package)))
    files.append(File.generated(config, "api/mlsnn.md", content=commands.page()))
    for path in _notebooks():
        text, pictures = notebook.markdown(path)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=_linked(text)))
        for name, content in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Keys of papers become links to the bibliography; the API's docstrings do it by themselves."""
    if page.file.src_uri == "bibliography.md":
        return markdown
    return docstrings.linked(markdown, "../" * page.file.src_uri.count("/"))


def _notebooks() -> list[Path]:
    return sorted((ROOT / "tutorials").glob("*.ipynb"))


def _linked(text: str) -> str:
    """Links of a notebook lead to pages of the site."""
    text = re.sub(r"\]\(\.\./docs/([^)]+)\)", r"](../\1)", text)
    return re.sub(r"\]\((?:\.\./tutorials/)?([\w-]+)\.ipynb\)", r"](\1.md)", text)


def _room(room: str, names: dict[str, Any], package: Any) -> str:
    """A room's page: what it says of itself, what it offers, and what is offered here but explained elsewhere."""
    lines = [f"# {room}", "", f"::: {docstrings.PACKAGE}.{room}", "    options:"]
    lines += ["      members: false", "      show_root_heading: false", "      show_root_toc_entry: false", ""]
    module = package[room]
    others = {str(name): docstrings.behind(module, str(name)).path for name in module.exports if str(name) not in names}
    if others:
        lines += [f"Also here: {', '.join(f'[`{name}`][{path}]' for name, path in others.items())}.", ""]
    for name, item in sorted(names.items(), key=lambda pair: (pair[1].is_attribute, pair[0].lower())):
        lines += [
            f"::: {item.path}",
            "    options:",
            f'      heading: "{room}.{name}"',
            f'      toc_label: "{name}"',
            "",
        ]
    return "\n".join(lines)
