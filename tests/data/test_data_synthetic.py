"""Data sets that are made here: spoken words and simulated events, named as what they are."""

from __future__ import annotations

import json
import os
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from commands import mlsnn
from real_formats import nmnist_bytes

from lava_mlsnn import data
from lava_mlsnn.data import aedat, event_camera, fashion_dvs, made, registry, speech, speech_synthetic
from lava_mlsnn.data.event_camera import Camera
from lava_mlsnn.data.integration import Events

speaks = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng: apt-get install espeak-ng")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = speech_synthetic.WORDS
    speech_synthetic.WORDS = ("forward", "up", "yes")  # type: ignore[assignment]
    try:
        return speech_synthetic.make(tmp_path_factory.mktemp("spoken") / "copy", 10, 2, seed=3, programs=["espeak-ng"])
    finally:
        speech_synthetic.WORDS = words


@speaks
def test_spoken_words_lie_in_the_published_layout(spoken: Path) -> None:
    copy = speech.find("speech-synthetic", spoken)
    assert copy is not None and copy.words == ("forward", "up", "yes")
    assert {part: len(clips) for part, clips in copy.clips.items()} == {"validation": 6, "test": 6, "train": 48}
    assert {p.name for p in (spoken / "_background_noise_").iterdir()} == {f"{n}.wav" for n in speech_synthetic.NOISES}
    for path in spoken.glob("[a-z]*/*.wav"):
        with wave.open(str(path)) as file:
            assert file.getparams()[:4] == (1, 2, 16_000, 16_000)
        sound = speech.read_clip(path)
        assert 0.2 < np.abs(sound).max() < 0.96
        loud = np.flatnonzero(np.abs(sound) > 0.5 * np.abs(sound).max())
        assert 500 < loud[-1] - loud[0] < 16_000 * 0.95, "a word is cut, or nothing but noise"


@speaks
def test_spoken_words_are_never_taken_for_the_published_ones(spoken: Path) -> None:
    assert speech.find("speech", spoken) is None and registry.guess(spoken) == "speech-synthetic"
    with pytest.raises(ValueError, match="nothing of it in"):
        data.load(f"speech:{spoken}")
    pytest.importorskip("librosa")
    dataset = data.load(f"speech-synthetic:{spoken},complete=no")
    assert dataset.name == "speech-synthetic" and dataset.source.startswith("Synthetic speech commands (espeak-ng")
    assert len(dataset.train_labels) == 48 and dataset.shape == (2, 48, 10)


@speaks
def test_speakers_and_voices_are_kept_apart(spoken: Path) -> None:
    cast = speech_synthetic._cast(speech_synthetic._voices(["espeak-ng"]), 300, seed=1)
    voices = {part: {s.voice for s in cast if s.part == part} for part in ("train", "validation", "test")}
    assert not voices["train"] & voices["test"] and not voices["train"] & voices["validation"]
    assert not voices["test"] & voices["validation"] and all(voices.values()) and len(cast) == 300
    findings = data.check(f"speech-synthetic:{spoken}")
    assert [f.what for f in findings if not f.passed] == ["words"], "only three words were made"
    copy = speech.find("speech-synthetic", spoken)
    assert copy is not None
    mixed = speech.Copy(copy.path, copy.words, {**copy.clips, "test": copy.clips["train"][:2]})
    assert not speech._speakers(mixed).passed


@speaks
def test_the_same_seed_gives_the_same_bytes(spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_synthetic, "WORDS", ("forward", "up", "yes"))
    again = speech_synthetic.make(tmp_path / "again", 10, 2, seed=3, programs=["espeak-ng"])
    assert made.about(again) == made.about(spoken)
    other = speech_synthetic.make(tmp_path / "other", 10, 2, seed=4, programs=["espeak-ng"])
    assert made.digest(other) != made.digest(again)
    clip = next((again / "up").glob("*.wav"))
    clip.write_bytes(clip.read_bytes()[:-2] + b"xx")
    assert not made.check(again)[0].passed


@speaks
def test_a_word_that_takes_too_long_is_spoken_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    real = speech_synthetic._spoken

    def spoken(word: str, speaker: speech_synthetic.Speaker, how: speech_synthetic.Manner) -> np.ndarray:
        sound = real(word, speaker, how)
        lengths.append(len(sound))
        return sound

    monkeypatch.setattr(speech_synthetic, "_spoken", spoken)
    slow = speech_synthetic.Speaker("0", "train", "espeak-ng", "m1", speech_synthetic.Manner("en-us", 0.55, 0.0))
    clip = speech_synthetic._utter("backward", slow, [np.ones(20_000)], np.random.RandomState(0))
    assert len(clip) == 16_000 and lengths[0] > 0.95 * 16_000 > lengths[1]


