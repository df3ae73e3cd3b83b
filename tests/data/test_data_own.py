"""One's own images: .npz files, folders of pictures, idx files, by their path, in Python and in every command."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from commands import mlsnn
from PIL import Image
from real_formats import gray_images, idx_bytes, write_idx

from lava_mlsnn import data, netx, train
from lava_mlsnn.data import _npy, own
from lava_mlsnn.train.experiment import default_model, default_recipe


def saved(path, **content):
    np.savez(path, **content)
    return path


def for_network(path, bits=3, classes=2, scale=1.0):
    """As commands load it for a network."""
    return own.load(path, test=1, bits=bits, input_scale=scale, labels=tuple(map(str, range(classes))))


# -- .npz --------------------------------------------------------------------------------------------------------------


def test_images_and_labels_of_a_file_are_the_test_set(tmp_path):
    images, labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2), np.array([1, 0])
    found = for_network(saved(tmp_path / "a.npz", images=images, labels=labels), 8, 2, 1 / 255)
    np.testing.assert_array_equal(found.test_images, images)
    np.testing.assert_array_equal(found.test_labels, labels)
    assert (found.shape, found.num_classes, len(found.train_labels)) == ((3, 2, 2), 2, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": np.zeros((2, 1, 1, 1), np.uint8)}, "a.npz: no labels, found images"),
        ({"images": np.zeros((2, 1, 1, 1), np.uint8), "labels": [0]}, "a.npz: 1 labels for 2 images"),
        ({"images": np.full((1, 1, 1, 1), 9, np.uint8), "labels": [0]}, "a.npz: pixel 9 does not fit 3 bits"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [7]}, "expected test labels in 0 .. 1"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [-1]}, "a.npz: labels -1 .. -1, expected classes"),
        ({"images": np.array([{"a": 1}], object), "labels": [0]}, "a.npz: Python objects"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [0.5]}, "a.npz: labels of float64, expected whole"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [np.nan]}, "a.npz: labels of float64, expected whole"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": ["a"]}, "a.npz: labels of <U1, expected whole numbers"),
        ({"images": np.zeros((1, 1, 1, 1), np.uint8), "labels": [[0, 1]]}, r"one-hot rows, give labels.argmax\(1\)"),
        ({"images": np.full((1, 1, 1, 1), -1), "labels": [0]}, "a.npz: images -1 .. -1, expected whole numbers from 0"),
        ({"images": np.array(["a"]), "labels": [0]}, r"a.npz: images of <U1 \(1,\), expected numbers"),
        ({"images": np.full((1, 1, 1, 1), np.inf), "labels": [0]}, "a.npz: images are floats inf .. inf"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        for_network(saved(tmp_path / "a.npz", **content))


def test_whole_numbers_in_another_type_are_labels(tmp_path):
    path = saved(tmp_path / "a.npz", images=np.zeros((2, 1, 1, 1), np.uint8), labels=[[1.0], [0.0]])
    assert for_network(path).test_labels.tolist() == [1, 0]


@pytest.mark.parametrize("column", [[0, 1, 0, 0], [False, True, False, False], ["train", "test", "train", "train"]])
def test_a_split_in_the_file_rules(tmp_path, column):
    images = np.arange(4, dtype=np.int32).reshape(4, 1, 1, 1)
    path = saved(tmp_path / "a.npz", images=images, labels=[0, 1, 2, 0], split=column)
    for found in (data.load(str(path)), for_network(path, classes=3)):
        assert found.train_images.ravel().tolist() == [0, 2, 3] and found.test_images.ravel().tolist() == [1]
        assert found.train_labels.tolist() == [0, 2, 0] and found.test_labels.tolist() == [1]
    assert data.load(str(path)).source == "a.npz, 3 training and 1 test images."
    with pytest.raises(ValueError, match=r"split of int64 .*, expected 0 .train. or 1 .test."):
        data.load(str(saved(tmp_path / "a.npz", images=images, labels=[0, 1, 2, 0], split=[0, 1, 2, 0])))


def test_the_layout_of_keras_holds_a_split(tmp_path):
    x = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    path = saved(tmp_path / "mnist.npz", x_train=x, y_train=[0, 1], x_test=x[:1], y_test=[1])
    found = data.load(str(path))
    assert found.train_images.shape == (2, 1, 2, 2) and found.test_labels.tolist() == [1]


def test_without_a_split_a_share_of_each_class_is_held_out(tmp_path):
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    path = saved(tmp_path / "a.npz", images=images, labels=np.arange(50) % 5)
    found = data.load(str(path))
    assert np.bincount(found.test_labels).tolist() == [2] * 5 and len(found.train_labels) == 40
    assert sorted([*found.train_images.ravel(), *found.test_images.ravel()]) == list(range(50))
    assert "test=0.2: that share of each class, seed 20250" in found.source
    np.testing.assert_array_equal(data.load(str(path)).test_images, found.test_images)
    for text, counts in (("test=0.4", (30, 20)), ("test=1", (0, 50)), ("test=0", (50, 0))):
        part = data.load(f"{path},{text}")
        assert (len(part.train_labels), len(part.test_labels)) == counts, text
    with pytest.raises(ValueError, match=r"too few for a part of 0.2; test=1 tests all images, test=0 none"):
        data.load(str(saved(tmp_path / "a.npz", images=images[:2], labels=[0, 1])))
    with pytest.raises(ValueError, match="option test: expected a finite number"):
        data.load(f"{path},test=2")


@pytest.mark.parametrize(
    ("dtype", "bits"), [(np.uint8, 8), (np.int16, 8), (np.int64, 8), (bool, 8), (np.float32, 8), (np.float64, 8)]
)
def test_pixels_of_every_type_become_the_integers_of_the_network(tmp_path, dtype, bits):
    pixels = np.random.default_rng(0).integers(0, 2 if dtype is bool else 256, (6, 1, 4, 4))
    given = (pixels / 255).astype(dtype) if np.dtype(dtype).kind == "f" else pixels.astype(dtype)
    found = data.load(f"{saved(tmp_path / 'a.npz', images=given, labels=np.zeros(6, int))},test=1")
    np.testing.assert_array_equal(found.test_images, pixels)
    assert found.test_images.dtype == np.uint8 and (found.bits, found.input_scale) == (bits, 1 / 255)
    assert ("exactly" in found.source) == (np.dtype(dtype).kind == "f")


def test_floats_that_are_no_multiples_are_rounded_and_it_is_said(tmp_path):
    values = np.array([0.0, 1 / 16, 0.5, 1.0]).reshape(4, 1, 1, 1)
    path = saved(tmp_path / "a.npz", images=values, labels=[0] * 4)
    found = data.load(f"{path},test=1")
    assert found.test_images.ravel().tolist() == [0, 16, 128, 255]
    assert "floats as multiples of 0.00392157, off by at most 0.002" in found.source
    found = data.load(f"{path},test=1,bits=5,input_scale=0.0625")
    assert found.test_images.ravel().tolist() == [0, 1, 8, 16] and "exactly" in found.source
    assert (found.bits, found.input_scale) == (5, 0.0625)


def test_wide_pixels_take_the_bits_that_they_need(tmp_path):
    path = saved(tmp_path / "a.npz", images=np.array([[[[4095]]]]), labels=[0])
    found = data.load(f"{path},test=1")
    assert (found.bits, found.test_images.dtype, found.input_scale) == (12, np.uint16, 1 / 4095)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([-0.42, 2.8], "floats -0.42 .. 2.8, expected 0 .. 1; leave out a normalization"),
        ([0.0, 255.0], r"floats 0 .. 255, expected 0 .. 1; whole numbers are taken as integers: images.astype"),
        ([0.0, np.nan], "expected 0 .. 1"),
    ],
)
def test_floats_that_are_no_pixels(tmp_path, values, message):
    path = saved(tmp_path / "a.npz", images=np.array(values).reshape(2, 1, 1, 1), labels=[0, 0])
    with pytest.raises(ValueError, match=message):
        data.load(f"{path},test=1")


@pytest.mark.parametrize(
    ("shape", "order", "permuted"),
    [
        ((6, 4, 2, 9, 9), "NTCHW", (0, 2, 3, 4, 1)),
        ((6, 10, 2, 9, 12), "NTCHW", (0, 2, 3, 4, 1)),
        ((4, 6, 2, 9, 9), "TNCHW", (1, 2, 3, 4, 0)),
        ((6, 32, 32, 3), "NHWC", (0, 3, 1, 2)),
        ((6, 8, 9, 1), "NHWC", (0, 3, 1, 2)),
    ],
)
def test_axes_in_another_order_are_found_and_the_permutation_is_suggested(tmp_path, shape, order, permuted):
    images = np.arange(np.prod(shape)).reshape(shape) % 251
    path = saved(tmp_path / "a.npz", images=images, labels=np.arange(6) % 2)
    with pytest.raises(ValueError, match=f"give order='{order}', or permute them with images.transpose") as error:
        data.load(str(path))
    assert str(permuted)[1:-1] in str(error.value)
    found = data.load(f"{path},order={order},test=1")
    np.testing.assert_array_equal(found.test_images, images.transpose(permuted))


@pytest.mark.parametrize("shape", [(6, 2, 9, 9, 4), (6, 3, 9, 12, 4), (6, 1, 8, 9), (6, 3, 32, 32), (6, 64, 4, 4)])
def test_axes_in_the_usual_order_are_taken(tmp_path, shape):
    path = saved(tmp_path / "a.npz", images=np.zeros(shape, np.uint8), labels=np.zeros(6, int))
    assert data.load(f"{path},test=1").test_images.shape == shape


@pytest.mark.parametrize(
    ("order", "message"),
    [("NTC", "expected N, H, W and"), ("NCHWX", "expected N, H, W and"), ("NCHW", "4 axes for images of shape")],
)
def test_orders_that_make_no_sense(tmp_path, order, message):
    path = saved(tmp_path / "a.npz", images=np.zeros((6, 1, 2, 2, 3), np.uint8), labels=np.zeros(6, int))
    with pytest.raises(ValueError, match=f"order '{order}': .*{message}"):
        data.load(f"{path},order={order}")


def test_rows_of_features_are_images_of_one_pixel(tmp_path):
    path = saved(tmp_path / "iris.npz", images=np.arange(8).reshape(2, 4), labels=[0, 1])
    assert for_network(path).test_images.shape == (2, 4, 1, 1)


def test_a_small_archive_of_very_many_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_npy, "LIMIT", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((1 << 21, 1, 1, 1), np.uint8), labels=[0], more=np.zeros(9))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"a\.npz: arrays of 2,097,\d+ bytes, expected at most 1,048,576"):
            for_network(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = saved(tmp_path / "a.npz", images=np.zeros((9, 1, 8, 8), np.uint8), labels=np.zeros(9, int))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"a\.npz"):
        for_network(path, 8)


# -- folders of images -------------------------------------------------------------------------------------------------


def pictures(folder, classes=("cat", "dog"), count=5, mode="RGB", size=(6, 4), ending="png"):
    """Images whose every pixel is 10 label + number."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            value = 10 * label + i
            color = value if mode == "L" else (value, 0, 255)
            Image.new(mode, size, color).save(folder / name / f"{i}.{ending}")
    return folder


