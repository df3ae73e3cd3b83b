"""What [Castagnetti2025] prints, one table per item (Tables 3 and 4: :data:`lava_mlsnn.energy.paper000.PUBLISHED`)."""

from __future__ import annotations

TABLE_1 = {
    "CIFAR-10": {"vgg16": 0.9434, "sew_resnet18": 0.9594, "sparse_resnet18": 0.9569},
    "CIFAR-100": {"vgg16": 0.7375, "sew_resnet18": 0.7527, "sparse_resnet18": 0.757},
}
"""Table 1, rows "Ours": T = 1, N = 4."""

TABLE_2 = {"vgg16": 0.7697, "sparse_resnet18": 0.791}
"""Table 2, rows "Ours": CIFAR10-DVS, T = 1, N = 10."""

TABLE_2_BINARY = {"vgg16": 0.755}
"""Section 6.2: CIFAR10-DVS, T = 10, N = 1."""

FIGURE_7 = {(4, 1): 130e3, (1, 4): 57e3, (10, 1): 1.5e6, (1, 10): 591e3}
"""Spikes per image of VGG16 by (T, N): CIFAR-10 (section 6.1), and CIFAR10-DVS for T N = 10 (section 6.2)."""

RATIOS = {"cifar10": {4: 0.51, 8: 0.37}, "cifar10dvs": {10: 0.39}}
"""E_N / E_binary by N (Tables 3 and 4)."""

FIGURE_7_ENERGY_TO_ANN = {(4, 1): 0.65, (1, 4): 0.34, (8, 1): 1.10, (1, 8): 0.4}
"""E_SNN / E_ANN by (T, N), CIFAR-10 (Table 3)."""

FIGURE_10 = {"sew_resnet18": (45665, 67848), "sparse_resnet18": (37150, 35819)}
"""Events at the first two sums per image, CIFAR-10, N = 4 (section 6.4)."""

FIGURE_11_SPIKES = {2: {"sew_resnet18": 242662, "sparse_resnet18": 218343}}
"""Spikes per image, CIFAR-10, by N (section 6.5)."""

FIGURE_11_REDUCTION = {2: 0.10, 4: 0.25, 8: 0.30}
"""Share of spikes that Sparse-ResNet18 saves against SEW-ResNet18, by N (section 6.5)."""
