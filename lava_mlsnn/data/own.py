"""One's own images, given by their path in place of a data set's name.

* ``FILE.npz`` with arrays ``images`` and ``labels``, and, if there is a split, ``split`` (0 or "train", 1 or "test")
  for each image; or with ``x_train, y_train, x_test, y_test`` (or ``train_images, train_labels, ...``);
* a folder with one folder of PNG or JPEG files per class, or with such folders in ``train`` and ``test`` (or ``val``);
* idx files: one of images, with the labels beside it, or the folder that holds them.

Options: ``test`` (default 0.2): the share of each class that is held out for tests of data without a split, 1 for all,
0 for none; ``order``: the axes of an array, such as NTCHW; ``bits`` (default 8) and ``input_scale`` (default 1 / 255):
width and value of one integer step; ``size``: height and width that images of a folder are cropped and scaled to;
``gray``: whether they become gray.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import flag, integer
from ..helpers.reading import read_file
from . import _idx
from ._npy import read_npz
from .arrays import Part, Wish, dataset, part
from .dataset import Dataset

ENDING = ".npz"
PAIRS = (
    ("images", "labels"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
IMAGES = (".png", ".jpg", ".jpeg")
TRAIN, TEST = ("train", "training"), ("test", "testing", "val", "valid", "validation")
"""Names of the folders that hold the parts; the first that is there counts."""

MOST_PIXELS = 1 << 24
"""Of one image; a small file may declare many more."""

EXPECTED = "FILE.npz with images and labels, a folder of one folder of PNG or JPEG files per class, or idx files"


def load(
    path: Path,
    *,
    test: float | None = None,
    order: str | None = None,
    bits: int | None = None,
    input_scale: float | None = None,
    size: int | None = None,
    gray: bool = False,
    labels: tuple[str, ...] | None = None,
) -> Dataset:
    """The images at ``path``; options as in the module's text, ``labels`` are the classes of the network they are for.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: another kind of file, missing arrays, arrays that do not fit each other, damaged images; names it.
    """
    name = path.name or str(path)
    wish = Wish(test, bits, input_scale, labels)
    if path.is_dir():
        if any(_idx_files(path)):
            return _from_idx(name, _idx_files(path), wish)
        return _from_folder(name, path, wish, size, flag(gray, f"{name}: option gray"))
    if size is not None or gray:
        raise ValueError(f"{name}: options size and gray are for folders of images")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; expected {EXPECTED}")
    if path.suffix == ENDING:
        return _from_npz(path, wish, order)
    if not _idx.is_idx(path):
        raise ValueError(f"{name}: expected {EXPECTED}")
    return _from_idx(name, _with_siblings(path), wish)


def _from_npz(path: Path, wish: Wish, order: str | None) -> Dataset:
    content = read_npz(path, (*sum(PAIRS, ()), "split"))
    found = next((names for names in PAIRS if names[0] in content), PAIRS[0])
    missing = [name for name in found[:2] if name not in content]
    if missing:
        raise ValueError(f"{path.name}: no {' and no '.join(missing)}, found {', '.join(content) or 'neither'}")
    try:
        if len(found) > 2:
            sides = [found[i : i + 2] for i in (0, 2)]
            parts = {
                side: part(content[names[0]], content[names[1]], order)
                for side, names in zip(("train", "test"), sides, strict=True)
                if set(names) <= set(content)
            }
        else:
            whole = part(content["images"], content["labels"], order)
            parts = _by_split(whole, content["split"]) if "split" in content else {"all": whole}
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return dataset(path.name, parts, wish, path.name)


def _by_split(whole: Part, column: NDArray[Any]) -> dict[str, Part]:
    words = {"0": "train", "1": "test", "False": "train", "True": "test", "train": "train", "test": "test"}
    sides = np.array([words.get(str(value).removesuffix(".0"), "") for value in column.ravel()])
    if sides.shape != whole.labels.shape or (sides == "").any():
        raise ValueError(f"split of {column.dtype} {column.shape}, expected 0 (train) or 1 (test) for each image")
    return {side: Part(whole.images[sides == side], whole.labels[sides == side]) for side in ("train", "test")}


# -- idx files ---------------------------------------------------------------------------------------------------------


def _idx_files(folder: Path) -> dict[str, Path]:
    """Part ("all" if the name says none) -> file of images, of the idx files in a folder."""
    found = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a packed file before the same unpacked
        if path.is_file() and "images" in path.name and _labels_of(path) is not None and _idx.is_idx(path):
            found[_side(path)] = path
    return found


def _side(path: Path) -> str:
    return "train" if "train" in path.name else "test" if "t10k" in path.name or "test" in path.name else "all"


def _labels_of(path: Path) -> Path | None:
    """The file of labels that belongs to a file of images."""
    stem = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    places = (path.with_name(f"{stem}{ending}") for ending in (".gz", ""))
    return next((place for place in places if place.is_file()), None)


def _with_siblings(path: Path) -> dict[str, Path]:
    """A file of images and, if its name says train or test, that of the other part."""
    found, name = {_side(path): path}, path.name
    others = [name.replace("train", word) for word in ("t10k", "test")] if "train" in name else []
    others += [name.replace(word, "train") for word in ("t10k", "test") if word in name]
    for place in (path.with_name(other) for other in others):
        if place.is_file():
            found.setdefault(_side(place), place)
    return found


def _from_idx(name: str, files: Mapping[str, Path], wish: Wish) -> Dataset:
    parts = {}
    for side, path in files.items():
        labels = _labels_of(path)
        if labels is None or labels == path:
            raise ValueError(
                f"{path.name}: expected a file of images whose labels lie beside it: ...images... and ...labels..."
            )
        try:
            parts[side] = part(_idx.File(path).read(), _idx.File(labels).read())
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if len(parts) > 1:
        parts.pop("all", None)
    return dataset(name, parts, wish, ", ".join(path.name for path in files.values()))


# -- folders of images -------------------------------------------------------------------------------------------------


def _from_folder(name: str, root: Path, wish: Wish, size: int | None, gray: bool) -> Dataset:
    if size is not None:
        integer(size, f"{name}: option size", 1, 4096)
    sides = {side: inner_folder(root, words) for side, words in (("train", TRAIN), ("test", TEST))}
    folders = {side: folder for side, folder in sides.items() if folder is not None} or {"all": root}
    files = {side: _by_class(folder) for side, folder in folders.items()}
    names = sorted({label for classes in files.values() for label in classes})
    if not names:
        raise ValueError(f"{root}: no images; expected {EXPECTED}")
    order = _order(name, names, wish.labels)
    listed = {
        side: [(path, order[label]) for label in sorted(classes) for path in classes[label]]
        for side, classes in files.items()
    }
    color = not gray and any(_is_color(path) for items in listed.values() for path, _ in items)
    shape: tuple[int, ...] | None = None
    parts = {}
    for side, items in listed.items():
        pixels = []
        for path, _ in items:
            pixels.append(read_image(path, color, size))
            shape = shape or pixels[0].shape
            if pixels[-1].shape != shape:
                raise ValueError(
                    f"{path}: {pixels[-1].shape[2]} x {pixels[-1].shape[1]} pixels, the images before it have "
                    f"{shape[2]} x {shape[1]}: give size=N"
                )
        parts[side] = Part(np.stack(pixels), np.array([label for _, label in items], np.int64))
    wish = Wish(wish.test, wish.bits, wish.input_scale, wish.labels or tuple(names))
    return dataset(name, parts, wish, f"images of {name}/" + ("" if size is None else f" scaled to {size} x {size}"))


def inner_folder(root: Path, words: tuple[str, ...]) -> Path | None:
    """The folder in ``root`` that is called by the first of some words that is there."""
    there = {
        path.name.lower(): path for path in root.iterdir() if path.is_dir() and any(map(Path.is_dir, path.iterdir()))
    }
    return next((there[word] for word in words if word in there), None)


def _by_class(folder: Path) -> dict[str, list[Path]]:
    """Images of each folder that has any."""
    found = {}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        files = sorted(path for path in inner.iterdir() if path.is_file() and not path.name.startswith("."))
        wrong = [path for path in files if path.suffix.lower() not in IMAGES]
        if len(wrong) == len(files):
            continue
        if wrong:
            raise ValueError(f"{wrong[0]}: expected PNG or JPEG files only")
        found[inner.name] = files
    return found


def _order(name: str, names: list[str], wanted: tuple[str, ...] | None) -> dict[str, int]:
    """Class -> label: its place among all, or, if the classes of a network are known, among these."""
    if wanted is None or set(names) <= set(wanted):
        return {label: (wanted or tuple(names)).index(label) for label in names}
    if wanted == tuple(str(i) for i in range(len(names))):
        return {label: i for i, label in enumerate(names)}
    raise ValueError(f"{name}: classes {', '.join(names[:9])}; the network's are {', '.join(wanted[:9])}")


def _is_color(path: Path) -> bool:
    with _opened(path) as image:
        return image.mode not in ("1", "L", "LA")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The image of a file, not decoded yet; ValueError names the file."""
    from PIL import Image

    content = io.BytesIO(read_file(path))  # Pillow makes room for what a file declares before it reads
    try:
        image = Image.open(content, formats=("PNG", "JPEG"))
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: expected a PNG or JPEG file ({error})") from None
    with image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise ValueError(f"{path}: {width} x {height} pixels, expected at most {MOST_PIXELS:,} in all")
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"{path}: pixels of more than 8 bits; expected 8")
        yield image


def read_image(path: Path, color: bool, size: int | None = None) -> NDArray[np.uint8]:
    """One image, uint8 (1 or 3, H, W), cropped in the middle and scaled to ``size``.

    Raises:
        ValueError: not a PNG or JPEG file, damaged, more than 8 bits, or transparent: names the file.
    """
    from PIL import Image, ImageOps

    try:
        with _opened(path) as image:
            image = image.convert("RGBA") if "transparency" in image.info else image
            if image.mode in ("LA", "RGBA", "PA") and image.getchannel("A").getextrema()[0] < 255:
                raise ValueError("transparent pixels; expected none")
            image = image.convert("RGB" if color else "L")
            if size is not None:
                image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises each of them for damaged files
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))
