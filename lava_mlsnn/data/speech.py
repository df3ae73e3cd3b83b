"""Google Speech Commands v2 from its own folder layout, as the images of paper 003 (section 4.1): 10 MFCC, 48 frames.

Source: P. Warden, "Speech Commands: a dataset for limited-vocabulary speech recognition", 2018: 105829 clips of about
one second, 16 kHz, 16 bits, of 35 words; one folder per word, ``validation_list.txt`` and ``testing_list.txt`` name the
clips (``word/speaker_nohash_0.wav``) that are not for training. The same layout holds "speech-synthetic", which
programs speak (:mod:`.speech_synthetic`).

**Coefficients.** A clip of 16000 samples, padded with 320 zeros on both sides, is cut into windows of 640 samples, one
every 320, each transformed with an FFT of 1024 points (centered in it). 49 windows of 1024 fit; the paper has 48, so
the last, which is half padding, is left out. From 40 mel bands come 10 coefficients.

**Integers.** A coefficient minus its mean over the training part, in units of four of its standard deviations, is a
number in -1 .. 1 (the rest is clipped). Messages of a network are unsigned here, and a convolution pads with zeros; so
that zero still is the mean and silence sends no event, the positive and the negative part are two channels of 8 bits,
of which one is always zero, like the polarities of an event camera: (2, 48, 10). An offset would not be exact: folded
into the first bias it is wrong at the borders.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers import extras
from ..helpers.doors import reason
from ..helpers.reading import read_file, read_text
from . import made
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset

WORDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four", "go", "happy"),
    *("house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right", "seven", "sheila", "six"),
    *("stop", "three", "tree", "two", "up", "visual", "wow", "yes", "zero"),
)
"""The 35 classes."""

COUNTS = {"train": 84_843, "validation": 9_981, "test": 11_005}
"""Clips of version 2."""

LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}

RATE, SAMPLES = 16_000, 16_000
COEFFICIENTS, FRAMES = 10, 48
FFT, WINDOW, HOP, PADDING, BANDS = 1024, 640, 320, 320, 40

DEVIATIONS = 4.0
"""Standard deviations that the largest message stands for."""

PIECE = 512
"""Clips transformed at a time."""


@dataclass(frozen=True)
class Copy:
    """Somebody's copy.

    Args:
        path: the folder.
        words: folders of words that are there.
        clips: names ``word/file.wav`` of each part, sorted.
    """

    path: Path
    words: tuple[str, ...]
    clips: Mapping[str, tuple[str, ...]]


def find(name: str, path: Path) -> Copy | None:
    """The copy at ``path``: a folder with the two lists and folders of words; None for none."""
    for folder in (path, path / "speech_commands_v0.02", path / "SpeechCommands" / "speech_commands_v0.02"):
        if folder.is_dir() and all((folder / file).is_file() for file in LISTS.values()):
            return _listed(folder) if made.is_named(name, folder) else None
    return None


def _listed(folder: Path) -> Copy:
    words = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))))
    everything = {f"{word}/{p.name}" for word in words for p in (folder / word).glob("*.wav")}
    clips = {}
    for part, file in LISTS.items():
        lines = read_text(folder / file).split()
        missing = sorted(set(lines) - everything)
        if missing:
            raise ValueError(f"{folder / file}: names {missing[0]!r} ({len(missing)} such clips), which is not there")
        clips[part] = tuple(sorted(lines))
    clips["train"] = tuple(sorted(everything - set(clips["validation"]) - set(clips["test"])))
    return Copy(folder, words, clips)


def load(
    name: str,
    copy: Copy,
    *,
    complete: bool = True,
    part: str = "test",
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Speech commands from a copy: training part, and ``part`` as test part.

    Args:
        name: "speech" or "speech-synthetic".
        copy: from :func:`find`.
        complete: False also takes a part of the data, or other words in the same layout.
        part: "test" or "validation", whose clips the lists name.
        progress: called with (clips done, clips in total).

    Raises:
        ValueError: not the published data (``complete``), a damaged clip, or librosa is not installed.

    Shape:
        images uint8 (N, 2, 48, 10): positive and negative part, time, coefficient.
    """
    if part not in LISTS:
        raise ValueError(f"option part: expected one of {', '.join(LISTS)}, got {part!r}")
    findings = check(name, copy)
    if complete and not all(finding.passed for finding in findings):
        raise incomplete(name, str(copy.path), findings)
    names = [*copy.clips["train"], *copy.clips[part]]
    train = len(copy.clips["train"])
    if train == 0:
        raise ValueError(f"{copy.path}: no clip for training; expected folders of words with .wav files")
    values = np.concatenate([*_coefficients(copy.path, names, progress)])
    images = messages(values, values[:train])
    labels = np.array([copy.words.index(clip.split("/")[0]) for clip in names], np.int64)
    kept = f"{train} training and {len(names) - train} {part} clips"
    return Dataset(
        name=name,
        train_images=images[:train],
        train_labels=labels[:train],
        test_images=images[train:],
        test_labels=labels[train:],
        input_scale=1 / 255,
        bits=8,
        labels=copy.words,
        source=f"{PUBLISHED[name].title}, {kept}, {COEFFICIENTS} MFCC of {FRAMES} windows, "
        + ("other voices in each part." if PUBLISHED[name].made else "the publisher's split."),
    )


