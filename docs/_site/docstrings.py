"""How docstrings become Markdown (roles, formulas, tables as Sphinx has them), and which page of the API has what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from griffe import Alias, AliasResolutionError, Extension, GriffeLoader, Module, Object

PACKAGE = "lava_mlsnn"
ROOMS = (
    *("data", "model", "neuron", "block", "train", "netx", "sim", "proc", "energy", "loihi2"),
    *("analysis", "plot", "report", "papers", "lava_compat"),
)
"""Pages of the API, in the order of the menu. Everything of ``graph`` is imported from ``netx``."""

ROLE = re.compile(r":(math|class|func|meth|mod|data|attr):`(~?)([^`]+)`", re.DOTALL)
CODE = re.compile(r"(``.+?``|(?<!`)`[^`\n]+`(?!`))", re.DOTALL)
CITED = re.compile(r"(?<!\\)\[([A-Z][A-Za-z]+(?:19|20)\d\d|Lava)\](?=[],;:. )])")
MATH = re.compile(r"^( *)\.\. math::(.*)((?:\n\1 +\S.*|\n(?= *\n\1 +\S))*)", re.MULTILINE)
TABLE = re.compile(
    r"^(?P<table>(?P<indent> *)(?P<rule>=+(?: +=+)+)\n(?:.+\n)+?(?P=indent)(?P=rule)"
    r"(?:\n(?:.+\n)+?(?P=indent)(?P=rule))?)$",
    re.MULTILINE,
)
DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent).*\S.*)*", re.MULTILINE)
VERBATIM = re.compile(rf"(?P<fence>^ *```math\n[\s\S]*?```)|(?P<test>{DOCTEST.pattern})", re.MULTILINE)


def final(item: Object | Alias) -> Object | None:
    """What an import leads to, None for what is not of this package."""
    try:
        return item.final_target if isinstance(item, Alias) else item
    except AliasResolutionError:
        return None


def public(package: Module) -> dict[str, dict[str, Object]]:
    """Room -> name -> what it is, each thing in one room only: its own, or else the first that offers it."""
    offered: dict[str, list[tuple[str, str, Object]]] = {}
    for room in ROOMS:
        for name in map(str, package[room].exports or ()):
            item = behind(package[room], name)
            offered.setdefault(item.path, []).append((room, name, item))
    pages: dict[str, dict[str, Object]] = {room: {} for room in ROOMS}
    for path, places in offered.items():
        room, name, item = next((p for p in places if path.startswith(f"{PACKAGE}.{p[0]}.")), places[0])
        pages[room][name] = item
    return pages


def behind(module: Module, name: str) -> Object:
    """``name`` of a room; where a module has the name too, as ``run`` of ``sim.run``, what the room imports."""
    item = final(module.members[name]) if name in module.members else None
    if isinstance(item, Module) and isinstance(item.parent, Module):
        item = final(module.modules_collection[item.parent.imports.get(item.name, item.path)])
    if item is None:
        raise ValueError(f"{module.path} offers {name!r}, which is not found")
    return item


class Docstrings(Extension):
    """Rewrites every docstring of the package when all of it is loaded."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **_: Any) -> None:
        """Griffe calls this."""
        if pkg.path != PACKAGE:
            return
        loader.resolve_aliases(implicit=False, external=False)
        roots = {item.path for names in public(pkg).values() for item in names.values()}
        shown = roots | {f"{PACKAGE}.{room}" for room in ROOMS}
        for root in roots:
            shown |= {item.path for item in _members(loader.modules_collection[root])}
        for item in _walk(pkg):
            if item.docstring is not None:
                item.docstring.value = markdown(item.docstring.value, Names(pkg, item, shown))


def _members(item: Object) -> Iterator[Object]:
    """Public members with a docstring, which mkdocstrings shows with their class or module; a module's by its list."""
    for name, member in item.members.items():
        if name not in map(str, item.exports) if item.exports else name.startswith("_") or isinstance(member, Alias):
            continue
        found = final(member)
        if found is not None and found.docstring is not None:
            yield found
            yield from _members(found) if item.is_module and found.is_class else ()


def _walk(item: Object) -> Iterator[Object]:
    yield item
    for member in item.members.values():
        if isinstance(member, Object):
            yield from _walk(member)


