"""Networks that five libraries wrote, each with an input and what the library itself computes from it.

``python tests/nir/nir_cases.py [FOLDER]`` prints, for every file, how many of the output's entries are equal.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn import netx, sim

CASES = Path(__file__).parent / "cases"


class Case(NamedTuple):
    """How a file is read, beyond its dialect, and how many entries of its output are equal to the library's."""

    name: str
    dialect: str
    options: dict[str, Any]
    equal: int = 720
    entries: int = 720


TABLE = (
    Case("norse_iaf", "norse", {}),
    Case("norse_lif", "norse", {}),
    Case("norse_lifbox", "norse", {}),
    Case("rock_lif", "rockpool", {}),
    Case("sinabs_iaf_multispike", "sinabs", {}),
    Case("sinabs_iaf_reset", "sinabs", {"max_spikes": 1, "reset": "hard"}),
    Case("sinabs_iaf_single", "sinabs", {"max_spikes": 1}),
    Case("sinabs_lif", "sinabs", {}),
    Case("sj_if_hard", "spikingjelly", {}),
    Case("sj_lif_hard", "spikingjelly", {}),
    Case("snt_leaky_sub_nodelay", "snntorch", {"reset_delay": False}),
    Case("snt_leaky_zero", "snntorch", {"reset": "hard", "reset_delay": False}),
    Case("snt_rleaky", "snntorch", {"reset_delay": False}),
    Case("snt_syn_zero", "snntorch", {"reset": "hard", "reset_delay": False}),
)


def images(case: Case, folder: Path = CASES) -> tuple[NDArray[Any], NDArray[Any]]:
    """The input as (N, C, H, W, T), and the library's output, (N, C, T)."""
    with np.load(folder / f"{case.name}.npz") as arrays:
        x, y = np.moveaxis(arrays["x"], 1, -1), np.moveaxis(arrays["y"], 1, -1)
    return (x if x.ndim == 5 else x[:, :, None, None, :]), y


def graph_of(case: Case, folder: Path = CASES, **options: Any) -> netx.NetGraph:
    """The network in integers; spikes are 0 or 1."""
    x, _ = images(case, folder)
    given = {"timesteps": x.shape[-1], "input_scale": 1.0, "input_bits": 1, **case.options, **options}
    return netx.from_nir(folder / f"{case.name}.nir", x, dialect=case.dialect, **given)


def output_of(case: Case, graph: netx.NetGraph, folder: Path = CASES) -> NDArray[Any]:
    """The spikes of the last layer, (N, C, T)."""
    x, _ = images(case, folder)
    trace = sim.run(graph, x, trace=[graph.output.name]).trace[graph.output.name]
    return np.asarray(trace.reshape(len(trace), -1, trace.shape[-1]))


def main(folder: Path) -> None:
    print(f"{'file':24}{'dialect':14}{'options':44}{'spikes':>8}{'equal / all':>14}  neurons")
    for case in TABLE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            graph = graph_of(case, folder)
        want, found = images(case, folder)[1], output_of(case, graph, folder)
        options = ", ".join(f"{key}={value!r}" for key, value in case.options.items())
        kinds = ", ".join(layer.neuron.kind for layer in graph)
        equal = f"{np.count_nonzero(found == want)} / {want.size}"
        print(f"{case.name:24}{case.dialect:14}{options:44}{want.sum():8.0f}{equal:>14}  {kinds}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CASES)
