"""Google Speech Commands: the published layout, the coefficients, and integers that zero padding does not change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from speech_commands import PITCH, write, write_clip

from lava_mlsnn.data import speech

pytest.importorskip("librosa")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("speech"))


def copy_of(folder: Path) -> speech.Copy:
    copy = speech.find("speech", folder)
    assert copy is not None
    return copy


def test_loads_the_published_layout(folder: Path) -> None:
    done = []
    dataset = speech.load("speech", copy_of(folder), complete=False, progress=lambda n, of: done.append((n, of)))
    assert dataset.labels == tuple(PITCH) and dataset.shape == (2, 48, 10)
    assert (len(dataset.train_labels), len(dataset.test_labels), done) == (24, 8, [(32, 32)])
    tests = (folder / "testing_list.txt").read_text().split()
    assert sorted(dataset.labels[i] for i in dataset.test_labels) == sorted(name.split("/")[0] for name in tests)
    other = speech.load("speech", copy_of(folder), complete=False, part="validation")
    assert np.array_equal(other.train_images, dataset.train_images)
    assert not np.array_equal(other.test_images, dataset.test_images)
    assert speech.find("speech", folder / "up") is None


def test_messages_are_two_polarities(folder: Path) -> None:
    """Positive and negative part never meet, and together they are the coefficients of paper 003, rounded."""
    dataset = speech.load("speech", copy_of(folder), complete=False)
    positive, negative = dataset.train_images[:, 0].astype(int), dataset.train_images[:, 1].astype(int)
    assert not (positive * negative).any() and positive.max() > 100 < negative.max()
    clips = [speech.read_clip(folder / name) for name in copy_of(folder).clips["train"]]
    values = np.concatenate([speech.mfcc(clip[None]) for clip in clips]).reshape(len(clips), 48, 10)
    wanted = (values - values.mean((0, 1))) / (4 * values.std((0, 1)))
    assert np.abs((positive - negative) / 255 - wanted.clip(-1, 1)).max() < 0.003


def test_coefficients_are_those_of_the_paper() -> None:
    """10 MFCC, windows of 640 every 320 in an FFT of 1024, 320 zeros on both sides: by hand for one window."""
    from librosa.filters import mel
    from scipy.fft import dct

    clip = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    padded = np.concatenate([np.zeros(320), clip, np.zeros(320)])
    window = np.zeros(1024)
    window[192:832] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(640) / 640)
    frame = padded[7 * 320 : 7 * 320 + 1024]
    power = np.abs(np.fft.rfft(frame * window)) ** 2
    energy = mel(sr=16_000, n_fft=1024, n_mels=40) @ power
    wanted = dct(10 * np.log10(energy), norm="ortho")[:10]
    found = speech.mfcc(clip[None])
    assert found.shape == (1, 48, 10)
    assert np.abs(found[0, 7] - wanted).max() < 0.01 * np.abs(wanted).max()


def test_a_part_is_not_the_published_data(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"words: 4 of 35.*complete=no"):
        speech.load("speech", copy_of(folder))
    findings = speech.check("speech", copy_of(folder))
    assert [f.passed for f in findings] == [False] * 4 and "24, expected 84843" in findings[1].detail
    with pytest.raises(ValueError, match="option part: expected one of validation, test, got 'train'"):
        speech.load("speech", copy_of(folder), part="train")


def test_damaged_copies(tmp_path: Path) -> None:
    folder = write(tmp_path / "copy", per_word=5)
    clip = next((folder / "go").glob("*.wav"))
    write_clip(clip, np.zeros(8000), rate=8000)
    with pytest.raises(ValueError, match=f"{clip.name}: expected 16000 Hz, 2 bytes, 1 channel, got 8000 Hz"):
        speech.read_clip(clip)
    clip.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=f"{clip.name}: expected a .wav file"):
        speech.load("speech", copy_of(folder), complete=False)
    with open(folder / "testing_list.txt", "a") as file:
        file.write("go/none.wav\n")
    with pytest.raises(ValueError, match=r"names 'go/none\.wav'"):
        speech.find("speech", folder)


def test_a_short_clip_is_followed_by_silence(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.wav", np.full(100, 0.5))
    clip = speech.read_clip(tmp_path / "a.wav")
    assert clip.shape == (16_000,) and np.allclose(clip[:100], 0.5, atol=1e-3) and not clip[100:].any()
    write_clip(tmp_path / "b.wav", np.full(20_000, 0.5))
    assert speech.read_clip(tmp_path / "b.wav").shape == (16_000,)
