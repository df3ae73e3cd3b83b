"""Spoken words without anybody who speaks: a synthetic stand-in for Speech Commands, from espeak-ng and flite.

The 35 words in the published folder layout (:mod:`.speech`), each spoken by made-up speakers. A speaker is a voice of a
program with an accent, a pitch and a speed of its own; its takes differ a little in pitch and speed, and in loudness,
place in the second and added noise. Voices, not only speakers, are kept apart: one tenth of them speaks for validation,
one tenth for tests. The words are regular, the voices few: accuracies on them say that a network can learn such a task,
and nothing about people's speech.

The same seed, speakers, takes and versions of the programs give the same bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import integer
from . import made
from .speech import LISTS, RATE, SAMPLES, WORDS

NAME = "speech-synthetic"

ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
"""Of espeak-ng."""

VARIANTS = (
    *(f"m{i}" for i in range(1, 9)),
    *(f"f{i}" for i in range(1, 6)),
    *("Alex", "Alicia", "Andrea", "Andy", "Annie", "AnxiousAndy", "Denis", "Diogo", "Gene", "Gene2", "Jacky", "Lee"),
    *("Mario", "Michael", "Mike", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "croak"),
    *("david", "ed", "edward", "grandma", "grandpa", "gustave", "iven", "john", "klatt2", "linda", "marcelo", "max"),
    *("michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph"),
    *("travis", "victor", "whisper", "whisperf", "zac"),
)
"""Voices of espeak-ng that sound like different people; those that are installed are used."""

FLITE = {"awb": 120, "kal16": 105, "rms": 100, "slt": 175}
"""Voices of flite, and the mean pitch (Hz) that their takes vary around."""

NOISES = {"white_noise": 0.0, "pink_noise": 0.5, "brown_noise": 1.0}
"""File in ``_background_noise_`` -> exponent by which its amplitude falls with the frequency."""

LONGEST = 0.9
"""Seconds of a word; one that takes longer is spoken faster."""

SIGNAL_TO_NOISE = (5.0, 35.0)
"""Decibels."""


@dataclass(frozen=True)
class Manner:
    """How a word is spoken: speed relative to the usual one, pitch in -1 .. 1."""

    accent: str
    speed: float
    pitch: float


def _espeak(voice: str, how: Manner, word: str, path: str) -> list[str]:
    speed, pitch = round(150 * how.speed), round(50 + 45 * how.pitch)
    return ["espeak-ng", "-v", f"{how.accent}+{voice}", "-s", str(speed), "-p", str(pitch), "-w", path, word]


def _flite(voice: str, how: Manner, word: str, path: str) -> list[str]:
    pitch = f"int_f0_target_mean={FLITE[voice] * 2 ** (0.4 * how.pitch):.2f}"
    stretch = f"duration_stretch={1 / how.speed:.4f}"
    return ["flite", "-voice", voice, "--setf", stretch, "--setf", pitch, "-t", word, "-o", path]


COMMANDS: dict[str, Callable[[str, Manner, str, str], list[str]]] = {"espeak-ng": _espeak, "flite": _flite}
"""Program, which is also its Debian package -> command line that speaks a word into a .wav file."""

LISTING = {"espeak-ng": ["espeak-ng", "--voices=variant"], "flite": ["flite", "-lv"]}


@dataclass(frozen=True)
class Speaker:
    """One who speaks all the words; ``part``: training, validation or test."""

    code: str
    part: str
    program: str
    voice: str
    manner: Manner


def make(
    folder: Path,
    speakers: int = 120,
    takes: int = 2,
    seed: int = 0,
    programs: Sequence[str] | None = None,
    progress: made.Progress | None = None,
) -> Path:
    """Write the data set to a new folder.

    Args:
        folder: must not exist, or be empty.
        speakers: how many, 10 or more.
        takes: clips of each word by each speaker.
        seed: of speakers, takes and noise.
        programs: which speak; default espeak-ng, and flite if it is installed.
        progress: called with (clips done, clips in total).

    Returns:
        The folder.

    Raises:
        ValueError: a program that is missing, with the command that installs it; a setting out of range; a folder that
            is not empty.
    """
    integer(speakers, "speakers", 10, 100_000)
    integer(takes, "takes", 1, 1000)
    integer(seed, "seed", 0, 2**32 - 1)
    if programs is None:
        programs = ("espeak-ng", *(["flite"] if shutil.which("flite") else []))
    cast = _cast(_voices(programs), speakers, seed)
    settings = {"speakers": speakers, "takes": takes, "seed": seed, "programs": {p: _version(p) for p in programs}}
    with made.making(Path(folder), NAME, settings) as (part, result):
        noises = _write_noises(part / "_background_noise_", seed)
        jobs = [(w, s, take) for w in range(len(WORDS)) for s in range(len(cast)) for take in range(takes)]
        lists: dict[str, list[str]] = {"train": [], **{key: [] for key in LISTS}}
        for word in WORDS:
            (part / word).mkdir()

        def clip(job: tuple[int, int, int]) -> tuple[str, str]:
            word, speaker, take = job
            name = f"{WORDS[word]}/{cast[speaker].code}_nohash_{take}.wav"
            random = np.random.RandomState([seed, 1, *job])
            _write(part / name, _utter(WORDS[word], cast[speaker], noises, random))
            return cast[speaker].part, name

        with ThreadPoolExecutor() as pool:
            for done, (key, name) in enumerate(pool.map(clip, jobs), 1):
                lists[key].append(name)
                if progress is not None:
                    progress(done, len(jobs))
        for key, file in LISTS.items():
            (part / file).write_text("\n".join(sorted(lists[key])) + "\n", encoding="utf-8")
        (part / "README.md").write_text(
            "# Synthetic speech commands\n\nSpoken by programs, not by people; made by `mlsnn data make "
            f"{NAME}`. In the layout of Speech Commands v2, of which nothing is in here.\n",
            encoding="utf-8",
        )
        result["clips"] = {key: len(names) for key, names in lists.items()}
    return Path(folder)


def _voices(programs: Iterable[str]) -> list[tuple[str, str]]:
    """Program and voice of all that are installed, in a fixed order."""
    found = []
    for program in programs:
        if program not in COMMANDS:
            raise ValueError(f"program {program!r}: expected one of {', '.join(COMMANDS)}")
        if shutil.which(program) is None:
            raise ValueError(f"{NAME}: the program {program} is not installed: apt-get install {program}")
        listed = subprocess.run(LISTING[program], capture_output=True, text=True, check=True).stdout.split()
        known = VARIANTS if program == "espeak-ng" else FLITE
        found += [(program, voice) for voice in known if voice in listed or f"!v/{voice}" in listed]
    if len(found) < 3:
        raise ValueError(f"{NAME}: {len(found)} voices are installed, expected 3 or more (one for each part)")
    return found


def _version(program: str) -> str:
    """The first line that tells it; flite says it beside its usage, and fails."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).strip().splitlines()
    number = next((line for line in lines if "version" in line.lower() or "text-to-speech" in line), "unknown")
    return number.split("  ")[0].strip()


