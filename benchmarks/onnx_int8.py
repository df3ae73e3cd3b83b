"""A network of the engine's benchmark as ONNX Runtime runs it: dense, 8-bit weights and activations (QLinearConv).

Optional: ``pip install onnx onnxruntime``. The graph has the same convolutions and shortcuts; a threshold becomes the
scale of the output, unsigned bytes clip below zero as a ReLU does, and a shortcut is a QLinearAdd. The time of such a
network does not depend on its values.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from lava_mlsnn.netx import Conv, NetGraph

OPSET, MICROSOFT = 17, "com.microsoft"


def found() -> bool:
    """Whether both packages are installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def runner(graph: NetGraph, batch: int, threads: int = 1) -> Callable[[], Any]:
    """A function that runs ``batch`` random images once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        model(graph, batch).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    images = np.random.default_rng(0).integers(0, 256, (batch, *graph.input.shape), np.uint8)
    return lambda: session.run(None, {"input": images})


def model(graph: NetGraph, batch: int) -> Any:
    """The ONNX model."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants = [
        numpy_helper.from_array(np.float32(1), "one"),
        numpy_helper.from_array(np.float32(64), "wide"),
        numpy_helper.from_array(np.uint8(0), "zero"),
        numpy_helper.from_array(np.int8(0), "zero8"),
    ]
    for layer in graph:
        parts = []
        for i, connection in enumerate(layer.connections):
            (source,), synapse = connection.sources, connection.synapse
            if not isinstance(synapse, Conv):
                parts.append(source)
                continue
            weight, name = f"{layer.name}/w{i}", f"{layer.name}/{i}"
            constants.append(numpy_helper.from_array(synapse.weight.astype(np.int8), weight))
            inputs = [source, "one", "zero", weight, "one", "zero8", "wide", "zero"]
            rows, columns = synapse.padding
            nodes.append(
                helper.make_node(
                    "QLinearConv",
                    inputs,
                    [name],
                    pads=[rows, columns, rows, columns],
                    strides=list(synapse.stride),
                    kernel_shape=list(synapse.weight.shape[2:]),
                )
            )
            parts.append(name)
        if len(parts) == 1:
            nodes[-1].output[0] = layer.name
            continue
        first, second = parts
        sums = [first, "wide", "zero", second, "wide", "zero", "wide", "zero"]
        nodes.append(helper.make_node("QLinearAdd", sums, [layer.name], domain=MICROSOFT))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, (batch, *graph.shape(name)))
        for name in ("input", graph.output.name)
    ]
    body = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    made = helper.make_model(body, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(made)
    return made
