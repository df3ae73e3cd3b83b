"""events:PATH: any folder of recordings, or a table of them; many samples out of long ones; what is mended is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import mlsnn
from real_formats import dat_bytes, evt3_bytes, random_events, seed_of, write_nmnist

from lava_mlsnn import data
from lava_mlsnn.data import cache, events, formats, integration, registry
from lava_mlsnn.data.integration import Events

SIZE = (32, 40)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


def content(label, number, count=300, **changes):
    return {**random_events(count, 32, seed_of(0, "Train", label, number), label), **changes}


def write(folder, classes=("wave", "clap"), count=5, name="{}.dat", write=dat_bytes):
    for label, inner in enumerate(classes):
        (folder / inner).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            (folder / inner / name.format(i)).write_bytes(write(content(label, i), SIZE))
    return folder


def expected(label, number, steps=3, by="number"):
    return integration.frames(Events(**content(label, number)), steps, by, SIZE)


def test_a_folder_of_one_folder_per_class(tmp_path):
    found = data.load(f"events:{write(tmp_path / 'own')},steps=3,test=0")
    assert found.labels == ("clap", "wave") and found.train_labels.tolist() == [0] * 5 + [1] * 5
    assert found.shape == (2, *SIZE) and (found.bits, found.input_scale) == (8, 1.0)
    for i in range(5):
        np.testing.assert_array_equal(found.train_images[i], expected(1, i))
        np.testing.assert_array_equal(found.train_images[5 + i], expected(0, i))
    assert found.source == (
        "Recordings in own (.dat), 10 training and 0 test recordings (test=0), 3 frames 32x40 by number."
    )


def test_what_is_held_out(tmp_path):
    folder = write(tmp_path / "own")
    found = data.load(f"events:{folder}")
    assert (len(found.train_labels), np.bincount(found.test_labels).tolist()) == (8, [1, 1])
    assert "test=0.2: that share of each class, seed 20250" in found.source
    assert len(data.load(f"events:{folder},test=1").test_labels) == 10
    with pytest.raises(
        ValueError, match=r"Recordings in own: split: class 0 has 5 members, too few .* test=1 tests all"
    ):
        data.load(f"events:{folder},test=0.05")
    write(tmp_path / "own" / "train", count=3)
    write(tmp_path / "own" / "test", classes=("clap", "jump"), count=2)
    found = data.load(f"events:{folder}")
    assert found.labels == ("clap", "jump", "wave") and found.test_labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"option test=0.5: the data have a split"):
        data.load(f"events:{folder},test=0.5")


def test_a_table_of_files(tmp_path):
    write(tmp_path / "all", name="{}.raw", write=evt3_bytes)
    table = tmp_path / "list.csv"
    table.write_text("all/wave/0.raw,wave\nall/clap/1.raw,clap\n\nall/wave/2.raw,wave\n")
    found = data.load(f"events:{table},steps=3,test=0")
    assert found.labels == ("clap", "wave") and found.train_labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(found.train_images, [expected(0, 0), expected(1, 1), expected(0, 2)])
    table.write_text("label,split,file\n7,train,all/wave/0.raw\n3,test,all/clap/1.raw\n")
    found = data.load(f"events:{table}")
    assert found.labels == tuple("01234567") and (found.train_labels.tolist(), found.test_labels.tolist()) == ([7], [3])
    assert "(as given)" in found.source


def test_samples_of_a_long_file_are_named_by_their_times(tmp_path, monkeypatch):
    (tmp_path / "a.dat").write_bytes(dat_bytes(content(0, 0), SIZE))
    table = tmp_path / "list.csv"
    table.write_text("file,label,start,stop\na.dat,x,0,400000\na.dat,y,400000,1000000\n")
    seen, read = [], formats.read
    monkeypatch.setattr(formats, "read", lambda path: (seen.append(path), read(path))[1])
    events._whole_file.cache_clear()
    found = data.load(f"events:{table},test=0,sensor=32x40")
    times = content(0, 0)["t"]
    first = int((times < 400_000).sum())
    assert found.train_images.sum(axis=(1, 2, 3, 4), dtype=int).tolist() == [first, 300 - first] and len(seen) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.dat,x\nb.dat,x\n", "line 2: .* there is no file 'b.dat'"),
        ("a.dat,x,train\n", r"line 1: \['a.dat', 'x', 'train'\], expected file,label"),
        ("file,label,user\na.dat,x,1\n", "column 'user', expected file, label, split, start, stop"),
        ("file,label,split\na.dat,x,validation\n", "line 2: split 'validation', expected train or test"),
        ("file,label,split\na.dat,x,\na.dat,y,test\n", "expected a split of train or test in every line, or in none"),
        ("file,label,start,stop\na.dat,x,5,\n", "line 2: .* expected start <= stop"),
        ("file,label,start,stop\na.dat,x,5,a\n", "line 2: invalid literal"),
        ("file,label\na.dat,\n", "line 2: .*expected a recording and its label"),
    ],
)
def test_tables_that_make_no_sense(tmp_path, text, message):
    (tmp_path / "a.dat").write_bytes(dat_bytes(content(0, 0), SIZE))
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ValueError, match=f"^list.csv.*{message}"):
        data.load(f"events:{tmp_path / 'list.csv'}")


def test_the_sensor_is_told_by_the_files_or_by_the_user(tmp_path):
    folder = write(tmp_path / "own", name="{}.npy", write=lambda e, size: npy(e))
    with pytest.raises(ValueError, match=r"clap/0.npy does not say how large the sensor is: give sensor=HxW"):
        data.load(f"events:{folder}")
    assert data.load(f"events:{folder},sensor=32x40").shape == (2, 32, 40)
    assert data.load(f"events:{folder},sensor=32").shape == (2, 32, 32)
    assert data.load("events", folder, sensor=(32, 40)).shape == (2, 32, 40)
    assert data.load(f"events:{folder},sensor=32x40,size=16").shape == (2, 16, 16)
    for wrong in ("32x", "x", "0x9", "-3"):
        with pytest.raises(ValueError, match="option sensor"):
            data.load(f"events:{folder},sensor={wrong}")
    with pytest.raises(ValueError, match=r"Recordings in own: \w+/\d.npy: events: x = .* expected 0 .. 9"):
        data.load(f"events:{folder},sensor=10")


def npy(content):
    import io

    out = io.BytesIO()
    np.save(out, np.stack([content[name] for name in "txyp"], axis=1))
    return out.getvalue()


def test_frames_that_others_made(tmp_path):
    (tmp_path / "a").mkdir()
    frames = np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5)
    np.savez(tmp_path / "a" / "0.npz", frames=frames)
    found = data.load(f"events:{tmp_path},steps=3,test=1")
    np.testing.assert_array_equal(found.test_images[0], np.moveaxis(frames, 0, -1))
    with pytest.raises(ValueError, match=r"a/0.npz: ready frames; duration and events are for recordings of events"):
        data.load(f"events:{tmp_path},steps=3,test=1,duration=5")


# -- long recordings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["duration=50000", "events=25"])
def test_a_long_recording_is_many_samples(tmp_path, how):
    folder = write(tmp_path / "own", count=2)
    found = data.load(f"events:{folder},steps=3,{how},test=0")
    key, value = how.split("=")
    settings = {"duration" if key == "duration" else "number": int(value)}
    lists = [
        list(integration.samples(Events(**content(k, i)), 3, sensor=SIZE, **settings)) for k in (1, 0) for i in (0, 1)
    ]
    images = [sample for samples in lists for sample in samples]
    assert len(images) > 8
    np.testing.assert_array_equal(found.train_images, images)
    np.testing.assert_array_equal(found.train_labels, np.repeat([0, 0, 1, 1], [len(samples) for samples in lists]))
    left = 4 * 300 - int(np.sum(images))
    unit = "us" if key == "duration" else "events"
    assert f" as {len(images)} and 0 samples, 3 frames 32x40 of {value} {unit} each." in found.source
    assert (f"{left} events that fill no sample" in found.source) == (left > 0)
    again = data.load(f"events:{folder},steps=3,{how},test=0")  # from the cache
    np.testing.assert_array_equal(again.train_images, images)
    assert again.source == found.source


def test_published_data_become_samples_too(tmp_path):
    folder = write_nmnist(tmp_path)
    found = data.load(f"nmnist:{folder},steps=2,events=50,complete=no")
    assert found.train_images.shape == (60, 2, 34, 34, 2) and found.train_labels.tolist() == sorted([*range(10)] * 6)
    with pytest.raises(ValueError, match="options duration and events both say how long a frame is"):
        data.load(f"nmnist:{folder},events=5,duration=5,complete=no")
    with pytest.raises(ValueError, match="option events: expected an integer >= 1, got 0"):
        data.load(f"nmnist:{folder},events=0,complete=no")


# -- times that run backwards ------------------------------------------------------------------------------------------


def mixed(folder):
    """Recordings in order, with an overflow, with a late packet, with both and with a clock that was set back."""
    times = content(0, 0)["t"]
    overflow = (times + 2**32 - 500_000) % 2**32
    late = np.r_[overflow[:100], overflow[120:150], overflow[100:120], overflow[150:]]
    kinds = {
        "ok": times,
        "overflow": overflow,
        "late": np.r_[times[:200], times[220:], times[200:220]],
        "both": late,
        "reset": np.r_[times[::2], times[::2]],
    }
    for name, values in kinds.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "0.dat").write_bytes(dat_bytes(content(0, 0, t=values), SIZE))
    return folder


def test_what_was_mended_is_said_and_what_cannot_be_is_refused(tmp_path):
    folder = mixed(tmp_path / "own")
    name = f"events:{folder},steps=4,by=time,test=0"
    with pytest.raises(ValueError, match=r"reset/0.dat: times run backwards .* a clock that was set back"):
        data.load(name)
    assert data.load(name.replace("time", "number")).train_images.shape[0] == 5  # in the order of the file
    (folder / "reset" / "0.dat").unlink()
    found = data.load(name)
    sums = found.train_images.sum(axis=(1, 2, 3), dtype=int)
    assert found.labels == ("both", "late", "ok", "overflow") and (sums == sums[2]).all()
    assert "Times of 2 recordings ran backwards by an overflow, which was undone." in found.source
    assert "Times of 2 recordings ran backwards by late events, which were sorted." in found.source
    assert data.load(name).source == found.source


def test_check_tells_which_recordings_run_backwards(tmp_path):
    told = {finding.what: finding for finding in data.check("events", mixed(tmp_path / "own"))}
    assert told["times"].passed
    assert told["times"].detail == (
        "3 recordings whose times run backwards, which is mended; the first is both/0.dat (overflow and late)"
    )
    assert not told["content"].passed and "1 damaged: times run backwards" in told["content"].detail


# -- names and commands ------------------------------------------------------------------------------------------------


def test_names_of_own_recordings(tmp_path):
    folder = write(tmp_path / "own")
    assert registry.guess(folder) == "events" and data.has_frames(f"events:{folder}")
    assert registry.guess(write_nmnist(tmp_path / "nmnist")) == "nmnist"
    with pytest.raises(ValueError, match="dataset 'events': expected events:PATH"):
        data.load("events")
    with pytest.raises(
        ValueError, match="none: no recordings; expected a folder of one folder of recordings per class"
    ):
        data.load(f"events:{tmp_path}/none")
    with pytest.raises(ValueError, match="option 'complete'; expected one of: steps, by, duration"):
        data.load(f"events:{folder},complete=no")


def test_the_commands_take_own_recordings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"events:{write(tmp_path / 'own', count=10)},size=8"
    size = ("-m", "width=2", "-m", "depth=1", "--epochs", 1, "--quantized-epochs", 1, "--batch", 4)
    mlsnn("train", "cnn", "-T", 2, "--data", f"{name},duration=100000", *size)
    (model,) = tmp_path.glob("runs/events_cnn_*/model.safetensors")
    mlsnn("export", model, "-o", "own.net")
    mlsnn("simulate", "own.net", "--data", name)
    assert "by number" in json.loads((tmp_path / "own.simulate.json").read_text())["run"]["dataset"]["source"]
    mlsnn("energy", "own.net", "--data", f"{name},by=time")
    result = mlsnn("data", "check", tmp_path / "own")
    assert "nothing is wrong" in result.output and "20 recordings read (.dat)" in result.output