class Names(Mapping[str, str]):
    """Name as written in a docstring -> path of its place in the API; KeyError for what has none."""

    def __init__(self, package: Module, scope: Object, shown: set[str]) -> None:
        self.package, self.scope, self.shown = package, scope, shown

    def __getitem__(self, name: str) -> str:
        scope: Object | None = self.scope
        places = []
        while scope is not None:
            places.append(scope.path)
            scope = scope.parent
        for base in [*places, "", PACKAGE]:
            path = f"{base}.{name}".lstrip(".").removeprefix(f"{PACKAGE}.")
            try:
                found = final(self.package[path])
            except (KeyError, AliasResolutionError):
                continue
            if isinstance(found, Module) and path.rpartition(".")[2] in found.members and found.path not in self.shown:
                found = final(found.members[path.rpartition(".")[2]])
            if found is not None and found.path in self.shown:
                return found.path
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shown)

    def __len__(self) -> int:
        return len(self.shown)


def markdown(text: str, names: Mapping[str, str]) -> str:
    """A docstring in Markdown.

    >>> print(markdown("Of :func:`~a.b`, ``x_i``, a_i: :math:`a_i < 2^{3}`.", {"a.b": "p.a.b"}))
    Of [`b`][p.a.b], ``x_i``, a\\_i: $`a_i < 2^{3}`$.
    """
    text = TABLE.sub(_table, MATH.sub(_formula, text))
    pieces, at = [], 0
    for match in VERBATIM.finditer(text):
        pieces.append(_prose(text[at : match.start()], names))
        if match["fence"] is not None:
            pieces.append(match["fence"])
        else:
            pieces.append(f"{match['indent']}```pycon\n{match['test']}\n{match['indent']}```")
        at = match.end()
    return "".join([*pieces, _prose(text[at:], names)])


def _table(match: re.Match[str]) -> str:
    """A simple table of reStructuredText in Markdown; a row without a first cell goes on with the one before."""
    indent, lines = match["indent"], match["table"].splitlines()
    columns = [m.span() for m in re.finditer("=+", lines[0])]
    rows: list[list[str]] = []
    for line in lines[1:-1]:
        cells = [line[start : end if end < columns[-1][1] else None].strip() for start, end in columns]
        if line.lstrip().startswith("=="):
            rows.append(["---"] * len(columns))
        elif cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
    rule = ["---"] * len(columns)
    if rule not in rows:
        rows = [[""] * len(columns), rule, *rows]
    return "\n".join(f"{indent}| {' | '.join(row)} |" for row in rows)


def _formula(match: re.Match[str]) -> str:
    indent, lines = match[1], [match[2].strip(), *(line.strip() for line in match[3].splitlines())]
    return "\n".join([f"{indent}```math", *(f"{indent}{line}" for line in lines if line), f"{indent}```"])


def _prose(text: str, names: Mapping[str, str]) -> str:
    pieces, at = [], 0
    for match in ROLE.finditer(text):
        pieces += [_plain(text[at : match.start()]), _role(match, names)]
        at = match.end()
    return "".join([*pieces, _plain(text[at:])])


def _role(match: re.Match[str], names: Mapping[str, str]) -> str:
    role, tilde, target = match[1], match[2], " ".join(match[3].split())
    if role == "math":
        return f"$`{target}`$"
    shown = target.rpartition(".")[2] if tilde else target
    path = names.get(target)
    return f"[`{shown}`][{path}]" if path else f"`{shown}`"


def _plain(text: str) -> str:
    """Prose without roles: what Markdown would take for markup is escaped, keys of papers become links."""
    pieces = CODE.split(text)
    for i in range(0, len(pieces), 2):
        piece = re.sub(r"(?<!\*)\*\*(?=\d|\()|(?<=\w)\*\*?(?=\w)|(?<= )\*(?= )", lambda m: "\\*" * len(m[0]), pieces[i])
        piece = re.sub(r"^( *)\\\* ", r"\1* ", piece, flags=re.MULTILINE)
        piece = re.sub(r"(?<=\w)_|(?<!\w)_(?=\w)", r"\\_", piece)
        piece = re.sub(r"<(?=[a-z/])", "&lt;", piece)
        piece = re.sub(r"^( *)#", r"\1\\#", piece, flags=re.MULTILINE)
        piece = re.sub(r"\[(?=[^\]]*\]\()", r"\\[", piece)
        pieces[i] = linked(piece, "../")
    return "".join(pieces)


def linked(text: str, up: str) -> str:
    """Keys of papers as links to the bibliography, which is ``up``."""
    return CITED.sub(lambda m: f"[\\[{m[1]}\\]]({up}bibliography.md#{m[1].lower()})", text)
