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
    return "\n\n".join(lines) + "\n"
