"""Blocks: synapse, batch norm and neuron in one module, on tensors (N, C, H, W, T); they mix with SLAYER's blocks.

In float mode spikes travel as z / N. :func:`quantized` switches a whole network to the integers that are exported.
"""

from __future__ import annotations

from .add import Add
from .conv import Conv, conv, identity
from .core import Block, Connection
from .dense import Dense, Readout
from .input import Input
from .integer import Quantization
from .leaky import Leaky
from .membranes import membranes
from .mode import as_integers, quantization_of, quantized, unquantized
from .norm import BNTT, TdBN
from .patch_mix import PatchMix
from .plan import no_integer_layer, plan
from .pool import Flatten, Pool
from .record import activity, trace
from .scan import ScanWindow
from .signal import Signal
from .window import Window
from .windowed import WindowMixer

__all__ = [
    "BNTT",
    "Add",
    "Block",
    "Connection",
    "Conv",
    "Dense",
    "Flatten",
    "Input",
    "Leaky",
    "PatchMix",
    "Pool",
    "Quantization",
    "Readout",
    "ScanWindow",
    "Signal",
    "TdBN",
    "Window",
    "WindowMixer",
    "activity",
    "as_integers",
    "conv",
    "identity",
    "membranes",
    "no_integer_layer",
    "plan",
    "quantization_of",
    "quantized",
    "trace",
    "unquantized",
]