@pytest.mark.parametrize("ending", ["png", "PNG", "jpg", "jpeg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_folder_of_one_folder_per_class(tmp_path, mode, ending):
    found = data.load(f"{pictures(tmp_path / 'pets', mode=mode, ending=ending)},test=0")
    assert found.labels == ("cat", "dog") and found.train_labels.tolist() == [0] * 5 + [1] * 5
    assert found.train_images.shape == (10, 1 if mode == "L" else 3, 4, 6)
    near = 0 if ending.lower() == "png" else 3
    assert np.abs(found.train_images[:, 0, 0, 0].astype(int) - [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]).max() <= near
    assert len(data.load(str(tmp_path / "pets")).test_labels) == 2
    assert found.source == "images of pets/, all 10 images for training (test=0)."


@pytest.mark.parametrize(("first", "second"), [("train", "test"), ("Training", "Validation"), ("train", "val")])
def test_a_folder_of_two_parts(tmp_path, first, second):
    pictures(tmp_path / first, count=3)
    pictures(tmp_path / second, classes=("dog",), count=2)
    found = data.load(str(tmp_path))
    assert found.train_labels.tolist() == [0] * 3 + [1] * 3 and found.test_labels.tolist() == [1, 1]
    assert found.labels == ("cat", "dog")


def test_images_are_cropped_scaled_and_turned_gray_when_asked(tmp_path):
    pictures(tmp_path)
    Image.new("L", (8, 8), 200).save(tmp_path / "cat" / "9.png")
    with pytest.raises(ValueError, match=r"cat/9.png: 8 x 8 pixels, the images before it have 6 x 4: give size=N"):
        data.load(str(tmp_path))
    assert data.load(f"{tmp_path},size=4").shape == (3, 4, 4)
    assert data.load(f"{tmp_path},size=4,gray=yes").shape == (1, 4, 4)
    assert data.load(f"{tmp_path},size=4,gray=yes,test=0").train_images[5].tolist() == [[[200] * 4] * 4]


def test_classes_of_a_folder_are_those_of_the_network_by_name(tmp_path):
    pictures(tmp_path, classes=("dog", "ant"), count=1, mode="L")
    assert own.load(tmp_path, test=1, labels=("ant", "cat", "dog")).test_labels.tolist() == [0, 2]
    assert own.load(tmp_path, test=1, labels=("0", "1")).test_labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match="classes ant, dog; the network's are cat, dog"):
        own.load(tmp_path, test=1, labels=("cat", "dog"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b"no image"), "cat/0.png: expected a PNG or JPEG file"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "cat/0.png: "),
        (lambda path: path.with_suffix(".txt").touch(), "cat/0.txt: expected PNG or JPEG files only"),
        (lambda path: Image.new("I;16", (6, 4)).save(path), "cat/0.png: pixels of more than 8 bits; expected 8"),
        (lambda path: Image.new("RGBA", (6, 4)).save(path), "cat/0.png: transparent pixels; expected none"),
        (lambda path: Image.new("1", (5000, 5000)).save(path), "cat/0.png: 5000 x 5000 pixels, expected at most"),
    ],
)
def test_damaged_images_are_refused_by_name(tmp_path, damage, message):
    pictures(tmp_path)
    damage(tmp_path / "cat" / "0.png")
    with pytest.raises(ValueError, match=message):
        data.load(str(tmp_path))


