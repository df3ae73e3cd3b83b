"""Datasets by name; each name's module is imported when it is asked for.

A data set that one has downloaded is named ``NAME`` (looked for in the folder that the environment variable
``MLSNN_DATA`` gives, then in ``data`` and in Debian's ``/usr/share/datasets``), or ``NAME:PATH``; options follow after
commas: ``cifar10dvs:/data/dvs,steps=4,by=time``. ``events:PATH`` are one's own recordings. One's own images are named
by their path, see :mod:`.own`: ``mine.npz``, ``photos,test=0.3``. The same text stands after ``--data`` in every
command and in ``Experiment.dataset``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ..helpers.doors import door
from ._archive import archives
from ._own_check import check as own_check
from ._published import PUBLISHED, Finding, Published
from .dataset import Dataset
from .own import ENDING, EXPECTED

VARIABLE = "MLSNN_DATA"
"""Environment variable: the folder that holds data sets."""

USUAL = (Path("data"), Path("/usr/share/datasets"))
"""Folders that are looked in after it for idx files; torchvision's examples use the first, Debian the second. What
``mlsnn data make`` has made lies in the first, too, if no other place was given."""

_NO_PATH = "dataset {!r} comes with an installed package: expected no path"
_EVENTS = ("steps", "by", "duration", "events", "size", "complete", "cache", "progress")


@dataclass(frozen=True)
class Entry:
    """A data set: the module that reads it and the options it takes; ``on_disk`` if it has to be downloaded."""

    module: str
    options: tuple[str, ...] = ()
    on_disk: bool = True


_DATASETS = {
    "digits": Entry("digits", on_disk=False),
    "mnist5k": Entry("mnist", on_disk=False),
    "fashion-mnist": Entry("idx", ("complete",)),
    "mnist": Entry("idx", ("complete",)),
    "kmnist": Entry("idx", ("complete",)),
    "emnist": Entry("idx", ("complete", "split")),
    "cifar10": Entry("cifar", ("complete",)),
    "cifar100": Entry("cifar", ("complete", "coarse")),
    "speech": Entry("speech", ("complete", "part")),
    "speech-synthetic": Entry("speech", ("complete", "part")),
    "tinyimagenet": Entry("tiny_imagenet", ("complete", "progress")),
    "events": Entry("events", (*(name for name in _EVENTS if name != "complete"), "sensor", "test")),
    "cifar10dvs": Entry("cifar10dvs", _EVENTS),
    "nmnist": Entry("nmnist", _EVENTS),
    "fashion-dvs": Entry("nmnist", _EVENTS),
    "dvs128gesture": Entry("gesture", _EVENTS),
}


OWN = Entry("own", ("test", "order", "bits", "input_scale", "size", "gray", "labels"))
"""One's own images; they have no name, but a path."""

LONGEST = 10_000
"""Characters of a name with its path and options."""


@dataclass(frozen=True)
class Spec:
    """What ``NAME[:PATH][,KEY=VALUE...]`` or ``PATH[,KEY=VALUE...]`` says; the latter has no name.

    Example:
        >>> Spec.parse("cifar10dvs:/data/dvs,steps=4,by=time")
        Spec(name='cifar10dvs', path='/data/dvs', options={'steps': 4, 'by': 'time'})
    """

    name: str
    path: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Spec:
        """ValueError for an unknown name or option."""
        if not isinstance(text, str | os.PathLike):
            raise ValueError(f"dataset {text!r}: expected one of {', '.join(_DATASETS)}, or a path: {EXPECTED}")
        text = os.fspath(text)
        rest, options = text, {}
        if len(text) > LONGEST:
            raise ValueError(f"dataset: a text of {len(text):,} characters, expected at most {LONGEST:,}")
        while found := re.fullmatch(r"(.+),([A-Za-z_]\w*)=([^,/]*)", rest, re.DOTALL):
            rest, key, value = found.groups()
            options[key] = _value(value)
        options = dict(reversed(options.items()))
        name, colon, path = rest.partition(":")
        if name not in _DATASETS and (os.sep in rest or rest.endswith(ENDING) or os.path.exists(rest)):
            return cls("", rest, options)
        _entry(name)
        if colon and not path:
            raise ValueError(f"dataset {text!r}: expected a path after the colon")
        return cls(name, path or None, options)

    @property
    def short(self) -> str:
        """The name, or that of one's own file without its ending."""
        return self.name or Path(str(self.path)).stem or "data"


def names() -> tuple[str, ...]:
    """Names that :func:`load` knows."""
    return tuple(_DATASETS)