def _cast(voices: list[tuple[str, str]], count: int, seed: int) -> list[Speaker]:
    """Speakers; the voices are shuffled, and the first tenths of them are kept for tests and for validation."""
    random = np.random.RandomState([seed, 0])
    order = [voices[i] for i in random.permutation(len(voices))[:count]]
    held = max(1, round(0.1 * len(order)))
    codes: set[str] = set()
    cast = []
    for i in range(count):
        place = i % len(order)
        part = "test" if place < held else "validation" if place < 2 * held else "train"
        manner = Manner(ACCENTS[random.randint(len(ACCENTS))], random.uniform(0.85, 1.3), random.uniform(-0.7, 0.7))
        code = f"{random.randint(2**32, dtype=np.uint32):08x}"
        if code not in codes:  # a second one of 2^32 does not happen; it would end in a missing clip
            codes.add(code)
            program, voice = order[place]
            cast.append(Speaker(code, part, program, voice, manner))
    return cast


def _utter(
    word: str, speaker: Speaker, noises: list[NDArray[np.float64]], random: np.random.RandomState
) -> NDArray[np.float64]:
    """One second with the word in it, in -1 .. 1."""
    speed = speaker.manner.speed * random.uniform(0.92, 1.08)
    pitch = float(np.clip(speaker.manner.pitch + random.uniform(-0.15, 0.15), -1, 1))
    sound = _spoken(word, speaker, Manner(speaker.manner.accent, speed, pitch))
    if len(sound) > LONGEST * RATE:
        faster = speed * len(sound) / (LONGEST * RATE) * 1.05
        sound = _spoken(word, speaker, Manner(speaker.manner.accent, faster, pitch))[:SAMPLES]
    level = float(np.sqrt(np.mean(sound**2)))
    noise = noises[random.randint(len(noises))]
    start = random.randint(len(noise) - SAMPLES)
    clip = noise[start : start + SAMPLES] * level * 10 ** (-random.uniform(*SIGNAL_TO_NOISE) / 20)
    start = random.randint(SAMPLES - len(sound) + 1)
    clip[start : start + len(sound)] += sound
    return clip * random.uniform(0.25, 0.95) / np.abs(clip).max()


def _spoken(word: str, speaker: Speaker, how: Manner) -> NDArray[np.float64]:
    """The word alone at 16 kHz, without silence around it."""
    from scipy.signal import resample_poly

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a.wav"
        command = COMMANDS[speaker.program](speaker.voice, how, word, path)
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            with wave.open(path) as file:
                rate, content = file.getframerate(), file.readframes(file.getnframes())
        except (OSError, EOFError, wave.Error):
            raise ValueError(f"{NAME}: no sound from {' '.join(command)}: {said.stderr.strip()[:200]}") from None
    sound = np.frombuffer(content, "<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max(initial=0))
    if not loud.size:
        raise ValueError(f"{NAME}: nothing but silence from {' '.join(command)}")
    sound = sound[loud[0] : loud[-1] + 1] / 2**15
    return sound if rate == RATE else resample_poly(sound, RATE, rate)


def _write_noises(folder: Path, seed: int, seconds: int = 20) -> list[NDArray[np.float64]]:
    """Files of noise, and their samples with a mean square of 1."""
    folder.mkdir()
    found = []
    for i, (name, exponent) in enumerate(NOISES.items()):
        spectrum = np.fft.rfft(np.random.RandomState([seed, 2, i]).standard_normal(seconds * RATE))
        frequency = np.fft.rfftfreq(seconds * RATE, 1 / RATE)
        noise = np.fft.irfft(spectrum * np.maximum(frequency, 20.0) ** -exponent)
        noise -= noise.mean()
        found.append(noise / noise.std())
        _write(folder / f"{name}.wav", found[-1] / 10)
    return found


def _write(path: Path, sound: NDArray[np.float64]) -> None:
    """16 kHz, mono, 16 bits."""
    settings: Any = (1, 2, RATE, 0, "NONE", "not compressed")
    with wave.open(str(path), "wb") as file:
        file.setparams(settings)
        file.writeframes(np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