def test_opaque_images_and_palettes_are_read(tmp_path):
    pictures(tmp_path, mode="RGBA", classes=("cat",), count=1)  # (0, 0, 255) is blue, opaque
    image = Image.new("P", (6, 4), 1)
    image.putpalette([0, 0, 0, 7, 8, 9])
    image.save(tmp_path / "cat" / "1.png", transparency=0)
    assert data.load(f"{tmp_path},test=0").train_images[:, :, 0, 0].tolist() == [[0, 0, 255], [7, 8, 9]]


# -- idx files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_by_their_path(tmp_path, packed):
    write_idx(tmp_path, packed=packed)
    ending = ".gz" if packed else ""
    first = f"{tmp_path}/train-images-idx3-ubyte{ending}"
    for text in (first, f"{tmp_path}/t10k-images-idx3-ubyte{ending}", str(tmp_path)):
        found = data.load(text)
        np.testing.assert_array_equal(found.train_images[:, 0], gray_images(40, 0)[0])
        np.testing.assert_array_equal(found.test_labels, gray_images(20, 1)[1])
    for path in tmp_path.glob("t10k*"):
        path.unlink()
    alone = data.load(first + ",test=0.5")
    assert len(alone.train_labels) == 0 or len(alone.test_labels) == 0  # a file of training images is no test


