"""Analysis: activity of a network, gradients of its residual blocks, transfer function and SQNR of a neuron.

* :func:`activity`: events per layer, block, residual and sum, counted both ways ([Castagnetti2025], Eq 11 and 12). No
torch.
* :func:`sparsity`: spikes per neuron and timestep, per layer and global ([Castagnetti2023], Eq 20).
* :func:`gradient_norms`: at the direct path, the residual path and the output of each residual block (Fig. 8).
* :func:`sqnr`, :func:`lloyd_max`: quantization noise of any neuron for any input, and the least possible.
* :func:`transfer`, :func:`staircase`: spikes for constant inputs, by a neuron and in exact arithmetic (Fig. 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..helpers.lazy import lazy
from .levels import staircase
from .network_activity import LayerActivity, NetworkActivity, SumActivity, activity
from .quantizer import Quantizer, lloyd_max
from .theta import Sparsity, sparsity

if TYPE_CHECKING:
    from .gradients import GradientNorms, gradient_norms
    from .noise import Sqnr, gaussian, sqnr, transfer

__all__ = [
    "GradientNorms",
    "LayerActivity",
    "NetworkActivity",
    "Quantizer",
    "Sparsity",
    "Sqnr",
    "SumActivity",
    "activity",
    "gaussian",
    "gradient_norms",
    "lloyd_max",
    "sparsity",
    "sqnr",
    "staircase",
    "transfer",
]

_TORCH = {
    "GradientNorms": ".gradients",
    "gradient_norms": ".gradients",
    "gaussian": ".noise",
    "Sqnr": ".noise",
    "sqnr": ".noise",
    "transfer": ".noise",
}


__getattr__ = lazy(__name__, _TORCH)
