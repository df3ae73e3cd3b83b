"""What has been published under each name: pages, archives, sizes and md5 sums, and how to say what is missing.

md5 sums are those that the publishers' pages or the loaders of torchvision, tonic and SpikingJelly state; they
reveal a damaged copy, not a forged one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """A file to download; ``size`` in bytes, None where no page states it; ``content``: md5 of the unpacked file."""

    file: str
    md5: str
    size: int | None = None
    content: str = ""

    def __str__(self) -> str:
        return f"{self.file} ({f'{self.size:,} bytes, ' if self.size else ''}md5 {self.md5})"


@dataclass(frozen=True)
class Published:
    """One data set.

    Args:
        title: its name in the literature.
        page: where a person gets it.
        archives: what is to be downloaded there; ``any_of`` if one of them is enough.
        layout: what is expected in the folder.
        others: archives of the same recordings that other libraries download.
        package: the Debian package that holds the data.
        made: the command that makes the data, which nobody publishes.
    """

    title: str
    page: str
    archives: tuple[Archive, ...]
    layout: str
    any_of: bool = False
    others: tuple[Archive, ...] = ()
    package: str = ""
    made: str = ""

    def how_to_get(self) -> str:
        """Where to get it and what to do with it, in one sentence."""
        if self.made:
            return f"make it: {self.made}"
        first, last = self.archives[0], self.archives[-1]
        if self.any_of or len(self.archives) == 1:
            which = str(first)
        elif len(self.archives) == 2:
            which = f"{first} and {last}"
        else:
            which = f"the {len(self.archives)} archives {first.file} .. {last.file}"
        installed = f"on Debian, apt-get install {self.package}; or " if self.package else ""
        return f"{installed}get {which} from {self.page}"


def _mnist_like(*sums: tuple[str, str]) -> tuple[Archive, ...]:
    """The four files of MNIST and its kin, with the md5 sums of each as published and unpacked."""
    files = (f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1"))
    return tuple(Archive(file, md5, None, content) for file, (md5, content) in zip(files, sums, strict=True))


_IDX = "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz"


PUBLISHED = {
    "fashion-mnist": Published(
        "Fashion-MNIST",
        "https://github.com/zalandoresearch/fashion-mnist",
        _mnist_like(
            ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            ("25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
            ("bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
            ("bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
        ),
        f"{_IDX} (or unpacked), or torchvision's folder FashionMNIST/raw",
        package="dataset-fashion-mnist",
    ),
    "mnist": Published(
        "MNIST",
        "http://yann.lecun.com/exdb/mnist/ (mirror: https://ossci-datasets.s3.amazonaws.com/mnist/)",
        _mnist_like(
            ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
            ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
            ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
            ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
        ),
        f"{_IDX} (or unpacked), or torchvision's folder MNIST/raw",
    ),
    "kmnist": Published(
        "KMNIST",
        "http://codh.rois.ac.jp/kmnist/",
        _mnist_like(
            ("bdb82020997e1d708af4cf47b453dcf7", ""),
            ("e144d726b3acfaa3e44228e80efcd344", ""),
            ("5c965bf0a639b31b8f53240b1b52f4d7", ""),
            ("7320c461ea6c1c855c0b718fb2a4b134", ""),
        ),
        f"{_IDX} (or unpacked), or torchvision's folder KMNIST/raw",
    ),
    "emnist": Published(
        "EMNIST",
        "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        (Archive("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"),),
        "gzip.zip as it is, or its files emnist-SPLIT-train-images-idx3-ubyte.gz and so on (or unpacked), or "
        "torchvision's folder EMNIST/raw",
    ),
    "cifar10": Published(
        "CIFAR-10",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        (
            Archive("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", 170_498_071),
            Archive("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171),
        ),
        "cifar-10-python.tar.gz as it is, or the extracted folder cifar-10-batches-py (or -bin, the binary version)",
        any_of=True,
    ),
    "cifar100": Published(
        "CIFAR-100",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        (
            Archive("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437),
            Archive("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733),
        ),
        "cifar-100-python.tar.gz as it is, or the extracted folder cifar-100-python (or cifar-100-binary)",
        any_of=True,
    ),
    "cifar10dvs": Published(
        "CIFAR10-DVS",
        "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
        (
            Archive("airplane.zip", "0afd5c4bf9ae06af762a77b180354fdd"),
            Archive("automobile.zip", "8438dfeba3bc970c94962d995b1b9bdd"),
            Archive("bird.zip", "a9c207c91c55b9dc2002dc21c684d785"),
            Archive("cat.zip", "52c63c677c2b15fa5146a8daf4d56687"),
            Archive("deer.zip", "b6bf21f6c04d21ba4e23fc3e36c8a4a3"),
            Archive("dog.zip", "f379ebdf6703d16e0a690782e62639c3"),
            Archive("frog.zip", "cad6ed91214b1c7388a5f6ee56d08803"),
            Archive("horse.zip", "e7cbbf77bec584ffbf913f00e682782a"),
            Archive("ship.zip", "41c7bd7d6b251be82557c6cce9a7d5c9"),
            Archive("truck.zip", "89f3922fd147d9aeff89e76a2b0b70a7"),
        ),
        "ten folders airplane .. truck of 1000 recordings each (.aedat, .aedat4, or .npz/.npy with events or frames)",
        others=(Archive("CIFAR10DVS.zip", "ce3a4a0682dc0943703bd8f749a7701c"),),
    ),
    "speech": Published(
        "Google Speech Commands v2",
        "https://www.tensorflow.org/datasets/catalog/speech_commands",
        (Archive("speech_commands_v0.02.tar.gz", "6b74f3901214cb2c2934e98196829835", 2_428_923_189),),
        "the extracted folders of the 35 words (.wav files) with validation_list.txt and testing_list.txt",
    ),
    "speech-synthetic": Published(
        "Synthetic speech commands (espeak-ng, flite)",
        "",
        (),
        "the folder that the command below has made",
        made="mlsnn data make speech-synthetic",
    ),
    "fashion-dvs": Published(
        "Fashion-MNIST before a simulated event camera",
        "",
        (),
        "the folder that the command below has made",
        made="mlsnn data make fashion-dvs",
    ),
    "tinyimagenet": Published(
        "Tiny ImageNet",
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        (Archive("tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043),),
        "the extracted folder tiny-imagenet-200 (wnids.txt, words.txt, train/<wnid>/images/*.JPEG, "
        "val/val_annotations.txt, val/images/*.JPEG)",
    ),
    "nmnist": Published(
        "N-MNIST",
        "https://www.garrickorchard.com/datasets/n-mnist",
        (
            Archive("Train.zip", "20959b8e626244a1b502305a9e6e2031"),
            Archive("Test.zip", "69ca8762b2fe404d9b9bad1103e97832"),
        ),
        "the extracted folders Train and Test with folders 0 .. 9 of .bin files",
        others=(
            Archive("train.zip", "20959b8e626244a1b502305a9e6e2031"),
            Archive("test.zip", "69ca8762b2fe404d9b9bad1103e97832"),
        ),
    ),
    "dvs128gesture": Published(
        "DVS128 Gesture",
        "https://research.ibm.com/interactive/dvsgesture/",
        (Archive("DvsGesture.tar.gz", "8a5c71fb11e24e5ca5b11866ca6c00a1"),),
        "the extracted folder DvsGesture (.aedat files with their _labels.csv and trials_to_train.txt), or the folders "
        "ibmGestureTrain and ibmGestureTest of tonic (userNN_light/CLASS.npy)",
        others=(
            Archive("ibmGestureTrain.tar.gz", "3a8f0d4120a166bac7591f77409cb105"),
            Archive("ibmGestureTest.tar.gz", "56070e45dadaa85fff82e0fbfbc06de5"),
        ),
    ),
}
"""Name -> where it comes from."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, whether it is right, and the details."""

    what: str
    passed: bool
    detail: str

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {"what": self.what, "passed": self.passed, "detail": self.detail}


def incomplete(name: str, where: str, findings: list[Finding]) -> ValueError:
    """The error for a copy that is not what was published."""
    wrong = [f"{finding.what}: {finding.detail}" for finding in findings if not finding.passed]
    more = f" (and {len(wrong) - 4} more; mlsnn data check lists all)" if len(wrong) > 4 else ""
    known = PUBLISHED[name]
    whole = "as it was made" if known.made else "the published data"
    return ValueError(
        f"{known.title} in {where} is not {whole}: {'; '.join(wrong[:4])}{more}. To mend it, "
        f"{known.how_to_get()}; to use a part of it on purpose, give the option complete=no"
    )
