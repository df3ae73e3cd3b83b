"""A small generated copy of Speech Commands in the published layout: words are gliding tones."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

PITCH = {"down": (900, 300), "go": (500, 500), "up": (300, 900), "yes": (1500, 1200)}


def write_clip(path: Path, sound: np.ndarray, rate: int = 16_000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())


def utter(word: str, random: np.random.Generator, samples: int = 16_000) -> np.ndarray:
    """A glide between two pitches, at a random time, with noise."""
    low, high = (pitch * random.uniform(0.9, 1.1) for pitch in PITCH[word])
    time = np.arange(samples) / 16_000
    phase = 2 * np.pi * np.cumsum(low + (high - low) * time) / 16_000
    envelope = np.exp(-(((time - random.uniform(0.4, 0.6)) / 0.15) ** 2))
    return 0.6 * envelope * np.sin(phase) + 0.01 * random.standard_normal(samples)


def write(folder: Path, per_word: int = 10, seed: int = 0) -> Path:
    """Every fifth clip is for validation, every fifth for testing; background noise lies beside the words."""
    random = np.random.default_rng(seed)
    lists: dict[str, list[str]] = {"validation_list.txt": [], "testing_list.txt": []}
    for word in PITCH:
        (folder / word).mkdir(parents=True)
        for i in range(per_word):
            name = f"{word}/{random.integers(16**8):08x}_nohash_{i % 3}.wav"
            write_clip(folder / name, utter(word, random, 16_000 if i else 13_654))
            if i % 5 in (0, 1):
                lists[("validation_list.txt", "testing_list.txt")[i % 5]].append(name)
    for file, names in lists.items():
        (folder / file).write_text("\n".join(names) + "\n")
    (folder / "_background_noise_").mkdir()
    write_clip(folder / "_background_noise_" / "white_noise.wav", 0.1 * random.standard_normal(32_000))
    (folder / "README.md").write_text("## Speech Commands Data Set v0.02\n")
    return folder
