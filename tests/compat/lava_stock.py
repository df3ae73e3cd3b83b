"""Stock Lava, run for tests in a process of its own: ``python lava_stock.py {imports,train,run,processes}``.

Nothing of ours but compat takes part. Each part prints one JSON object on its last line; warnings go to stderr.
Weights and inputs come from integer arithmetic, so that the integers expected are the same on every Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SHAPE, STEPS, CLASSES = (2, 6, 5), 6, 4


def pattern(*shape: int, seed: int, low: int, high: int) -> Any:
    """Integers in [low, high) from a linear congruential generator: the same everywhere."""
    import numpy as np

    state, values = seed, []
    for _ in range(int(np.prod(shape))):
        state = (1103515245 * state + 12345) % 2**31
        values.append(low + (state >> 8) % (high - low))
    return np.array(values).reshape(shape)


def walk(name: str) -> Any:
    import importlib
    import pkgutil

    if "object_detection" in name:
        return
    yield name
    for found in pkgutil.iter_modules(importlib.import_module(name).__path__, name + "."):
        if found.ispkg:
            yield from walk(found.name)
        else:
            yield found.name


def imports() -> dict[str, Any]:
    """Import every module of lava.magma, lava.proc, lava.utils, netx and slayer (less its object_detection)."""
    import importlib

    failed, count = {}, 0
    for root in ("lava.magma", "lava.proc", "lava.utils", "lava.lib.dl.netx", "lava.lib.dl.slayer"):
        for name in walk(root):
            count += 1
            try:
                importlib.import_module(name)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
    return {"imported": count - len(failed), "failed": failed}


def fill(net: Any) -> Any:
    """Give the synapses of ``net`` the integers of :func:`pattern`, in slayer's unit of 1/64, even for its 8 bits."""
    import torch

    for index, block in enumerate(net):
        if hasattr(block, "synapse"):
            weight = block.synapse.weight
            values = 2 * pattern(*weight.shape, seed=index + 1, low=-16, high=24)
            weight.data = torch.as_tensor(values, dtype=torch.float32) / 64
    return net


def sdnn() -> Any:
    from lava.lib.dl import slayer
    from torch import nn

    block = slayer.block.sigma_delta
    params = {"threshold": 0.1, "tau_grad": 0.1, "scale_grad": 1, "requires_grad": True, "shared_param": True}
    params["activation"] = nn.functional.relu
    # The weight and bias of the input block are stored with one element each: break C.
    net = [
        block.Input(params, weight=1, bias=0),
        block.Conv(params, SHAPE[0], 3, 3, padding=1, stride=2, weight_norm=False),
        block.Flatten(),
        block.Dense(params, 3 * 3 * 3, CLASSES, weight_norm=False),
    ]
    return fill(nn.Sequential(*net))


def cuba() -> Any:
    from lava.lib.dl import slayer
    from torch import nn

    block = slayer.block.cuba
    params = {"threshold": 0.2, "current_decay": 0.5, "voltage_decay": 0.25, "requires_grad": True}
    # weight_norm wraps the weights, which is what warns on current torch
    net = [
        block.Conv(params, SHAPE[0], 3, 3, padding=1, stride=2, weight_norm=True),
        block.Flatten(),
        block.Dense(params, 3 * 3 * 3, CLASSES, weight_norm=True, delay=True),
    ]
    return nn.Sequential(*net)


def frames(batch: int = 1) -> Any:
    return pattern(batch, *SHAPE, STEPS, seed=7, low=0, high=2)


def step(net: Any, optimizer: Any) -> float:
    import torch

    output = net(torch.as_tensor(frames(4), dtype=torch.float32))
    loss = (output.mean(-1) - torch.eye(CLASSES)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def train() -> dict[str, Any]:
    """Three steps of Adam, backward included, on an SDNN and on a CUBA network."""
    import torch

    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for make in (sdnn, cuba):
        torch.manual_seed(0)
        net = make()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        found[make.__name__] = [step(net, optimizer) for _ in range(3)]
        grads = {name: float(p.grad.abs().sum()) for name, p in net.named_parameters() if p.grad is not None}
        found[f"{make.__name__}_grad"] = sum(value > 0 for value in grads.values())
    return found


def export(path: Path) -> None:
    import h5py
    import torch

    net = sdnn()
    net(torch.zeros(1, *SHAPE, STEPS))  # slayer learns its shapes from the first pass
    with h5py.File(path, "w") as handle:
        layers = handle.create_group("layer")
        for index, block in enumerate(net):
            block.export_hdf5(layers.create_group(f"{index}"))


def run(path: str = "stock.net") -> dict[str, Any]:
    """Export with slayer (unless the file is there), load with netx, simulate in Lava: the integers that come out."""
    import numpy as np
    from lava.lib.dl import netx
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc import io

    if not Path(path).exists():
        export(Path(path))
    net = netx.hdf5.Network(net_config=path)
    data = 64 * np.transpose(frames()[0], (2, 1, 0, 3))  # Lava's order is (W, H, C, T)
    source = io.source.RingBuffer(data=data)
    sink = io.sink.RingBuffer(shape=net.out.shape, buffer=STEPS + 2)
    source.s_out.connect(net.in_layer.neuron.a_in)
    net.out.connect(sink.a_in)
    try:
        source.run(condition=RunSteps(num_steps=STEPS + 2), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        output = sink.data.get()
    finally:
        source.stop()
    return {"output": output.astype(int).tolist(), "transform": net.in_layer.transform}


def processes() -> dict[str, Any]:
    """The processes of breaks D and F, three steps each in Lava."""
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc import io
    from lava.proc.clp.nsm.process import Allocator
    from lava.proc.conv.process import Conv
    from lava.proc.graded.process import InvSqrt

    found = {}
    wide = Conv(weight=np.full((1, 1, 1, 1), 2), input_shape=(200, 1, 1), num_message_bits=8)
    for process, inp, out, value in (
        (Allocator(n_protos=3), "trigger_in", "allocate_out", 1),
        (InvSqrt(shape=(1,), fp_base=12), "a_in", "s_out", 4 << 12),
        (wide, "s_in", "a_out", 3),
    ):
        shape = getattr(process, inp).shape
        source = io.source.RingBuffer(data=np.full((*shape, 3), value))
        sink = io.sink.RingBuffer(shape=getattr(process, out).shape, buffer=3)
        source.s_out.connect(getattr(process, inp))
        getattr(process, out).connect(sink.a_in)
        try:
            process.run(condition=RunSteps(num_steps=3), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
            found[type(process).__name__] = sink.data.get().astype(int).reshape(-1, 3)[-1].tolist()
        finally:
            process.stop()
    return found


if __name__ == "__main__":
    import lava_mlsnn  # noqa: F401  (arms the mends)

    part = {"imports": imports, "train": train, "run": run, "processes": processes}[sys.argv[1]]
    print(json.dumps(part(*sys.argv[2:])))