def test_idx_files_of_other_names_and_without_labels(tmp_path):
    images, labels = gray_images(20, 3, side=9)
    (tmp_path / "my-images.idx3").write_bytes(idx_bytes(images))
    with pytest.raises(ValueError, match=r"my-images.idx3: expected a file of images whose labels lie beside it"):
        data.load(str(tmp_path / "my-images.idx3"))
    (tmp_path / "my-labels.idx1").write_bytes(idx_bytes(labels.astype(np.uint8)))
    found = data.load(f"{tmp_path / 'my-images.idx3'},test=0.5")
    assert found.train_images.shape == found.test_images.shape == (10, 1, 9, 9)


# -- names, paths and commands -----------------------------------------------------------------------------------------


def test_what_is_no_data_lists_what_would_be(tmp_path):
    with pytest.raises(ValueError, match=r"'cifar11': expected one of digits, .* or a path: FILE.npz"):
        data.load("cifar11")
    with pytest.raises(FileNotFoundError, match=r"none.npz: no such file or folder; expected FILE.npz"):
        data.load(str(tmp_path / "none.npz"))
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(ValueError, match=r"a.txt: expected FILE.npz with images and labels, a folder"):
        data.load(str(tmp_path / "a.txt"))
    with pytest.raises(ValueError, match=r"no images; expected FILE.npz"):
        data.load(str(tmp_path))
    with pytest.raises(ValueError, match="option 'steps'; expected one of: test, order"):
        data.load(f"{tmp_path},steps=3")
    with pytest.raises(ValueError, match="options size and gray are for folders"):
        data.load(f"{saved(tmp_path / 'a.npz', images=[[1]], labels=[0])},gray=yes")


