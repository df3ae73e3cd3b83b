"""What the papers are that this project cites by short keys; ``docs/bibliography.md`` is :func:`page`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One entry.

    Args:
        key: as docstrings cite it, in brackets.
        name: what it is about, in a word.
        items: ``paperNNN`` in names of items, modules and recipes; "" if it has none.
        authors, title, year, venue: as published.
        link: DOI or address, "" if none is known here.
        note: what else there is to say.
        slips: where it contradicts itself, or prints what cannot be meant.
    """

    key: str
    name: str
    items: str
    authors: tuple[str, ...]
    title: str
    year: int
    venue: str
    link: str = ""
    note: str = ""
    slips: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Authors, title, venue and year in one sentence."""
        return f"{', '.join(self.authors)}: *{self.title}*. {self.venue}, {self.year}."


SOURCES = (
    Source(
        "Castagnetti2025",
        "multi-level",
        "paper000",
        ("Andrea Castagnetti", "Alain Pegatoquet", "Benoît Miramond"),
        "All in one timestep: Enhancing Sparsity and Energy efficiency in Multi-level Spiking Neural Networks",
        2025,
        "Preprint",
        note="Multi-level neurons, barrier neurons, Sparse-ResNet, energy by the model of Lemaire et al. Paper 001 is "
        "its abstract page.",
        slips=(
            "Section 5.4 says 0.35 % better than RecDis-SNN on CIFAR-10; by Table 1 it is 0.41 % (SEW-ResNet18, 95.94) "
            "or 0.16 % (Sparse-ResNet18, 95.69) above 95.53.",
            "Section 6.1: 57,000 spikes in place of 130,000 are 56 % fewer, not 43 %; 44 % are left.",
            "Section 4.2: a spike of N levels, or none, carries log2(N + 1) bits, not log2(N).",
            "Eq 11 gives all four of its sums the index l.",
        ),
    ),
    Source(
        "VicenteSola2022",
        "s-resnet",
        "paper002",
        ("Alex Vicente-Sola", "Davide L. Manna", "Paul Kirkland", "Gaetano Di Caterina", "Trevor Bihl"),
        "Keys to Accurate Feature Extraction Using Residual Spiking Neural Networks",
        2022,
        "Neuromorphic Computing and Engineering 2 (4), 044001",
        "https://doi.org/10.1088/2634-4386/ac8bef",
        "Leaky neurons with a batch norm per timestep, three residual connections, boosting. Their code: "
        "<https://github.com/VicenteAlex/Spiking_ResNet>.",
        (
            "S-ResNet38 has its 91.97 % on CIFAR-10 after 70 epochs in Tables 3 and 15, after 200 in Tables 7 and 12.",
            "Table 14's caption has the boosting layer in the networks of CIFAR-10 and CIFAR-100; section 3.2.3 says "
            "that only that of CIFAR-10 has it, and Table 6 that it costs accuracy on CIFAR-100.",
            "Table 14 has 72.98 % on DVS-CIFAR10 and calls it the network of 16 filters; it is Table 13's row of 32 "
            "filters. With 16 filters and pre-training Table 11 has 70.4 %.",
            "Eq 24 is highest at u = 0; their code has |u / Vth - 1| in place of |u|: highest at the threshold.",
        ),
    ),
    Source(
        "Castagnetti2023",
        "atif",
        "paper003",
        ("Andrea Castagnetti", "Alain Pegatoquet", "Benoît Miramond"),
        "Trainable quantization for Speedy Spiking Neural Networks",
        2023,
        "Frontiers in Neuroscience 17, 1154241",
        "https://doi.org/10.3389/fnins.2023.1154241",
        "Neurons with trained thresholds: ATIF-u (one per layer) and ATIF-nu (one per timestep).",
        (
            "Eq 19 solves the second condition of Eq 18, not the third, which gives T (p2 - p3). For evenly spaced "
            "points, where all thresholds should be the same Vth, it is 1.25 Vth; Eq 14, 15 and 17 give Vth (T = 4).",
            "Eq 7 counts spikes without rounding down, and without a lower bound of 0.",
        ),
    ),
    Source(
        "Yao2023",
        "dilated-windows",
        "paper004",
        ("Yunpeng Yao", "Man Wu", "Zheng Chen", "Renyuan Zhang"),
        "Training a General Spiking Neural Network with Improved Efficiency and Minimum Latency",
        2023,
        "Asian Conference on Machine Learning",
        note="Groups of a map that fire one after the other in place of timesteps; arithmetic energy in 45 nm.",
        slips=(
            "The LSTM has 93.07 % on CIFAR-10 in section 4.1, which is the CNN's; 92.68 % in Tables 1 and 3.",
            "Table 4's best, dilated windows in four groups, are 93.13 % (CNN) and 92.58 % (LSTM); Table 1 has 93.07 % "
            "and 92.68 %.",
            "Section 4.2 says 123 mJ per image, and so 11 and 102 times less than ANNs, 1.4 to 3 times less than SNNs. "
            "Table 2 prints 128 mJ: 10.5 and 98 times (97.7 from its counts of operations), 1.31 to 2.77 times.",
            "Every energy of Table 2 is 1000 times what its counts give: J for mJ, mJ for uJ.",
            "Eq 13 multiplies the spikes of all timesteps by the number of timesteps; section 4.2 does so again.",
            "On CIFAR-10 Table 3 has 3.0 times as many spikes for the CNN as for the LSTM; section 4.2 has rates of "
            "0.54 and 0.32, 1.7 times. Both hold only if the CNN has 1.8 times as many neurons, which is not said.",
        ),
    ),
    Source(
        "Yik2025",
        "neurobench",
        "",
        ("Jason Yik", "Korneel Van den Berghe", "Douwe den Blanken", "and others"),
        "The NeuroBench framework for benchmarking neuromorphic computing algorithms and systems",
        2025,
        "Nature Communications 16, 1545",
        note="Metrics of algorithms; `lava_mlsnn.energy.neurobench` follows the harness's version 2.3: "
        "<https://github.com/NeuroBench/neurobench>.",
    ),
    Source(
        "Timcheck2026",
        "loihi 2, time",
        "",
        ("Jonathan Timcheck", "Alessandro Pierro", "Sumit Bam Shrestha"),
        "A Compute and Communication Runtime Model for Loihi 2",
        2026,
        "Preprint, arXiv 2601.10035",
        "https://arxiv.org/abs/2601.10035",
        "The shape of the model behind `lava_mlsnn.loihi2.traffic`; its coefficients are only drawn, not printed.",
    ),
    Source(
        "Lava",
        "lava",
        "",
        ("Intel's Neuromorphic Computing Lab and the open source community",),
        "Lava: a software framework for neuromorphic computing",
        2024,
        "lava-nc 0.10.0 and lava-dl 0.6.0",
        "https://github.com/lava-nc/lava",
        "Processes, SLAYER and NetX, which this library trains with, writes for and runs in.",
    ),
)

BY_ITEMS = {source.items: source for source in SOURCES if source.items}
"""``paperNNN`` -> its source."""


def cited(items: str) -> str:
    """How a page introduces a paper.

    >>> cited("paper004")[:44]
    'Paper 004 is [Yao2023]: Yunpeng Yao, Man Wu,'
    """
    source = BY_ITEMS[items]
    return f"{items.replace('paper', 'Paper ')} is [{source.key}]: {source}"


def page() -> str:
    """The bibliography in Markdown."""
    lines = [
        "# Bibliography",
        "Docstrings and pages cite by the keys in brackets, with section, equation or table. Items of `mlsnn "
        "reproduce`, recipes and modules are named by the number of the paper that they follow. The table behind this "
        "page is `lava_mlsnn.papers.bibliography.SOURCES`.",
    ]
    for source in SOURCES:
        number = f"; `{source.items}` in names of items" if source.items else ""
        text = [f"## [{source.key}]", f"{source}{f' <{source.link}>' if source.link else ''}"]
        lines += [*text, f"Short: *{source.name}*{number}. {source.note}"]
        if source.slips:
            lines += ["Where it contradicts itself or prints what cannot be meant:"]
            lines += ["\n".join(f"* {slip}" for slip in source.slips)]
    return "\n\n".join(lines) + "\n"