def test_a_program_that_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="the program espeak-ng is not installed: apt-get install espeak-ng"):
        speech_synthetic.make(tmp_path / "new")
    with pytest.raises(ValueError, match="program 'say': expected one of espeak-ng, flite"):
        speech_synthetic.make(tmp_path / "new", programs=["say"])
    assert not list(tmp_path.iterdir()), "a folder is left behind"


# -- events ------------------------------------------------------------------------------------------------------------

PICTURE = np.random.default_rng(0).random((1, 9, 9)).astype(np.float32)


def by_hand(camera: Camera, image: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Without noise: the module's equations, pixel by pixel and in Python's numbers."""
    found = []
    light = np.stack([camera.light(image[None], k * camera.step)[0] for k in range(camera.steps + 1)])
    level = np.log(light + np.float32(event_camera.DARK))
    theta = camera.thresholds()
    for r, c in np.ndindex(camera.size, camera.size):
        kept, ready = level[0, r, c], 0
        for k in range(1, camera.steps + 1):
            start = (k - 1) * camera.step
            before, now = level[k - 1, r, c], level[k, r, c]
            if ready > start:
                kept = before + (now - before) * min((ready - start) / camera.step, 1)
            if now - kept >= theta[1, r, c] or kept - now >= theta[0, r, c]:
                brighter = int(now > kept)
                crossed = kept + theta[1, r, c] if brighter else kept - theta[0, r, c]
                share = min(max((crossed - before) / (now - before), 0), 1)
                time = min(start + int(share * camera.step), k * camera.step - 1)
                found.append((time, c, r, brighter))
                kept, ready = now, time + camera.refractory
    return found


@pytest.mark.parametrize("refractory", [0, 700, 2500])
def test_events_are_those_of_the_equations(refractory: int) -> None:
    camera = Camera(size=17, radius=1.5, period=40_000, noise=0, background=0, refractory=refractory, mismatch=0.2)
    (events,) = camera.record(PICTURE)
    wanted = sorted(by_hand(camera, PICTURE[0]), key=lambda e: (e[0], e[2], e[1]))
    ours = list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))
    assert len(ours) > 100 and len(ours) == len(wanted)
    off = [(a, b) for a, b in zip(ours, wanted, strict=True) if a != b]
    assert all(abs(a[0] - b[0]) <= 1 for a, b in off) and len(off) < 0.02 * len(ours), "more than a rounding of times"


def test_a_picture_comes_back_to_where_it_was() -> None:
    camera = Camera(size=34)
    images = data.load("digits").test_images[:1, 0] / np.float32(16)
    assert np.array_equal(camera.light(images, 0), camera.light(images, camera.period))
    there, back = camera.light(images, 0)[0], camera.light(images, camera.period / 2)[0]
    np.testing.assert_allclose(back[:28], there[4:32], atol=1e-5, err_msg="half a round moves it by 2 R = 4 rows up")
    edge = np.concatenate([camera.light(images + 1, t)[0][[0, -1]].ravel() for t in range(0, 100_000, 5000)])
    assert edge.max() <= 1.0 and np.count_nonzero(edge) < edge.size / 2, "the picture leaves the sensor"


def test_noise_mismatch_and_chance_do_what_they_say() -> None:
    quiet = {"noise": 0.0, "mismatch": 0.0, "background": 0.0}
    black = np.zeros((2, 28, 28), np.float32)
    assert not any(len(events) for events in Camera(**quiet).record(black))
    by_chance = Camera(**{**quiet, "background": 5.0}).record(black)
    assert abs(len(by_chance[0]) - 5 * 0.1 * 34**2) < 5 * (5 * 0.1 * 34**2) ** 0.5
    assert not np.array_equal(by_chance[0].t, by_chance[1].t)
    plain, uneven = (Camera(**{**quiet, "mismatch": m}).thresholds() for m in (0.0, 0.2))
    assert np.unique(plain).size == 1 and abs(uneven.std() / uneven.mean() - 0.2) < 0.02
    picture = np.tile(PICTURE, (1, 4, 4))[:, :28, :28]
    counts = {n: len(Camera(**{**quiet, "noise": n}).record(picture)[0]) for n in (0.0, 0.4)}
    assert counts[0.0] != counts[0.4]
    slow = Camera(**quiet, refractory=20_000).record(picture)[0]
    pixel = slow.y * 34 + slow.x
    assert min(np.diff(slow.t[pixel == p]).min(initial=10**9) for p in np.unique(pixel)) >= 20_000


def test_settings_out_of_range_are_named() -> None:
    for settings, message in (
        ({"size": 241}, "size: .*240"),
        ({"threshold": 0.0}, "threshold"),
        ({"rounds": 200}, "period x rounds"),
        ({"noise": -1.0}, "noise"),
    ):
        with pytest.raises(ValueError, match=message):
            Camera(**settings)


def test_written_files_are_those_of_n_mnist(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    events = {"x": random.integers(0, 34, 50), "y": random.integers(0, 34, 50), "p": random.integers(0, 2, 50)}
    events["t"] = np.sort(random.integers(0, 1 << 23, 50))
    assert aedat.nmnist_bytes(Events(**events)) == nmnist_bytes(events)
    (tmp_path / "a.bin").write_bytes(nmnist_bytes(events))
    assert np.array_equal(aedat.read_nmnist(tmp_path / "a.bin").t, events["t"])
    with pytest.raises(ValueError, match=r"y of 240 \.\. 240"):
        aedat.nmnist_bytes(Events(x=[0], y=[240], t=[0], p=[0]))


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fashion_dvs.make(tmp_path_factory.mktemp("moved") / "copy", 3, 2, size=20, seed=1, images="digits")


def test_simulated_events_are_read_as_recordings_and_named_so(moved: Path, tmp_path: Path) -> None:
    for by, steps in (("number", 4), ("time", 3)):
        dataset = data.load(f"fashion-dvs:{moved}", steps=steps, by=by, cache=tmp_path)
        assert dataset.train_images.shape == (30, 2, 20, 20, steps) and len(dataset.test_labels) == 20
        assert dataset.name == "fashion-dvs-simulated" and "simulated" in dataset.source
    first = aedat.read_nmnist(min((moved / "Train" / "7").glob("*.bin")))
    assert int(dataset.train_images[dataset.train_labels == 7][0].sum()) == len(first) > 50
    assert all(finding.passed for finding in data.check(f"fashion-dvs:{moved}"))
    assert registry.guess(moved) == "fashion-dvs"
    with pytest.raises(ValueError, match="nothing of it in"):
        data.load(f"nmnist:{moved}")


def test_simulated_files_are_named_by_the_image(moved: Path) -> None:
    """The first recording of a class is what the camera makes of the first such image, in its batch's stream."""
    digits = data.load("digits")
    rows = np.sort(np.concatenate([np.flatnonzero(digits.train_labels == k)[:3] for k in range(10)]))
    bright = digits.train_images[rows, 0] * np.float32(1 / 31)
    recordings = Camera(size=20, seed=1).record(bright, [1, 0, 0])
    for row, events in zip(rows, recordings, strict=True):
        (path,) = moved.glob(f"Train/{digits.train_labels[row]}/{row:05d}.bin")
        assert path.read_bytes() == aedat.nmnist_bytes(events)


def test_the_same_seed_gives_the_same_events(moved: Path, tmp_path: Path) -> None:
    again = fashion_dvs.make(tmp_path / "again", 3, 2, size=20, seed=1, images="digits")
    assert made.about(again) == made.about(moved)
    other = fashion_dvs.make(tmp_path / "other", 3, 2, size=20, seed=2, images="digits")
    assert made.digest(other) != made.digest(again)
    with pytest.raises(ValueError, match="exists already"):
        fashion_dvs.make(tmp_path / "again", images="digits")
    (again / made.ABOUT).write_text("{")
    with pytest.raises(ValueError, match=r"synthetic\.json: expected JSON such as mlsnn data make writes"):
        data.load(f"fashion-dvs:{again}")
    (again / made.ABOUT).unlink()
    os.mkfifo(again / made.ABOUT)
    with pytest.raises(ValueError, match=r"synthetic\.json: expected a file, found a pipe"):
        data.load(f"fashion-dvs:{again}")


def test_what_is_no_gray_image_is_refused(moved: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one channel without time"):
        fashion_dvs.make(tmp_path / "new", images=f"fashion-dvs:{moved}")
    assert not (tmp_path / "new").exists()


def test_commands_make_list_and_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSNN_DATA", str(tmp_path))
    arguments = ["--per-class", "2", "--test-per-class", "1", "--size", "16", "--images", "digits"]
    assert f"wrote {tmp_path / 'fashion-dvs'}" in mlsnn("data", "make", "fashion-dvs", *arguments).output
    assert "complete and right" in mlsnn("data", "check", "fashion-dvs").output
    path = tmp_path / "list.json"
    mlsnn("data", "list", "--json", str(path))
    rows = {row["name"]: row for row in json.loads(path.read_text())["datasets"]}
    assert rows["fashion-dvs"]["found"] == str(tmp_path / "fashion-dvs") and "simulated" in rows["fashion-dvs"]["title"]
    assert rows["speech-synthetic"]["found"] == "no"
    assert rows["speech-synthetic"]["page"] == "mlsnn data make speech-synthetic"
