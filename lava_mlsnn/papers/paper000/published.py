"""What [Castagnetti2025] prints, one table per item (Tables 3 and 4: :data:`lava_mlsnn.energy.paper000.PUBLISHED`)."""

from __future__ import annotations

TABLE_1 = {
    "CIFAR-10": {"vgg16": 0.9434, "sew_resnet18": 0.9594, "sparse_resnet18": 0.9569},
    "CIFAR-100": {"vgg16": 0.7375, "sew_resnet18": 0.7527, "sparse_resnet18": 0.757},
}
"""Table 1, rows "Ours": T = 1, N = 4."""

OTHERS_1: dict[str, tuple[tuple[str, str, str, str, str, float], ...]] = {
    "CIFAR-10": (
        ("RMP-SNN", "ANN2SNN", "binary", "VGG16", "2048", 0.9363),
        ("QFFS", "QANN2SNN", "binary", "VGG16", "4", 0.9264),
        ("QCFS", "QANN2SNN", "binary", "VGG16", "4", 0.9386),
        ("DIET-SNN", "SG", "binary", "VGG16", "10", 0.9344),
        ("IM-Loss", "SG", "binary", "VGG16", "5", 0.9385),
        ("ATIF", "SG", "binary", "VGG16", "4", 0.9313),
        ("S-ResNet", "ANN2SNN", "binary", "ResNet20", "350", 0.9182),
        ("ACP", "ANN2SNN", "binary", "ResNet20", "4", 0.8470),
        ("QFFS", "QANN2SNN", "binary", "ResNet18", "4", 0.9314),
        ("DIET-SNN", "SG", "binary", "ResNet20", "10", 0.9254),
        ("IM-Loss", "SG", "binary", "ResNet19", "4", 0.9540),
        ("RecDis-SNN", "SG", "binary", "ResNet19", "4", 0.9553),
        ("Ternary Spike", "SG", "ternary", "ResNet20", "4", 0.9496),
        ("MLF", "SG", "multi-level", "ResNet20", "4", 0.9425),
        ("MBLIF", "SG", "multi-level", "ResNet20", "1", 0.9459),
    ),
    "CIFAR-100": (
        ("RMP-SNN", "ANN2SNN", "binary", "VGG16", "2048", 0.7093),
        ("QCFS", "QANN2SNN", "binary", "VGG16", "4", 0.6962),
        ("DIET-SNN", "SG", "binary", "VGG16", "5", 0.6967),
        ("IM-Loss", "SG", "binary", "VGG16", "5", 0.7018),
        ("DIET-SNN", "SG", "binary", "ResNet20", "5", 0.6407),
        ("RecDis-SNN", "SG", "binary", "ResNet19", "4", 0.7410),
        ("Ternary Spike", "SG", "ternary", "ResNet20", "4", 0.7402),
        ("MBLIF", "SG", "multi-level", "ResNet20", "1", 0.7543),
    ),
}
"""Table 1, rows of others: method, type, neuron, architecture, timesteps, accuracy."""

OTHERS_2: tuple[tuple[str, str, str, str, str, float], ...] = (
    ("DSR", "SG", "binary", "VGG11", "20", 0.7727),
    ("Dspike", "SG", "binary", "ResNet18", "10", 0.754),
    ("MSG", "SG", "binary", "ResNet18", "10", 0.7935),
    ("SEW-ResNet", "SG", "binary", "Wide-7B-Net", "16", 0.744),
    ("IM-Loss", "SG", "binary", "ResNet19", "10", 0.726),
    ("RecDis-SNN", "SG", "binary", "ResNet19", "10", 0.7242),
    ("MLF", "SG", "multi-level", "ResNet14", "10", 0.7036),
    ("Ternary Spike", "SG", "ternary", "ResNet20", "10", 0.798),
)
"""Table 2, rows of others, CIFAR10-DVS."""

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
