"""Writes small data sets in the formats in which the real ones are published, so that tests read what users have.

Every writer is independent of the library's readers. Contents are random but for a given seed always the same.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from pathlib import Path

import numpy as np

CIFAR10_LABELS = "airplane automobile bird cat deer dog frog horse ship truck".split()


# -- CIFAR: pickles as Python 2 wrote them -----------------------------------------------------------------------------


class Python2Pickle:
    """Pickle of protocol 2 as Python 2's cPickle wrote it: byte strings, numpy arrays by ``_reconstruct``, memo puts."""

    def __init__(self) -> None:
        self.out = io.BytesIO()
        self.puts = 0

    def dumps(self, value: object) -> bytes:
        self.out.write(b"\x80\x02")
        self._save(value)
        return self.out.getvalue() + b"."

    def _put(self) -> None:
        self.puts += 1
        self.out.write(b"q" + bytes([self.puts]) if self.puts < 256 else b"r" + struct.pack("<I", self.puts))

    def _save(self, value: object) -> None:
        write = self.out.write
        if isinstance(value, str):
            raw = value.encode("latin-1")
            write(b"U" + bytes([len(raw)]) + raw if len(raw) < 256 else b"T" + struct.pack("<i", len(raw)) + raw)
            self._put()
        elif isinstance(value, int):
            short = 0 <= value < 256
            write(b"K" + bytes([value]) if short else b"M" + struct.pack("<H", value))
        elif isinstance(value, list):
            write(b"]")
            self._put()
            for start in range(0, len(value), 1000):
                write(b"(")
                for item in value[start : start + 1000]:
                    self._save(item)
                write(b"e")
        elif isinstance(value, dict):
            write(b"}")
            self._put()
            write(b"(")
            for key, item in value.items():
                self._save(key)
                self._save(item)
            write(b"u")
        else:
            self._array(np.asarray(value))

    def _array(self, array: np.ndarray) -> None:
        write = self.out.write
        write(b"cnumpy.core.multiarray\n_reconstruct\n")
        self._put()
        write(b"cnumpy\nndarray\n")
        self._put()
        write(b"K\x00\x85")
        self._put()
        write(b"U\x01b\x87")
        self._put()
        write(b"R")
        self._put()
        write(b"(K\x01")
        for length in array.shape:
            write(b"M" + struct.pack("<H", length))
        write(b"\x86" if array.ndim == 2 else b"\x85")
        write(b"cnumpy\ndtype\n")
        self._put()
        write(b"U\x02u1K\x00K\x01\x87")
        self._put()
        write(b"R")
        self._put()
        write(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        raw = array.tobytes()
        write(b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb")


def _protocol0(names: list[str], per_batch: int) -> bytes:
    """``batches.meta``: a text pickle of protocol 0."""
    lines = ["(dp1", "S'num_cases_per_batch'", "p2", f"I{per_batch}", "sS'label_names'", "p3", "(lp4"]
    for place, name in enumerate(names):
        lines += [f"{'a' if place else ''}S'{name}'", f"p{place + 5}"]
    lines += ["asS'num_vis'", f"p{len(names) + 5}", "I3072", "s."]
    return "\n".join(lines).encode()


def cifar_images(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (count, 3, 32, 32) whose brightness and colour follow the label, so that nets can learn them."""
    random = np.random.RandomState(seed)
    labels = np.arange(count) % classes
    random.shuffle(labels)
    colours = np.random.RandomState(1234).randint(40, 216, (classes, 3, 4, 4))
    images = colours[labels].repeat(8, axis=2).repeat(8, axis=3) + random.randint(-40, 40, (count, 3, 32, 32))
    return images.clip(0, 255).astype(np.uint8), labels.astype(np.int64)


def write_cifar10(
    folder: Path,
    count: int = 50,
    seed: int = 0,
    archive: bool = True,
    binary: bool = False,
    test_count: int | None = None,
) -> Path:
    """CIFAR-10 with ``count`` training images in five batches and ``test_count`` (default count / 5) test images.

    Returns the path of ``cifar-10-python.tar.gz``, or of the folder ``cifar-10-batches-py`` (``-bin``: the binary
    version); its content is :func:`cifar_images` of ``seed`` (training) and ``seed + 1`` (test).
    """
    test_count = max(count // 5, 1) if test_count is None else test_count
    images, labels = cifar_images(count, 10, seed)
    parts = {f"data_batch_{i + 1}": part for i, part in enumerate(np.array_split(np.arange(count), 5))}
    files: dict[str, bytes] = {}
    for name, chosen in [*parts.items(), ("test_batch", None)]:
        pixels, classes = (
            (images[chosen], labels[chosen]) if chosen is not None else cifar_images(test_count, 10, seed + 1)
        )
        flat = pixels.reshape(len(pixels), -1)
        if binary:
            files[f"{name}.bin"] = np.c_[classes.astype(np.uint8), flat].tobytes()
            continue
        told = f"training batch {name[-1]} of 5" if chosen is not None else "testing batch 1 of 1"
        filenames = [f"{CIFAR10_LABELS[label]}_s_{i:06d}.png" for i, label in enumerate(classes)]
        content = {"batch_label": told, "labels": classes.tolist(), "data": flat, "filenames": filenames}
        files[name] = Python2Pickle().dumps(content)
    if binary:
        files["batches.meta.txt"] = "".join(f"{name}\n" for name in [*CIFAR10_LABELS, ""]).encode()
    else:
        files["batches.meta"] = _protocol0(CIFAR10_LABELS, count // 5)
    files["readme.html"] = b'<meta HTTP-EQUIV="REFRESH" content="0; url=http://www.cs.toronto.edu/~kriz/cifar.html">\n'
    return _files(
        folder, "cifar-10-batches-bin" if binary else "cifar-10-batches-py", files, "cifar-10", binary, archive
    )


def write_cifar100(
    folder: Path,
    count: int = 100,
    seed: int = 0,
    archive: bool = True,
    binary: bool = False,
    test_count: int | None = None,
) -> Path:
    """CIFAR-100, likewise; the coarse label of fine label f is f // 5."""
    test_count = max(count // 5, 1) if test_count is None else test_count
    fine_names, coarse_names = [f"fine{i:02d}" for i in range(100)], [f"coarse{i:02d}" for i in range(20)]
    files: dict[str, bytes] = {}
    for name, size, start in (("train", count, seed), ("test", test_count, seed + 1)):
        pixels, fine = cifar_images(size, 100, start)
        coarse, flat = fine // 5, pixels.reshape(size, -1)
        if binary:
            files[f"{name}.bin"] = np.c_[coarse.astype(np.uint8), fine.astype(np.uint8), flat].tobytes()
            continue
        content = {
            "filenames": [f"{fine_names[label]}_s_{i:06d}.png" for i, label in enumerate(fine)],
            "batch_label": f"{name}ing batch 1 of 1",
            "fine_labels": fine.tolist(),
            "coarse_labels": coarse.tolist(),
            "data": flat,
        }
        files[name] = Python2Pickle().dumps(content)
    if binary:
        for kind, names in (("fine", fine_names), ("coarse", coarse_names)):
            files[f"{kind}_label_names.txt"] = "".join(f"{name}\n" for name in names).encode()
    else:
        files["meta"] = Python2Pickle().dumps({"fine_label_names": fine_names, "coarse_label_names": coarse_names})
        files["file.txt~"] = b""
    return _files(folder, "cifar-100-binary" if binary else "cifar-100-python", files, "cifar-100", binary, archive)


def _files(folder: Path, inner: str, files: dict[str, bytes], name: str, binary: bool, archive: bool) -> Path:
    folder = Path(folder)
    if archive:
        folder.mkdir(parents=True, exist_ok=True)
        return write_tar(
            folder / f"{name}-{'binary' if binary else 'python'}.tar.gz", {f"{inner}/{k}": v for k, v in files.items()}
        )
    (folder / inner).mkdir(parents=True, exist_ok=True)
    for key, content in files.items():
        (folder / inner / key).write_bytes(content)
    return folder / inner


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    """A .tar.gz of regular files and their folder."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        inner = tarfile.TarInfo(next(iter(files)).rpartition("/")[0])
        inner.type, inner.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(inner)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def md5(path: Path) -> str:
    """Of a file's content, in hex."""
    return hashlib.md5(Path(path).read_bytes()).hexdigest()