def check(name: str, copy: Copy) -> list[Finding]:
    """Whether the words and the numbers of clips are those that were published or made, and who speaks for tests."""
    odd = sorted(set(copy.words) ^ set(WORDS))
    found = [
        Finding("words", not odd, f"{len(copy.words)} of {len(WORDS)}" + (f": {', '.join(odd[:5])}" if odd else ""))
    ]
    about = made.about(copy.path)
    for part, count in about.get("clips", COUNTS).items():
        clips = len(copy.clips[part])
        found.append(Finding(f"{part} clips", clips == count, f"{clips}, expected {count}"))
    if about:
        found += [_speakers(copy), *made.check(copy.path)]
    return found


def _speakers(copy: Copy) -> Finding:
    """That nobody speaks for training and for tests."""
    parts = [{Path(clip).name.partition("_")[0] for clip in clips} for clips in copy.clips.values()]
    several = sum(map(len, parts)) - len(set().union(*parts))
    return Finding("speakers", not several, f"{sum(map(len, parts))}, {several} of them in several parts")


def messages(values: NDArray[np.float32], train: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Coefficients as two channels of 8 bits, positive and negative part, scaled by the training part's statistics.

    Shape:
        values (N, 48, 10), train (M, 48, 10) -> (N, 2, 48, 10).

    >>> messages(np.array([[[1.0], [-9.0]]]), np.array([[[1.0], [-1.0]]])).tolist()
    [[[[64], [0]], [[0], [255]]]]
    """
    mean = train.mean(axis=(0, 1), dtype=np.float64)
    spread = DEVIATIONS * np.maximum(train.std(axis=(0, 1), dtype=np.float64), 1e-6)
    whole = np.rint(255 * np.clip((values - mean) / spread, -1, 1)).astype(np.int16)
    return np.stack([np.maximum(whole, 0), np.maximum(-whole, 0)], axis=1).astype(np.uint8)


def mfcc(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel frequency cepstral coefficients of clips.

    Shape:
        (N, 16000) -> (N, 48, 10).

    Raises:
        ValueError: librosa is not installed.
    """
    transform = extras.load("librosa.feature", "speech").mfcc
    padded = np.pad(clips, [(0, 0), (PADDING, PADDING)])
    settings: dict[str, Any] = {"n_fft": FFT, "win_length": WINDOW, "hop_length": HOP, "n_mels": BANDS}
    found = transform(y=padded, sr=RATE, n_mfcc=COEFFICIENTS, center=False, **settings)
    return np.ascontiguousarray(found[..., :FRAMES].swapaxes(-1, -2), np.float32)


def _coefficients(
    folder: Path, names: list[str], progress: Callable[[int, int], None] | None
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(names), PIECE):
        piece = names[start : start + PIECE]
        yield mfcc(np.stack([read_clip(folder / clip) for clip in piece]))
        if progress is not None:
            progress(start + len(piece), len(names))


def read_clip(path: Path) -> NDArray[np.float32]:
    """One second of sound in -1 .. 1; a shorter clip is followed by silence, a longer one is cut.

    Raises:
        ValueError: not 16 kHz, 16 bits, one channel, or damaged: names the file.
    """
    try:
        with wave.open(io.BytesIO(read_file(path))) as file:
            form = file.getframerate(), file.getsampwidth(), file.getnchannels()
            frames = file.readframes(SAMPLES)
    except (wave.Error, EOFError, RuntimeError) as error:  # the last is what chunks that end beyond the file cause
        raise ValueError(f"{path}: expected a .wav file ({reason(error)})") from None
    if form != (RATE, 2, 1):
        raise ValueError(f"{path}: expected {RATE} Hz, 2 bytes, 1 channel, got {form[0]} Hz, {form[1]}, {form[2]}")
    sound = np.frombuffer(frames[: len(frames) // 2 * 2], "<i2").astype(np.float32) / 2**15
    return np.pad(sound, (0, SAMPLES - len(sound)))