def test_own_images_get_the_small_network_and_the_usual_recipe(tmp_path):
    path = saved(tmp_path / "digits.npz", images=[[1]], labels=[0])
    assert default_model(str(path))[1] == {"width": 16, "blocks": (1, 1)}
    assert default_recipe(str(path)) == "digits" and not data.has_frames(str(path))
    with pytest.raises(ValueError, match="cifar11"):
        default_model("cifar11")


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """Digits as somebody else's file without a split, and as a folder of pictures."""
    folder = tmp_path_factory.mktemp("own")
    digits = data.load("digits")
    chosen = np.concatenate([np.flatnonzero(digits.train_labels == label)[:12] for label in range(10)])
    images, labels = digits.train_images[chosen] * 15, digits.train_labels[chosen]
    np.savez(folder / "cli.npz", images=images, labels=labels)
    for i, (image, label) in enumerate(zip(images[:, 0], labels, strict=True)):
        (folder / "pictures" / f"class {label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "pictures" / f"class {label}" / f"{i:03d}.png")
    write_idx(folder / "idx", 40, 20)
    return folder


@pytest.mark.parametrize("kind", ["cli.npz", "pictures", "idx/train-images-idx3-ubyte.gz"])
def test_every_command_takes_the_same_argument(blocks, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    own_data = blocks / kind
    size = ("-m", "width=2", "-m", "depth=1", "--epochs", 1, "--batch", 20)
    mlsnn("train", "cnn", "--data", own_data, "--quantized-epochs", 0, *size)
    (model,) = tmp_path.glob("runs/*/model.safetensors")
    assert json.loads(model.with_name("result.json").read_text())["command"].startswith("mlsnn train cnn --data ")
    net = tmp_path / "own.net"
    mlsnn("export", model, "-o", net)
    mlsnn("simulate", net, "--data", own_data)
    content = json.loads((tmp_path / "own.simulate.json").read_text())
    expected = 20 if kind.startswith("idx") else 120
    assert f"{expected} " in content["run"]["dataset"]["source"]
    mlsnn("simulate", net, "--data", own_data, "--lava", "fused", "--samples", 2)
    mlsnn("energy", net, "--data", f"{own_data},test=0.25")
    mlsnn("report", net, "--data", own_data)
    mlsnn("fit", net, "--data", own_data)


@pytest.mark.filterwarnings("ignore:NIR node 'fire'. weights lost:UserWarning")
def test_nir_files_are_imported_with_own_data(blocks, tmp_path, monkeypatch):
    nir = pytest.importorskip("nir")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    nodes = {
        "input": nir.Input({"input": np.array([1, 8, 8])}),
        "flat": nir.Flatten({"input": np.array([1, 8, 8])}, start_dim=0),
        "fc": nir.Affine(rng.normal(size=(10, 64)), np.zeros(10)),
        "fire": nir.IF(np.full(10, 1e4), np.ones(10)),
        "output": nir.Output({"output": np.array([10])}),
    }
    names = list(nodes)
    nir.write("c1.nir", nir.NIRGraph(nodes, list(pairwise(names))))
    result = mlsnn("import", "c1.nir", "--data", blocks / "cli.npz", "--steps", 4)
    assert "calibrated on 120 images of cli.npz" in result.output
    graph = netx.load("c1.net")
    assert (graph.input.bits, graph.input.scale, graph.labels) == (8, 1 / 255, ())
    mlsnn("simulate", "c1.net", "--data", blocks / "cli.npz")
    mlsnn("import", "c1.nir", "--data", blocks / "pictures", "--steps", 4, "--samples", 30)
    assert netx.load("c1.net").labels[3] == "class 3"
    np.savez("nine.npz", images=np.ones((9, 1, 8, 8)), labels=np.arange(9))
    mlsnn("import", "c1.nir", "--data", "nine.npz", "--steps", 4)


def test_sweep_and_reproduce_take_own_data(blocks, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    size = ("-m", "width=2", "-m", "depth=1", "--epochs", 1, "--batch", 20)
    mlsnn("sweep", "cnn", "--data", blocks / "cli.npz", "--trials", 1, "--space", "lr=log:0.01..0.1", *size)
    from lava_mlsnn.papers import Request

    request = Request(data=str(blocks / "cli.npz"))
    assert request.dataset().shape == (1, 8, 8)
    assert request.recipe_for(request.dataset()) == train.recipe("digits")


def test_what_does_not_fit_the_network_is_one_line(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = train.create("cnn", data.load("digits"), levels=2, steps=1, width=2, depth=1)
    netx.save(netx.quantize(net), "digits.net")
    result = mlsnn("simulate", "digits.net", "--data", blocks / "cli.npz", code=2)
    assert "cli.npz: pixel 240 does not fit 5 bits" in result.output
    np.savez("floats.npz", images=data.load("digits").test_images[:9] / 16, labels=np.arange(9))
    mlsnn("simulate", "digits.net", "--data", "floats.npz")
    result = mlsnn("simulate", "digits.net", "--data", blocks / "idx", code=2)
    assert "pixel" in result.output or "shape" in result.output