def require(name: str) -> None:
    """ValueError for an unknown name or option, or a data set that is not where it is looked for; reads none of it."""
    spec = Spec.parse(name)
    entry = _entry(spec.name)
    _known(spec, entry, spec.options)
    if not spec.name:
        if not Path(str(spec.path)).expanduser().exists():
            raise ValueError(f"{spec.path}: no such file or folder; expected {EXPECTED}")
    elif entry.on_disk:
        locate(spec)
    elif spec.path:
        raise ValueError(_NO_PATH.format(spec.name))


def has_frames(name: str) -> bool:
    """Whether a data set holds recordings of events, which are loaded as T frames.

    Example:
        >>> has_frames("nmnist:/data"), has_frames("digits")
        (True, False)
    """
    return "steps" in _entry(Spec.parse(name).name).options


def load(name: str, root: str | Path | None = None, **options: Any) -> Dataset:
    """The dataset called ``name``.

    Args:
        name: ``NAME[:PATH][,KEY=VALUE...]``, :func:`names` lists the names; or the path of one's own images.
        root: in place of PATH: the archive, or a folder that holds it or what it contains.
        options: of the data set, in place of those in ``name``; None leaves an option as it is.

            ``complete`` (all that are downloaded): False takes a part of the data, or other data in the same format,
            and does not compare them with what was published.
            ``coarse`` (cifar100): the 20 coarse labels.
            ``split`` (emnist): balanced, byclass, bymerge, letters, digits or mnist.
            ``part`` (speech, speech-synthetic): "validation" in place of "test" as test part.
            ``sensor``, ``test`` (events:PATH): see :mod:`lava_mlsnn.data.events`.
            ``steps``, ``by``, ``duration``, ``events``, ``size``, ``cache``, ``progress`` (events): see
            :mod:`lava_mlsnn.data.recordings`.
            ``test``, ``order``, ``bits``, ``input_scale``, ``size``, ``gray`` (own images): see
            :mod:`lava_mlsnn.data.own`.

    Raises:
        ValueError: unknown name or option, a copy that is missing, cut, damaged or incomplete, or a missing optional
            package: says what is expected where, and how to get it.

    Example:
        >>> digits = load("digits")
        >>> digits.shape, digits.num_classes, len(digits.train_labels), len(digits.test_labels)
        ((1, 8, 8), 10, 1438, 359)
    """
    spec = Spec.parse(name)
    entry = _entry(spec.name)
    chosen = {**spec.options, **{key: value for key, value in options.items() if value is not None}}
    chosen = _known(spec, entry, chosen)
    module = import_module(f".{entry.module}", __package__)
    if not spec.name:
        with door(str(spec.path), named=False):
            own: Dataset = module.load(Path(str(spec.path)).expanduser(), **chosen)
            return own
    if not entry.on_disk:
        if spec.path or root is not None:
            raise ValueError(_NO_PATH.format(spec.name))
        dataset: Dataset = module.load()
        return dataset
    for key in ("complete", "coarse"):
        if not isinstance(chosen.get(key, True), bool):
            raise ValueError(f"dataset {spec.name!r}: {key}={chosen[key]!r}; expected yes or no")
    with door(spec.short, named=False):
        found: Dataset = module.load(spec.name, locate(spec, root), **chosen)
        return found


def _known(spec: Spec, entry: Entry, options: dict[str, Any]) -> dict[str, Any]:
    """The options; ValueError for one that the data set does not take."""
    for key in options:
        if key not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise ValueError(f"dataset {spec.name or spec.path!r}: option {key!r}; expected one of: {known}")
    return options


def load_for(name: str, steps: int, own: Mapping[str, Any] | None = None, **options: Any) -> Dataset:
    """:func:`load` for a network of T ``steps``: recordings become T frames.

    Options in ``name`` come first; ``own`` are others, of one's own images only.
    """
    spec = Spec.parse(name)
    if has_frames(name) and "steps" not in spec.options:
        options.setdefault("steps", steps)
    if own and not spec.name:
        options |= {key: value for key, value in own.items() if key not in spec.options}
    return load(name, **options)


