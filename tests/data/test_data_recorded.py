"""Recordings in every format, compared with other readers, and times that run backwards."""

from __future__ import annotations

import io
import tracemalloc
import warnings

import h5py
import numpy as np
import pytest
from real_formats import (
    aedat2_bytes,
    aedat4_bytes,
    aedat31_bytes,
    dat_bytes,
    davis_bytes,
    es_bytes,
    evt2_bytes,
    evt3_bytes,
    nmnist_bytes,
    random_events,
)

from lava_mlsnn.data import clock, formats, integration
from lava_mlsnn.data.integration import Events

SIZE = (120, 160)


def recorded(count=3000, seed=0, duration=20_000_000):
    """Events with bursts of neighbors at one time, which EVT 3.0 packs as vectors."""
    random = np.random.RandomState(seed)
    t = np.sort(random.randint(0, duration, count // 4))
    t = np.repeat(t, 4)
    x = random.randint(0, SIZE[1] - 40, count // 4).repeat(4) + np.tile([0, 1, 9, 33], count // 4)
    y = random.randint(0, SIZE[0], count // 4).repeat(4)
    return {"x": x, "y": y, "t": t, "p": random.randint(0, 2, count // 4).repeat(4)}


def hdf5_bytes(events, kind="prophesee", **settings):
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        if kind == "prophesee":
            table = np.zeros(len(events["t"]), [("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])
            for name in "xytp":
                table[name] = events[name]
            file.create_dataset("CD/events", data=table, **settings)
            file.attrs["geometry"] = f"{SIZE[1]}x{SIZE[0]}"
        else:
            names = {"dsec": "xypt", "esim": ("xs", "ys", "ps", "ts")}[kind]
            for name in names:
                values = events[name[0]]
                values = values / 1e6 if name == "ts" else values * 2 - 1 if name == "ps" else values
                file.create_dataset(f"events/{name}", data=values, chunks=(500,), maxshape=(None,), **settings)
            if kind == "dsec":
                file["t_offset"] = np.int64(1_000_000)
    return out.getvalue()


def text_bytes(events, order="txyp", header=False, separator=",", seconds=False):
    lines = [separator.join(order)] if header else []
    for i in range(len(events["t"])):
        cells = {name: str(int(events[name][i])) for name in "xytp"}
        if seconds:
            cells["t"] = f"{events['t'][i] / 1e6:.6f}"
        lines.append(separator.join(cells[name] for name in order))
    return ("\n".join(lines) + "\n").encode()


def npy_bytes(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def table(events, order):
    return np.stack([events[name] for name in order], axis=1)


FORMATS = {
    "evt2.raw": evt2_bytes,
    "evt3.raw": evt3_bytes,
    "evt3 single.raw": lambda e, size: evt3_bytes(e, size, vectors=False),
    "a.dat": dat_bytes,
    "dvs.es": es_bytes,
    "atis.es": lambda e, size: es_bytes(e, size, kind=2),
    "prophesee.h5": lambda e, size: hdf5_bytes(e),
    "packed.hdf5": lambda e, size: hdf5_bytes(e, compression="gzip"),
    "esim.h5": lambda e, size: hdf5_bytes(e, "esim"),
    "a.aedat": lambda e, size: aedat31_bytes(e),
    "davis.aedat": lambda e, size: davis_bytes(e, "DAVIS346B"),
    "davis240.aedat": lambda e, size: davis_bytes(e, "Davis240C", (180, 240)),
    "header.csv": lambda e, size: text_bytes(e, "ypxt", header=True),
    "prophesee.csv": lambda e, size: text_bytes(e, "xypt"),
    "rpg.txt": lambda e, size: text_bytes(e, "txyp", separator=" ", seconds=True),
    "semicolon.csv": lambda e, size: b"# recorded\n" + text_bytes(e, "txyp", separator=";"),
    "xytp.npy": lambda e, size: npy_bytes(table(e, "xytp")),
    "txyp.npy": lambda e, size: npy_bytes(table(e, "txyp").astype(float)),
}
SENSORS = {"davis.aedat": (260, 346), "davis240.aedat": (180, 240)}
SAY_IT = ("evt2.raw", "evt3.raw", "evt3 single.raw", "a.dat", "dvs.es", "atis.es", "prophesee.h5", "packed.hdf5")


def same(found, events, shift=0):
    for name in "xyp":
        np.testing.assert_array_equal(getattr(found, name), events[name], err_msg=name)
    np.testing.assert_array_equal(found.t, events["t"] + shift)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_events(tmp_path, name):
    events = recorded()
    (tmp_path / name).write_bytes(FORMATS[name](events, SIZE))
    found = formats.read(tmp_path / name)
    same(found, events)
    assert found.sensor == SENSORS.get(name, SIZE if name in SAY_IT else None)


def test_dsec_adds_its_offset(tmp_path):
    (tmp_path / "a.h5").write_bytes(hdf5_bytes(recorded(), "dsec"))
    same(formats.read(tmp_path / "a.h5"), recorded(), 1_000_000)


def test_dsec_is_packed_with_blosc(tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    (tmp_path / "a.h5").write_bytes(hdf5_bytes(recorded(), "dsec", **hdf5plugin.Blosc(cname="zstd")))
    same(formats.read(tmp_path / "a.h5"), recorded(), 1_000_000)


def test_dat_of_version_1_and_nmnist_and_aedat4(tmp_path):
    events = random_events(500, 128, 0)
    (tmp_path / "a.dat").write_bytes(dat_bytes(events, version=1))
    same(formats.read(tmp_path / "a.dat"), events)
    (tmp_path / "a.bin").write_bytes(nmnist_bytes(events))
    same(formats.read(tmp_path / "a.bin"), events)
    pytest.importorskip("aedat")
    (tmp_path / "a.aedat4").write_bytes(aedat4_bytes(events, size=128))
    found = formats.read(tmp_path / "a.aedat4")
    same(found, events)
    assert found.sensor == (128, 128)


# -- other readers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "encoding"), [("evt2.raw", "evt2"), ("evt3.raw", "evt3"), ("a.dat", "dat")])
def test_expelliarmus_reads_the_same(tmp_path, name, encoding):
    expelliarmus = pytest.importorskip("expelliarmus")
    events = recorded(duration=1_000_000)
    path = tmp_path / name
    path.write_bytes(FORMATS[name](events, SIZE))
    theirs, ours = expelliarmus.Wizard(encoding=encoding).read(path), formats.read(path)
    for key in "xyp" if encoding == "evt3" else "xytp":  # its EVT 3.0 counts a step of the upper time bits twice
        np.testing.assert_array_equal(getattr(ours, key), theirs[key].astype(int), err_msg=key)


@pytest.mark.parametrize("name", ["evt2.raw", "evt3.raw", "a.dat", "dvs.es", "atis.es"])
def test_faery_reads_the_same(tmp_path, name):
    faery = pytest.importorskip("faery")
    path = tmp_path / name
    path.write_bytes(FORMATS[name](recorded(duration=1_000_000), SIZE))
    stream, ours = faery.events_stream_from_file(path), formats.read(path)
    theirs = np.concatenate(list(stream))
    for key, field in zip("xytp", ("x", "y", "t", "on"), strict=True):
        np.testing.assert_array_equal(getattr(ours, key), theirs[field].astype(int), err_msg=key)
    assert stream.dimensions() == ours.sensor[::-1]


@pytest.mark.parametrize(("ending", "version"), [("raw", "evt2"), ("raw", "evt3"), ("dat", None), ("es", None)])
def test_what_faery_writes_is_read(tmp_path, ending, version):
    faery = pytest.importorskip("faery")
    events = recorded(duration=1_000_000)
    array = np.zeros(len(events["t"]), faery.EVENTS_DTYPE)
    for key, field in zip("xytp", ("x", "y", "t", "on"), strict=True):
        array[field] = events[key]
    settings = {"version": version} if version else {}
    faery.events_stream_from_array(array, SIZE[::-1]).to_file(tmp_path / f"a.{ending}", **settings)
    found = formats.read(tmp_path / f"a.{ending}")
    same(found, events, -events["t"][0])  # it lets files begin at their first event
    assert found.sensor == SIZE


def test_tonic_reads_the_same_of_a_davis(tmp_path):
    tonic = pytest.importorskip("tonic")
    (tmp_path / "a.aedat").write_bytes(davis_bytes(recorded()))
    _, _, theirs = tonic.io.read_davis_346(str(tmp_path / "a.aedat"))
    theirs = theirs[theirs["t"] != 5]  # samples of frames, which it takes for events
    ours = formats.read(tmp_path / "a.aedat")
    for key in "xytp":
        np.testing.assert_array_equal(getattr(ours, key)[ours.t != 5], theirs[key].astype(int))


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xyz", b"", "a.xyz: expected a recording that ends in one of .aedat, .aedat4, .raw"),
        ("a.raw", b"", "a.raw: EVT version none in its header, expected 2.0 or 3.0"),
        (
            "a.raw",
            b"% evt 2.1\n% end\n",
            "a.raw: EVT 2.1, whose words of 64 bits hold .* convert the file to EVT 2.0 or",
        ),
        ("a.raw", b"% format EVT21;height=9;width=9\n% end\n", "a.raw: EVT 2.1, whose words of 64 bits"),
        ("a.raw", b"% evt 4.0\n% end\n", "a.raw: EVT version 4 in its header, expected 2.0 or 3.0"),
        ("a.raw", b"% evt 3.0", "a.raw: no end of the header: cut"),
        ("a.raw", evt2_bytes(recorded())[:-1], "a.raw: .* bytes of events, expected a multiple of 4: cut"),
        ("a.raw", evt3_bytes(recorded())[:-1], "a.raw: .* bytes of events, expected a multiple of 2: cut"),
        ("a.dat", dat_bytes(recorded())[:-3], "a.dat: .* bytes of events, expected a multiple of 8: cut"),
        ("a.dat", b"hello", "a.dat: no header, expected a DAT file"),
        ("a.dat", b"% Version 2\n\x0e\x08", "a.dat: type 14 and size 8, expected a DAT file of events of type 0 or 12"),
        ("a.es", b"Event", "a.es: expected a file that begins with 'Event Stream'"),
        ("a.es", b"Event Stream\x02\0\0\x04" + bytes(9), "a.es: version 2, type 4; expected version 2 of DVS or ATIS"),
        ("a.es", es_bytes(recorded())[:-2], "a.es: 3 bytes at its end, expected events of 5: cut"),
        ("a.h5", hdf5_bytes(recorded())[:-900], "a.h5: "),
        ("a.h5", b"no", "a.h5: not an HDF5 file"),
        ("a.csv", b"t,x,y\n1,2,3\n", "a.csv: no p; expected t, x, y, p, found t, x, y"),
        ("a.csv", b"1,2,3\n", r"a.csv: float64 \(1, 3\), expected numbers \(n, 4\)"),
        ("a.csv", b"t,x,y,p\n1,2,a,0\n", "a.csv: could not convert string 'a'"),
        (
            "a.csv",
            b"0,0,1,1\n1,1,1,1\n",
            "a.csv: columns that could be txyp or xypt or xytp; name them in a first line",
        ),
        ("a.csv", b"9,9,9,9\n", "a.csv: columns that could be no events"),
        ("a.csv", b"t,x,y,p\nnan,2,1,0\n", "a.csv: t holds values that are no places or times"),
        ("a.npy", npy_bytes(np.zeros((3, 5))), r"a.npy: float64 \(3, 5\), expected numbers \(n, 4\)"),
        ("a.npy", npy_bytes(np.zeros(3)), r"a.npy: float64 \(3,\), expected frames"),
    ],
)
def test_damaged_recordings_are_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"^{message}"):
        formats.read(tmp_path / name)


def test_recordings_without_events_are_empty(tmp_path):
    nothing = {name: np.zeros(0, int) for name in "xytp"}
    for name, write in FORMATS.items():
        (tmp_path / name).write_bytes(write(nothing, SIZE))
        assert len(formats.read(tmp_path / name)) == 0, name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: file.create_dataset("CD/events", (1 << 40,), [("x", "u2"), ("t", "i8")], chunks=(9,)), "at most"),
        (lambda file: file.create_dataset("events", (3, 4), "f4"), "expected events in CD/events"),
        (lambda file: file.update({"events": h5py.ExternalLink("b.h5", "/CD")}), "expected events in CD/events"),
        (lambda file: file.create_group("events"), "expected events in CD/events"),
        (
            lambda file: [file.create_dataset(f"events/{n}", (3,), "i8", external=[("b.bin", 0, 24)]) for n in "xytp"],
            "lies in another file; refused",
        ),
    ],
)
def test_hdf5_files_that_hold_something_else(tmp_path, make, message):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    with pytest.raises(ValueError, match=f"^a.h5: .*{message}"):
        formats.read(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["evt3.raw", "a.dat", "dvs.es", "packed.hdf5", "esim.h5", "davis.aedat", "rpg.txt"])
def test_damage_anywhere_is_an_error_that_names_the_file_or_other_events(tmp_path, name):
    content, random = FORMATS[name](recorded(40), SIZE), np.random.RandomState(0)
    path = tmp_path / name
    for place in random.choice(len(content), 200):
        damaged = bytearray(content)
        damaged[place] = random.choice([0, 255, random.randint(256)])
        path.write_bytes(damaged)
        try:
            assert isinstance(formats.read(path), Events)
        except ValueError as error:
            assert name in str(error)


@pytest.mark.parametrize("name", ["prophesee.h5", "packed.hdf5", "esim.h5"])
@pytest.mark.parametrize("size", [2**62, 2**64 - 1])
def test_sizes_beyond_any_file_are_refused(tmp_path, name, size):
    content = FORMATS[name](recorded(40), SIZE).replace((40).to_bytes(8, "little"), size.to_bytes(8, "little"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"^{name}: "):
        formats.read(tmp_path / name)


def test_whatever_h5py_makes_of_damage_names_the_file(tmp_path, monkeypatch):
    (tmp_path / "a.h5").write_bytes(hdf5_bytes(recorded(40)))

    def overflow(*_):
        raise OverflowError("Python int too large")  # of some sizes of chunks

    monkeypatch.setattr(formats, "_columns", overflow)
    with pytest.raises(ValueError, match=r"^a.h5: cut or damaged \(Python int too large\)"):
        formats.read(tmp_path / "a.h5")


def test_a_codec_that_is_not_installed_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.h5").write_bytes(hdf5_bytes(recorded(), "dsec", compression="gzip"))
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: False)
    with pytest.raises(
        ValueError, match=r"a.h5: /events/\w is compressed with the filter deflate.*pip install hdf5plugin"
    ):
        formats.read(tmp_path / "a.h5")


def test_prophesees_own_codec_is_refused_in_one_sentence(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "xypt":
            chunked = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            chunked.set_chunk((4,))
            chunked.set_filter(0x8ECF, h5py.h5z.FLAG_OPTIONAL, ())
            space, kind = h5py.h5s.create_simple((4,)), h5py.h5t.STD_I64LE
            group = file.require_group("CD/events")
            h5py.h5d.create(group.id, name.encode(), kind, space, chunked)
    message = "a.h5: /CD/events/. is compressed with Prophesee's codec ECF, which h5py and hdf5plugin have not"
    with pytest.raises(ValueError, match=message):
        formats.read(tmp_path / "a.h5")


def test_a_stream_of_overflows_alone_costs_little(tmp_path):
    (tmp_path / "a.es").write_bytes(es_bytes(recorded())[:20] + b"\xff" * 1_000_000)
    tracemalloc.start()
    try:
        assert len(formats.read(tmp_path / "a.es")) == 0
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


# -- times that run backwards ------------------------------------------------------------------------------------------


def at(times):
    zeros = np.zeros(len(times), int)
    return Events(zeros, zeros, times, zeros)


def by_time(times, steps=4):
    return integration.frames(at(times), steps, "time", (1, 1)).sum(axis=(0, 1, 2)).tolist()


EVEN = np.arange(1000) * 1000
BACKWARDS = {
    "32 bits": (EVEN + 2**32 - 500_500) % 2**32,
    "signed 32 bits": (EVEN + 2**31 - 500_500).astype(np.uint32).astype(np.int32),
    "31 bits": (EVEN + 2**31 - 500_500) % 2**31,
    "24 bits": (EVEN + 2**24 - 500_500) % 2**24,
    "23 bits": (EVEN // 2 + 2**23 - 250_250) % 2**23,
    "twice 16 bits": (np.arange(1000) * 99 + 30_000) % 2**16,
    "late packet": np.r_[EVEN[:250], EVEN[500:], EVEN[250:500]],
    "late first packet": np.r_[EVEN[250:], EVEN[:250]],
    "one late event": np.r_[EVEN[1:], EVEN[0]],
    "late event within an overflow": np.r_[
        ((EVEN + 2**32 - 500_500) % 2**32)[[*range(499), 501, 500, 499]], EVEN[502:] - 500_500
    ],
    "jitter": EVEN + np.random.RandomState(0).randint(0, 3000, 1000),
}


@pytest.mark.parametrize("kind", BACKWARDS)
def test_frames_by_time_are_even_whatever_the_counter_did(kind):
    with pytest.warns(UserWarning, match=r"times run backwards \((overflow|late|overflow and late)\)"):
        found = by_time(BACKWARDS[kind])
    assert sum(found) == 1000 and max(abs(n - 250) for n in found) <= 2


def test_events_in_order_are_left_alone():
    for times in (EVEN, EVEN * 0, EVEN[:1], EVEN[:0], np.r_[EVEN[:10], EVEN[10:] + 2**40]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert clock.mended(times) == (times, "") or clock.mended(times)[0] is times
            by_time(times)


@pytest.mark.parametrize(
    "times", [np.r_[EVEN[:500], EVEN[:500]], np.r_[EVEN[::2], EVEN[1::2]], np.r_[EVEN, EVEN + 77, EVEN + 3]]
)
def test_clocks_that_were_set_back_are_refused(times):
    with pytest.raises(ValueError, match=r"times run backwards from \d+ to \d+ at event .* a clock that was set back"):
        by_time(times)
    integration.frames(at(times), 4, "number", (1, 1))  # the order of the file, as everywhere


def test_a_counter_of_known_width_overflows_anywhere():
    times = np.array([0, 3_000_000_000, 500_000_000, 2_000_000_000])
    assert clock.mended(times, 32)[0].tolist() == [0, 3 * 10**9, 2**32 + 5 * 10**8, 2**32 + 2 * 10**9]


@pytest.mark.parametrize("name", ["a.aedat", "a.dat", "evt2.raw", "evt3.raw", "a.bin"])
def test_counters_of_the_formats(tmp_path, name):
    bits = {"evt2.raw": 34, "evt3.raw": 24, "a.bin": 23}.get(name, 32)
    true = np.arange(0, 3_000_000, 1000) + (1 << bits) - 1_500_500
    zeros = np.zeros(len(true), int)
    events = {"x": zeros, "y": zeros, "t": true % (1 << bits), "p": zeros}
    write = {"a.aedat": aedat2_bytes, "a.bin": nmnist_bytes, **FORMATS}
    content = (
        aedat2_bytes(events)
        if name == "a.aedat"
        else write[name](events)
        if name == "a.bin"
        else write[name](events, SIZE)
    )
    (tmp_path / name).write_bytes(content)
    found, said = formats.read(tmp_path / name).in_order()
    np.testing.assert_array_equal(np.diff(found.t), 1000)
    assert said == ("" if name == "evt3.raw" else "overflow")  # EVT 3.0 overflows every 17 seconds


# -- long recordings ---------------------------------------------------------------------------------------------------


def test_samples_of_a_fixed_duration_and_of_a_fixed_number():
    events = Events(**random_events(1000, 8, 0))
    times = events.t - events.t[0]
    found = np.stack(list(integration.samples(events, 3, duration=10_000, sensor=(8, 8))))
    assert len(found) == times[-1] // 10_000 // 3
    expected = np.bincount(times // 10_000, minlength=1000)[: len(found) * 3]
    np.testing.assert_array_equal(found.sum(axis=(1, 2, 3)).ravel(), expected)
    found = np.stack(list(integration.samples(events, 3, number=70, sensor=(8, 8), size=4)))
    assert found.shape == (4, 2, 4, 4, 3) and (found.sum(axis=(1, 2, 3)) == 70).all()
    np.testing.assert_array_equal(found[1, ..., 0].sum(), 70)
    first = integration.frames(events[210:280], 1, sensor=(8, 8), size=4)[..., 0]
    np.testing.assert_array_equal(found[1, ..., 0], first)


def test_a_short_recording_gives_one_sample():
    for events in (at(np.array([5, 6])), at(np.zeros(0, int))):
        for how in ({"duration": 10}, {"number": 10}):
            (found,) = integration.samples(events, 2, sensor=(1, 1), **how)
            assert found.sum() == len(events) and found[..., 1].sum() == 0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "expected a duration or a number"),
        ({"duration": 1, "number": 1}, "expected a duration or a number"),
        ({"duration": 0}, "duration: expected an integer >= 1"),
        ({"number": 2.5}, "events: expected an integer >= 1"),
    ],
)
def test_samples_of_no_length(how, message):
    with pytest.raises(ValueError, match=message):
        list(integration.samples(at(EVEN), 2, sensor=(1, 1), **how))
