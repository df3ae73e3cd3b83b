"""``python netx_lowered.py FILE BITS``: stock NetX runs a network on the images of FILE.npy, (N, C, H, W), one a step.

Nothing of ours but the mends takes part. The voltage of the last layer's neurons after each answer goes to FILE.v.npy.
"""

from __future__ import annotations

import sys

import numpy as np

import lava_mlsnn  # noqa: F401  (arms the mends)


def main(file: str, bits: str) -> None:
    from lava.lib.dl.netx.hdf5 import Network
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.conv import utils
    from lava.proc.io.source import RingBuffer
    from lava.proc.monitor.process import Monitor

    utils.TORCH_IS_AVAILABLE = False
    images = np.load(f"{file}.npy")
    net = Network(net_config=file, input_message_bits=int(bits))
    shape = tuple(int(n) for n in net.inp.shape)
    frames = np.moveaxis(images.transpose(0, 3, 2, 1) if len(shape) == 3 else images.reshape(-1, *shape), 0, -1)
    source = RingBuffer(data=frames)
    source.s_out.connect(net.inp)
    steps, monitor, neuron = len(net) + len(images), Monitor(), net.out_layer.neuron
    monitor.probe(neuron.v, steps)
    try:
        source.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        voltage = monitor.get_data()[neuron.name]["v"]
    finally:
        source.stop()
    np.save(f"{file}.v.npy", voltage[len(net) :])
    print(
        sorted({type(process).__module__ for layer in net.layers for process in (layer, layer.synapse, layer.neuron)})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