def check(
    name: str, root: str | Path | None = None, progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """What a copy contains and whether that is what was published: files, MD5 sums, counts per class, shapes.

    Of one's own data: how many there are, shapes, classes, values, and what is wrong with them.

    Reads everything once; ``progress`` is called with (recordings read, recordings in total).

    Raises:
        ValueError: the folder is empty or missing, as in :func:`load`.
    """
    spec = Spec.parse(name)
    entry = _entry(spec.name)
    if not spec.name:
        return own_check(Path(str(spec.path)).expanduser(), _known(spec, entry, spec.options))
    if not entry.on_disk:
        dataset = load(name)
        detail = f"{len(dataset.train_labels)} training and {len(dataset.test_labels)} test images {dataset.shape}"
        return [Finding(spec.short, True, detail)]
    module = import_module(f".{entry.module}", __package__)
    shown: dict[str, Any] = {"progress": progress} if "progress" in entry.options else {}
    if spec.name == "events":
        shown |= {key: spec.options[key] for key in ("sensor", "test") if key in spec.options}
    try:
        copy = locate(spec, root)
    except ValueError as error:
        known, folders = PUBLISHED.get(spec.name), [place for place in _places(spec, root) if place.is_dir()]
        packed = archives(known, folders) if known else []
        if not packed:
            raise
        return [*packed, Finding("content", False, f"still packed: {error}")]
    findings: list[Finding] = module.check(spec.name, copy, **shown)
    return findings


def is_name(text: str) -> bool:
    """Whether a text begins with the name of a data set."""
    return re.split("[:,]", text)[0] in _DATASETS


def published(name: str) -> Published | None:
    """Where a data set comes from; None for those that an installed package holds."""
    return PUBLISHED.get(Spec.parse(name).name)


def named(text: str) -> str:
    """A text that may be a path alone, with the name of the data set that lies there, if it is a known one."""
    spec = Spec.parse(text)
    if spec.name:
        return text
    name = guess(Path(str(spec.path)).expanduser())
    return f"{name}:{text}" if name else text


def guess(path: Path) -> str:
    """The name of the data set that lies at ``path``, "" for one's own images; ValueError if there are several."""
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    if path.suffix == ENDING:  # which is a zip archive
        return ""
    found = [name for name in PUBLISHED if _finder(name)(name, path) is not None]
    if not found and _finder("events")("events", path) is not None:
        return "events"
    if len(found) > 1:
        raise ValueError(
            f"{path}: {' and '.join(found)} are there: name one, NAME:PATH, or the file of your own images"
        )
    return found[0] if found else ""


def locate(spec: Spec, root: str | Path | None = None) -> Any:
    """The copy of a data set on disk, as its module sees it; ValueError says what is expected where."""
    places = _places(spec, root)
    for place in places:
        if place.exists():
            copy = _finder(spec.name)(spec.name, place)
            if copy is not None:
                return copy
    known = PUBLISHED.get(spec.name)
    if known is None:
        expected = "expected a folder of one folder of recordings per class, or a .csv of file,label"
        raise ValueError(f"{places[0]}: no recordings; {expected}")
    if root is None and not spec.path and not os.environ.get(VARIABLE):
        where = f"expected {spec.name}:PATH, or the variable {VARIABLE} set to the folder that holds the data sets"
    else:
        kind = "nothing of it in" if places[0].exists() else "no"
        where = f"found {kind} {' or '.join(map(str, places[:2]))}"  # not the usual ones, which nobody named
    raise ValueError(f"{known.title}: {where}; expected there: {known.layout}. To have it, {known.how_to_get()}")


def _places(spec: Spec, root: str | Path | None) -> list[Path]:
    """Where to look."""
    if root is not None and spec.path:
        raise ValueError(f"dataset {spec.name!r}: a path in the name, {spec.path!r}, and a root, {str(root)!r}")
    given = root if root is not None else spec.path
    if given is not None:
        return [Path(given).expanduser()]
    if spec.name not in PUBLISHED:
        raise ValueError(f"dataset {spec.name!r}: expected {spec.name}:PATH")
    given_folder = os.environ.get(VARIABLE)
    folders = [Path(given_folder).expanduser()] if given_folder else []
    if _DATASETS[spec.name].module == "idx" or PUBLISHED[spec.name].made:
        folders += [folder for folder in USUAL if folder.is_dir()]
    return [place for folder in folders for place in (folder / spec.name, folder)]


def home(name: str) -> Path:
    """Where a data set that is made here goes if nobody says where: the first place that it is looked for."""
    return Path(os.environ.get(VARIABLE) or USUAL[0]).expanduser() / name


def _finder(name: str) -> Callable[[str, Path], Any]:
    finder: Callable[[str, Path], Any] = import_module(f".{_DATASETS[name].module}", __package__).find
    return finder


def _entry(name: str) -> Entry:
    if not name:
        return OWN
    if name not in _DATASETS:
        raise ValueError(f"dataset {name!r}: expected one of {', '.join(names())}, or a path: {EXPECTED}")
    return _DATASETS[name]


def _value(text: str) -> Any:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d*\.\d+(e-?\d+)?|\d+e-\d+", text) else text
