"""Writes small data sets in the formats in which the real ones are published, so that tests read what users have.

Every writer is independent of the library's readers. Contents are random but for a given seed always the same.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path

import numpy as np

CIFAR10_LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


# -- CIFAR: pickles as Python 2 wrote them -----------------------------------------------------------------------------


class Python2Pickle:
    """Protocol 2 as Python 2's cPickle wrote it: byte strings, numpy arrays by ``_reconstruct``, memo puts."""

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


def write_idx(
    folder: Path,
    count: int = 40,
    test_count: int = 20,
    seed: int = 0,
    packed: bool = True,
    stem: str = "",
    first: int = 0,
) -> Path:
    """MNIST and its kin: four idx files of images 28 x 28 of ten classes that differ; returns ``folder``.

    ``stem``: of EMNIST, "emnist-letters-"; ``first``: the label of the first class. The pixels of the training part are
    ``gray_images(count, seed)``, those of the test part ``gray_images(test_count, seed + 1)``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for part, number, start in (("train", count, seed), ("test" if stem else "t10k", test_count, seed + 1)):
        images, labels = gray_images(number, start)
        for what, array in (("images-idx3", images), ("labels-idx1", (labels + first).astype(np.uint8))):
            content = idx_bytes(array)
            name = f"{stem}{part}-{what}-ubyte{'.gz' if packed else ''}"
            (folder / name).write_bytes(gzip.compress(content, 1, mtime=0) if packed else content)
    return folder


def gray_images(count: int, seed: int, side: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (count, side, side) with a bright bar whose place follows the label, and labels 0 .. 9."""
    random = np.random.RandomState(seed)
    labels = np.arange(count) % 10
    random.shuffle(labels)
    images = random.randint(0, 60, (count, side, side))
    for image, label in zip(images, labels, strict=True):
        image[label * side // 10 : label * side // 10 + 2] += 180
    return images.astype(np.uint8), labels


def idx_bytes(array: np.ndarray, sizes: tuple[int, ...] | None = None) -> bytes:
    """An idx file of unsigned bytes; ``sizes`` are declared in place of the array's own."""
    sizes = array.shape if sizes is None else sizes
    return b"\0\0\x08" + bytes([len(sizes)]) + b"".join(struct.pack(">I", size) for size in sizes) + array.tobytes()


def md5(path: Path) -> str:
    """Of a file's content, in hex."""
    return hashlib.md5(Path(path).read_bytes()).hexdigest()


# -- recordings of events ----------------------------------------------------------------------------------------------


def random_events(count: int, size: int, seed: int, label: int = 0, duration: int = 1_000_000) -> dict[str, np.ndarray]:
    """x, y, t (sorted, microseconds), p of one recording; where the events lie depends on the label."""
    random = np.random.RandomState(seed)
    centre = np.array([(label * 7 + 3) % size, (label * 11 + 5) % size])
    place = (centre[:, None] + random.normal(0, size / 6, (2, count)).astype(int)) % size
    time = np.sort(random.randint(0, duration, count))
    return {"x": place[0], "y": place[1], "t": time, "p": random.randint(0, 2, count)}


def write_nmnist(folder: Path, per_class: int = 2, test_per_class: int = 1, seed: int = 0, events: int = 300) -> Path:
    """N-MNIST: Train and Test, 0 .. 9, five bytes per event, with an overflow of the timer; returns ``folder``.

    The content of ``Train/3/00001.bin`` is ``random_events(events, 34, seed_of(seed, "Train", 3, 1), 3, 300_000)``.
    """
    for part, number in (("Train", per_class), ("Test", test_per_class)):
        for label in range(10):
            inner = Path(folder) / part / str(label)
            inner.mkdir(parents=True, exist_ok=True)
            for i in range(number):
                content = random_events(events, 34, seed_of(seed, part, label, i), label, 300_000)
                (inner / f"{i:05d}.bin").write_bytes(nmnist_bytes(content))
    return Path(folder)


def seed_of(seed: int, part: str, label: int, number: int) -> int:
    """One seed per recording."""
    return seed * 1_000_003 + (part == "Test") * 500_009 + label * 1009 + number


def nmnist_bytes(events: dict[str, np.ndarray], overflow: bool = False) -> bytes:
    """Five bytes per event; with ``overflow`` a row 240 in the middle, after which times are told 2^13 lower."""
    rows = []
    half = len(events["t"]) // 2
    for i, (x, y, t, p) in enumerate(zip(*(events[name].tolist() for name in "xytp"), strict=True)):
        if overflow and i == half:
            rows.append((0, 240, 0, 0, 0))
        t -= (1 << 13) * (overflow and i >= half)
        rows.append((x, y, p << 7 | t >> 16 & 127, t >> 8 & 255, t & 255))
    return bytes(value for row in rows for value in row)


def write_dvs128(
    folder: Path, layout: str = "npy", users: tuple[int, int] = (2, 1), seed: int = 0, events: int = 400
) -> Path:
    """DVS128 Gesture with 11 gestures of each user: tonic's ``npy`` or the published ``aedat``; returns ``folder``.

    ``users``: how many train (from user 1) and how many test (from user 24).
    """
    folder = Path(folder)
    for part, first, number in (("Train", 1, users[0]), ("Test", 24, users[1])):
        trials = []
        for user in range(first, first + number):
            contents = [random_events(events, 128, seed_of(seed, part, c, user), c, 4_000_000) for c in range(11)]
            name = f"user{user:02d}_led"
            if layout == "npy":
                inner = folder / f"ibmGesture{part}" / name
                inner.mkdir(parents=True, exist_ok=True)
                for label, content in enumerate(contents):
                    table = np.stack([content["x"], content["y"], content["p"], content["t"] / 1000], axis=1)
                    np.save(inner / f"{label}.npy", table)
                continue
            folder.mkdir(parents=True, exist_ok=True)
            whole = {
                key: np.concatenate([c[key] + (5_000_000 * i if key == "t" else 0) for i, c in enumerate(contents)])
                for key in "xytp"
            }
            (folder / f"{name}.aedat").write_bytes(aedat31_bytes(whole))
            lines = [f"{i + 1},{5_000_000 * i},{5_000_000 * i + 4_000_000}" for i in range(11)]
            (folder / f"{name}_labels.csv").write_text("class,startTime_usec,endTime_usec\n" + "\n".join(lines) + "\n")
            trials.append(f"{name}.aedat\n")
        if layout == "aedat":
            (folder / f"trials_to_{part.lower()}.txt").write_text("".join(trials))
    return folder


def write_cifar10dvs(
    folder: Path, format: str = "aedat", per_class: int = 5, seed: int = 0, events: int = 500, steps: int = 4
) -> Path:
    """CIFAR10-DVS: ten folders of recordings ``cifar10_<class>_<i>``; returns ``folder``.

    ``format``: aedat (2.0, as published), aedat4, npz (SpikingJelly's events), npy (fields t, x, y, p), or frames
    (SpikingJelly's .npz of ``steps`` frames by number). The events are ``random_events(events, 128, seed_of(seed,
    "Train", label, i), label)``.
    """
    ending = {"frames": "npz"}.get(format, format)
    for label, name in enumerate(CIFAR10_LABELS):
        inner = Path(folder) / name
        inner.mkdir(parents=True, exist_ok=True)
        for i in range(per_class):
            content = random_events(events, 128, seed_of(seed, "Train", label, i), label)
            path = inner / f"cifar10_{name}_{i}.{ending}"
            if format == "aedat":
                path.write_bytes(aedat2_bytes(content))
            elif format == "aedat4":
                path.write_bytes(aedat4_bytes(content))
            elif format == "npz":
                np.savez(path, **content)
            elif format == "npy":
                fields = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")])
                np.save(path, np.array(list(zip(*(content[n].tolist() for n in "txyp"), strict=True)), fields))
            else:
                np.savez(path, frames=frames_by_number(content, steps, 128))
    return Path(folder)


def evt2_bytes(events: dict[str, np.ndarray], size: tuple[int, int] = (480, 640)) -> bytes:
    """EVT 2.0: a word of the upper time bits whenever they change, and every 50 events; triggers in between."""
    words, before = [], None
    for i, (x, y, t, p) in enumerate(zip(*(events[name].tolist() for name in "xytp"), strict=True)):
        if t >> 6 != before or i % 50 == 0:
            before = t >> 6
            words.append(8 << 28 | before & 0xFFFFFFF)
        if i % 70 == 0:
            words.append(0xA << 28 | (t & 63) << 22 | 1)
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    return _prophesee_header("2.0", size) + struct.pack(f"<{len(words)}I", *words)


def evt3_bytes(events: dict[str, np.ndarray], size: tuple[int, int] = (480, 640), vectors: bool = True) -> bytes:
    """EVT 3.0: times, rows and columns when they change; runs of columns of one row and time as vectors."""
    words: list[int] = []
    high = low = row = None
    rows = list(zip(*(events[name].tolist() for name in "xytp"), strict=True))
    i = 0
    while i < len(rows):
        x, y, t, p = rows[i]
        if (t >> 12 & 0xFFF) != high:
            high, low = t >> 12 & 0xFFF, None
            words.append(8 << 12 | high)
        if t & 0xFFF != low:
            low = t & 0xFFF
            words.append(6 << 12 | low)
        if y != row:
            row = y
            words.append(y)
        run = [x]
        while (
            vectors
            and i + len(run) < len(rows)
            and rows[i + len(run)][1:] == (y, t, p)
            and rows[i + len(run)][0] > run[-1]
        ):
            run.append(rows[i + len(run)][0])
        i += len(run)
        if len(run) == 1:
            words.append(2 << 12 | p << 11 | x)
            continue
        words.append(3 << 12 | p << 11 | x)
        place = x
        while place <= run[-1]:
            width = 12 if run[-1] - place >= 8 else 8
            mask = sum(1 << (column - place) for column in run if place <= column < place + width)
            words.append((4 if width == 12 else 5) << 12 | mask)
            place += width
    return _prophesee_header("3.0", size) + struct.pack(f"<{len(words)}H", *words)


def _prophesee_header(version: str, size: tuple[int, int]) -> bytes:
    height, width = size
    lines = [
        f"evt {version}",
        f"format EVT{version[0]};height={height};width={width}",
        f"geometry {width}x{height}",
        "end",
    ]
    return "".join(f"% {line}\n" for line in lines).encode()


def dat_bytes(events: dict[str, np.ndarray], size: tuple[int, int] = (480, 640), version: int = 2) -> bytes:
    """DAT: text, type and size of the events, then 8 bytes per event."""
    text = f"% Data file containing CD events.\n% Version {version}\n% Height {size[0]}\n% Width {size[1]}\n".encode()
    shifts = (14, 28) if version == 2 else (9, 17)
    place = events["x"] | events["y"] << shifts[0] | events["p"] << shifts[1]
    return text + bytes((12, 8)) + np.stack([events["t"], place], axis=1).astype("<u4").tobytes()


def es_bytes(events: dict[str, np.ndarray], size: tuple[int, int] = (480, 640), kind: int = 1) -> bytes:
    """Event Stream, version 2: DVS (1), or ATIS (2), where an exposure follows every third event."""
    height, width = size
    out = bytearray(b"Event Stream" + bytes((2, 0, 0, kind)) + struct.pack("<HH", width, height))
    before = 0
    for i, (x, y, t, p) in enumerate(zip(*(events[name].tolist() for name in "xytp"), strict=True)):
        step, before = t - before, t
        for exposure in (0, 1) if kind == 2 and i % 3 == 0 else (0,):
            if kind == 1:
                out += b"\xff" * (step // 127) + bytes((step % 127 << 1 | p,))
            else:
                whole, rest = divmod(step, 63)
                out += b"\xff" * (whole // 3) + (bytes((0xFC | whole % 3,)) if whole % 3 else b"")
                out += bytes((rest << 2 | p << 1 | exposure,))
                step = 0
            out += struct.pack("<HH", x, height - 1 - y)
    return bytes(out)


def davis_bytes(events: dict[str, np.ndarray], chip: str = "DAVIS346B", size: tuple[int, int] = (260, 346)) -> bytes:
    """AEDAT 2.0 of a DAVIS as jAER writes it: columns and rows from the far end, samples of frames in between."""
    address = events["p"] << 11 | (size[1] - 1 - events["x"]) << 12 | (size[0] - 1 - events["y"]) << 22
    pairs = np.stack([address, events["t"]], axis=1)
    pairs = np.insert(pairs, range(0, len(pairs), 40), [[1 << 31 | 77, 5]], axis=0)
    text = f"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.{chip}\r\n# Creation time: at 7\r\n"
    return text.encode() + pairs.astype(">u4").tobytes()


def frames_by_number(events: dict[str, np.ndarray], steps: int, size: int) -> np.ndarray:
    """Frames (T, 2, size, size) of SpikingJelly's integration by number, event after event."""
    found = np.zeros((steps, 2, size, size))
    each = len(events["t"]) // steps
    for i, (x, y, p) in enumerate(zip(events["x"], events["y"], events["p"], strict=True)):
        found[min(i // each, steps - 1) if each else steps - 1, p, y, x] += 1
    return found


def aedat2_bytes(events: dict[str, np.ndarray]) -> bytes:
    """AEDAT 2.0 of a DVS128 as jAER writes it: turned and with inverted polarity, as CIFAR10-DVS is published."""
    header = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# created Thu Mar 30 2017\r\n"
    column, row = 127 - events["y"], 127 - events["x"]
    address = row << 8 | column << 1 | 1 - events["p"]
    return header + np.stack([address, events["t"]], axis=1).astype(">u4").tobytes()


def aedat31_bytes(events: dict[str, np.ndarray], packet: int = 1000, overflow: int = 0) -> bytes:
    """AEDAT 3.1 as cAER writes it: packets of polarity events, and packets of another type between them."""
    out = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-07-01\r\n#!END-HEADER\r\n"
    for start in range(0, len(events["t"]), packet):
        x, y, t, p = (events[name][start : start + packet] for name in "xytp")
        words = np.stack([x << 17 | y << 2 | p << 1 | 1, t], axis=1).astype("<u4")
        words = np.concatenate([words, [[0, 0]]]).astype("<u4")  # an invalid event at the end of the capacity
        out += struct.pack("<hhiiiiii", 0, 1, 8, 4, overflow, 1, 1, 1) + b"\x01" + bytes(7)  # a special event
        out += struct.pack("<hhiiiiii", 1, 1, 8, 4, overflow, len(words), len(words), len(t)) + words.tobytes()
    return out


def aedat4_bytes(events: dict[str, np.ndarray], packet: int = 200, size: int = 128) -> bytes:
    """AEDAT 4 without compression: an IOHeader flatbuffer, then packets of events, no table of packets."""
    information = (
        f'<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/"><node name="0" '
        f'path="/mainloop/Recorder/outInfo/0/"><attr key="compression" type="string">NONE</attr>'
        f'<attr key="originalModuleName" type="string">capture</attr><attr key="originalOutputName" type="string">'
        f'events</attr><attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>'
        f'<attr key="typeIdentifier" type="string">EVTS</attr><node name="info" path="/mainloop/Recorder/outInfo/0/'
        f'info/"><attr key="sizeX" type="int">{size}</attr><attr key="sizeY" type="int">{size}</attr>'
        f'<attr key="source" type="string">DVS128</attr></node></node></node></dv>'
    ).encode()
    out = b"#!AER-DAT4.0\r\n" + _io_header(information)
    formats, offsets = ["<i8", "<i2", "<i2", "?"], [0, 8, 10, 12]
    fields = np.dtype({"names": ["t", "x", "y", "on"], "formats": formats, "offsets": offsets, "itemsize": 16})
    for start in range(0, len(events["t"]), packet):
        part = np.zeros(len(events["t"][start : start + packet]), fields)
        for name, key in zip("txyp", ("t", "x", "y", "on"), strict=True):
            part[key] = events[name][start : start + packet]
        body = _event_packet(part.tobytes(), len(part))
        out += struct.pack("<ii", 0, len(body)) + body
    return out


def aedat4_bomb(size: int) -> bytes:
    """AEDAT 4 whose one packet is ``size`` zeros, in 4 bytes for every 128 KiB: blocks of zstd with a run length."""
    plain = aedat4_bytes(random_events(0, 128, 0))
    blocks = [struct.pack("<I", 1 << 20 | 1 << 1 | (i == size >> 17))[:3] + b"\0" for i in range(1, (size >> 17) + 1)]
    packet = bytes.fromhex("28b52ffd0070") + b"".join(blocks)
    header = _io_header(plain[plain.index(b"<dv") : plain.index(b"</dv>") + 5], compression=3)
    return b"#!AER-DAT4.0\r\n" + header + struct.pack("<ii", 0, len(packet)) + packet


def _io_header(information: bytes, compression: int = 0) -> bytes:
    """Size-prefixed flatbuffer IOHeader { compression: int = 0; dataTablePosition: long = -1; infoNode: string }."""
    text = struct.pack("<I", len(information)) + information + b"\x00"
    text += bytes(-len(text) % 4)
    # root offset, identifier, vtable (sizes, then the fields' places, 0 for absent), table (its vtable, the string)
    vtable = struct.pack("<5H", 10, 12, 8, 0, 4) + bytes(2)
    table_at = 8 + len(vtable)
    table = struct.pack("<iIi", len(vtable), 8, compression)
    body = struct.pack("<I", table_at) + b"IOHE" + vtable + table + text
    return struct.pack("<I", len(body)) + body


def _event_packet(content: bytes, count: int) -> bytes:
    """Size-prefixed flatbuffer EventPacket { elements: [Event] } with the vector's content aligned to 8 bytes."""
    vtable = struct.pack("<3H", 6, 8, 4) + bytes(2)
    table_at = 8 + len(vtable)
    place = table_at + 8  # of the vector's length; its content must lie at a multiple of 8 from the prefix on
    padding = -(4 + place + 4) % 8
    table = struct.pack("<iI", len(vtable), 4 + padding)
    body = struct.pack("<I", table_at) + b"EVTS" + vtable + table + bytes(padding) + struct.pack("<I", count) + content
    return struct.pack("<I", len(body)) + body
