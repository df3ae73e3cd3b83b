"""What several commands do with a network: load its data, run it in the engine and in Lava, compare the two."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ..helpers import extras
from . import show

if TYPE_CHECKING:
    from ..data import Dataset
    from ..netx import NetGraph
    from ..sim import Run
    from ..sim.shards import Executors


def load_data(name: str, graph: NetGraph) -> Dataset:
    """The dataset called ``name``, or one's own images; ValueError if they do not fit the network.

    Recordings of events become as many frames as the network has timesteps. Of one's own images without a split, all
    are tested.
    """
    classes = graph.labels or tuple(str(i) for i in range(graph.output.shape[0]))
    own = {"test": 1, "bits": graph.input.bits, "input_scale": graph.input.scale, "labels": classes}
    dataset = load_named(name, graph.timesteps, own)
    pairs = {
        "shape": (graph.input.shape, dataset.shape),
        "bits": (graph.input.bits, dataset.bits),
        "classes": (graph.output.shape[0], dataset.num_classes),
        "timesteps": (graph.timesteps, dataset.steps or graph.timesteps),
    }
    for what, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise ValueError(f"the network's {what}: {mine}; dataset {name!r} has {theirs}")
    return dataset


def load_named(name: str, steps: int, own: dict[str, Any] | None = None) -> Dataset:
    """A dataset for a network of ``steps`` timesteps, with a progress bar where frames have to be made.

    ``own``: options of one's own images that hold unless ``name`` gives others.
    """
    from .. import data
    from ..data.registry import is_name

    if not is_name(name):
        dataset = data.load_for(name, steps, own)
        show.say(dataset.source)
        return dataset
    if not data.has_frames(name):
        return data.load(name)
    with show.counting("frames") as progress:
        dataset = data.load_for(name, steps, progress=progress)
    if name.startswith("events:"):
        show.say(dataset.source)
    return dataset


def run_engine(graph: NetGraph, dataset: Dataset, keep: Path | None = None, **settings: Any) -> Run:
    """The test images in the engine, with a progress bar; ``keep`` is the file an interrupted run resumes from."""
    from .. import sim

    with show.counting("engine") as progress:
        if keep is None:
            return sim.run(graph, dataset.test_images, progress=progress, **settings)
        interrupted = keep.exists()

        def report(done: int, total: int) -> None:
            nonlocal interrupted
            if interrupted:
                show.say(f"continues an interrupted run at image {done:,} of {total:,}")
                interrupted = False
            progress(done, total)

        return sim.run_resumable(graph, dataset.test_images, keep, progress=report, **settings)


@contextmanager
def workers(count: int | None, scheduler: str | None) -> Iterator[Executors | None]:
    """Who runs the images: ``count`` processes of this machine, the cluster of a Dask scheduler, or nobody else.

    Raises:
        ValueError: both, or the package distributed is missing.
        OSError: no scheduler answers.
    """
    if count is not None and scheduler is not None:
        raise ValueError(f"--workers {count}: expected it without --scheduler {scheduler}, which has its own")
    if scheduler is not None:
        distributed = extras.load("distributed", "--scheduler")
        with show.working(f"connecting to {scheduler}"):
            client = distributed.Client(scheduler, timeout=10)
        with client, client.get_executor() as executor:
            yield executor
    elif count is not None:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        ignoring = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}  # Ctrl-C is for us
        yield partial(ProcessPoolExecutor, count, mp_context=get_context("spawn"), **ignoring)
    else:
        yield None


def measured(
    name: str,
    graph: NetGraph,
    dataset: Dataset,
    model: str = "lemaire",
    settings: dict[str, Any] | None = None,
    keep: Path | None = None,
    traced: int = 0,
    executor: Executors | None = None,
) -> tuple[dict[str, Any], Run]:
    """A network's record (accuracy, activity, energy) on the test images, and the run that it was made from.

    ``traced``: of so many images NeuroBench's metrics are counted with traces, exactly. ``executor``: has others run
    the images.
    """
    from .. import energy, sim
    from ..report import network_record

    run, metrics = run_engine(graph, dataset, keep, executor=executor), None
    if traced:
        images = dataset.test_images[:traced]
        metrics = energy.neurobench(graph, sim.run(graph, images, trace=True), images)
    accuracy = {"engine": right(run, dataset)}
    return network_record(name, graph, run.activity, accuracy, model, settings, metrics), run


def say_missing(record: dict[str, Any]) -> None:
    """Why a network has no energy; nothing where it has one."""
    snn = record["energy"]["snn"]
    if snn["missing"]:
        show.say(f"no energy: {escape(snn['missing'])}")


def say_ratios(record: dict[str, Any]) -> None:
    """The share of the ANN twin by each counting of an event's cost, where the energy model knows both."""
    from ..helpers.units import ratio

    shares = [f"{ratio(share)} {counting}" for counting, share in record["totals"]["ratios"].items()]
    if shares:
        show.say(f"SNN / ANN by counting: {', '.join(shares)}")
        show.say("  exact: an event pays for the positions that it reaches; published: for the whole kernel")


def provenance(command: str, dataset: Dataset, **more: Any) -> dict[str, Any]:
    """How to get the same numbers again: command, data, versions."""
    from .. import report

    return report.provenance(command, {"name": dataset.name, "source": dataset.source}, **more)


def compare_lava(graph: NetGraph, net: Path | NetGraph, images: Any, fused: bool, prefix: str = "") -> dict[str, Any]:
    """Run images in Lava and compare all spikes with the engine's; ``net`` is the graph or its file."""
    from .. import proc, sim

    how = "Lava, one Process" if fused else "Lava, one Process per synapse and population"
    with show.working(f"{prefix}{how}: {len(images)} images"):
        found = proc.simulate(net, images, fused=fused, trace=True)
    expected = sim.run(graph, images, trace=True)
    layers = sum(name in found.traces for name in expected.traces)
    agreement = f"equal on {len(images)} images: outputs, activity, spikes of {layers} layers step by step"
    return check(f"{prefix}{how} = engine", expected.difference(found), agreement)


def check(what: str, difference: str, agreement: str) -> dict[str, Any]:
    """One row of the list of comparisons, passed if there is no difference."""
    return {"what": what, "passed": not difference, "detail": difference or agreement}


def right(run: Run, dataset: Dataset) -> float:
    """Share of the test images with the right label."""
    return float((run.labels == dataset.test_labels).mean())
