"""Stock NetX in a process of its own; nothing of ours but the mends takes part.

``lava FILE ...`` runs each network file on the input of FILE.in.npz (data (C, H, W, T), bits) and writes every layer's
spikes, (C, H, W, T) or (N, T), to FILE.out.npz. ``read FILE ...`` prints for each file what the reader made of it.
``slayer FOLDER`` lets SLAYER export networks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import lava_mlsnn  # noqa: F401  (arms the mends)


def _port_order(array: np.ndarray) -> np.ndarray:
    return array.transpose(2, 1, 0, 3) if array.ndim == 4 else array


def lava(*files: str) -> None:
    """Run files in stock NetX and Lava."""
    for file in files:
        _run(file)


def _run(file: str) -> None:
    from lava.lib.dl import netx
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc import io
    from lava.proc.conv import utils

    utils.TORCH_IS_AVAILABLE = False
    with np.load(f"{file}.in.npz") as given:
        data, bits = _port_order(given["data"]), int(given["bits"])
    net = netx.hdf5.Network(net_config=file, input_message_bits=bits)
    block = isinstance(net.in_layer, netx.blocks.process.Input)
    inp = net.in_layer.neuron.a_in if block else net.inp
    source = io.source.RingBuffer(data=data.reshape(*inp.shape, -1))
    source.s_out.connect(inp)
    sinks = [io.sink.RingBuffer(shape=layer.out.shape, buffer=data.shape[-1]) for layer in net.layers]
    for layer, sink in zip(net.layers, sinks, strict=True):
        layer.out.connect(sink.a_in)
    try:
        source.run(condition=RunSteps(num_steps=data.shape[-1]), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        found = {f"layer{i}": _port_order(sink.data.get().astype(np.int64)) for i, sink in enumerate(sinks)}
    finally:
        source.stop()
    np.savez(f"{file}.out.npz", **found)


def read(*files: str) -> None:
    """What stock's reader makes of files: the number of layers, or its error."""
    from lava.lib.dl import netx

    found: list[Any] = []
    for file in files:
        try:
            found.append(len(netx.hdf5.Network(net_config=file, input_message_bits=8, input_shape=(2, 2, 6))))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
    print(json.dumps(found))


def _export(net: Any, shape: tuple[int, ...], file: Path) -> None:
    import h5py
    import torch

    torch.manual_seed(1)
    for parameter in net.parameters():
        if parameter.ndim > 1 and parameter.requires_grad:
            parameter.data = torch.empty_like(parameter).uniform_(-0.7, 1.0)
    with torch.no_grad():
        net(torch.zeros(1, *shape, 3))  # SLAYER learns its shapes from the first pass
    for block in net:
        if getattr(block, "delay", None) is not None:
            block.delay.delay.data.uniform_(0, 6)
    with h5py.File(file, "w") as handle:
        layers = handle.create_group("layer")
        for index, block in enumerate(net):
            block.export_hdf5(layers.create_group(f"{index}"))


def slayer(folder: str) -> None:
    """Let SLAYER export a CUBA network, a sigma-delta one and a pool; for the pool also what it computes."""
    import torch
    from lava.lib.dl import slayer as sl
    from torch import nn

    shape, target = (2, 6, 6), Path(folder)
    params = {"threshold": 0.9, "current_decay": 0.4, "voltage_decay": 0.2}
    cuba = sl.block.cuba
    net = nn.Sequential(
        cuba.Input(params, weight=1, bias=0),
        cuba.Conv(params, 2, 3, (3, 2), padding=(1, 0), stride=(2, 1)),
        cuba.Flatten(),
        cuba.Dense(params, 45, 6, delay=True),
        cuba.Recurrent(params, 6, 5),
        cuba.Dense(params, 5, 3),
    )
    _export(net, shape, target / "cuba")
    own = {**params, "current_decay": (0.3, 1.0), "voltage_decay": (0.05, 0.5), "shared_param": False}
    net = nn.Sequential(
        cuba.Input(params, weight=1, bias=0),
        cuba.Conv(params, 2, 3, (3, 2), padding=(1, 0), stride=(2, 1)),  # SLAYER itself fails on own decays here
        cuba.Flatten(),
        cuba.Dense(own, 45, 6),
        cuba.Recurrent({**own}, 6, 5),
    )
    _export(net, shape, target / "cuba_each")
    _export(nn.Sequential(cuba.Recurrent({**params}, 4, 4, delay=True)), (4,), target / "cuba_late")
    for module in (sl.block.rf, sl.block.rf_iz):
        name = "rf_phase" if module is sl.block.rf else "rf_izhikevich"
        once = {"threshold": 0.3, "period": 9, "decay": 0.1}
        each = {"threshold": 0.1, "period": (4, 20), "decay": (0.02, 0.4), "shared_param": False}
        net = nn.Sequential(
            module.Dense(once, 4, 7), module.Dense(each, 7, 6), cuba.Dense({**params, "threshold": 0.2}, 6, 3)
        )
        _export(net, (4,), target / name)
    sigma = sl.block.sigma_delta
    params = {"threshold": 0.05, "tau_grad": 0.1, "scale_grad": 1, "shared_param": True}
    params["activation"] = nn.functional.relu
    net = nn.Sequential(
        sigma.Input(params, weight=1, bias=0),
        sigma.Conv(params, 2, 3, 3, padding=1, stride=2, groups=1),
        sigma.Flatten(),
        sigma.Dense(params, 27, 6),
        sigma.Output(params, 6, 2),
    )
    _export(net, shape, target / "slayer_sdnn")
    params = {"threshold": 0.9, "current_decay": 0.4, "voltage_decay": 0.2}
    pool = nn.Sequential(cuba.Pool(params, (2, 3), weight_scale=0.75), cuba.Pool(params, (3, 1), weight_scale=2 / 64))
    _export(pool, shape, target / "pool")
    frames = torch.randint(0, 2, (1, *shape, 1), generator=torch.Generator().manual_seed(0)).float()
    np.savez(target / "pool.npz", frames=frames.numpy(), current=(64 * pool[0].synapse(frames)).detach().numpy())


if __name__ == "__main__":
    {"lava": lava, "read": read, "slayer": slayer}[sys.argv[1]](*sys.argv[2:])
