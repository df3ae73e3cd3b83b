"""Items by name: figures and tables of the papers. A new one is a line here and a function that takes a Request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from .findings import Findings
from .request import Request


@dataclass(frozen=True)
class Item:
    """A figure or table of a paper.

    Args:
        name: ``paperNNN-item``.
        about: one line.
        place: ``module:function`` in this package; the function takes a Request and returns Findings. A number may
            follow after another colon: the second argument of a function that makes several items.
        trains: whether it needs trained networks, and so data.
    """

    name: str
    about: str
    place: str
    trains: bool = True

    @property
    def paper(self) -> str:
        """``paperNNN``."""
        return self.name.partition("-")[0]

    @property
    def short(self) -> str:
        """The name without the paper."""
        return self.name.partition("-")[2]

    def findings(self, request: Request) -> Findings:
        """Do it."""
        module, function, *number = self.place.split(":")
        work: Callable[..., Findings] = getattr(import_module(f".{module}", __package__), function)
        return work(request, *map(int, number))


_ITEMS = (
    Item("paper000-fig2", "quantization function of the multi-level neuron", "paper000.neuron:fig2", trains=False),
    Item("paper000-fig4", "events that pile up at residual sums", "paper000.sums:fig4"),
    Item("paper000-fig5", "surrogate gradient", "paper000.neuron:fig5", trains=False),
    Item("paper000-table1", "accuracy of VGG16, SEW- and Sparse-ResNet18, N = 4, T = 1", "paper000.accuracy:table1"),
    Item("paper000-table2", "accuracy on event data, N = 10, T = 1", "paper000.accuracy:table2"),
    Item("paper000-fig6", "accuracy over levels and over timesteps", "paper000.levels:fig6"),
    Item("paper000-fig7", "spikes and energy over levels and over timesteps", "paper000.levels:fig7"),
    Item("paper000-table3", "energy of VGG16 by term, CIFAR-10's geometry", "paper000.energy:table:3"),
    Item("paper000-table4", "energy of VGG16 by term, CIFAR10-DVS's geometry", "paper000.energy:table:4"),
    Item("paper000-fig8", "gradient norms in residual blocks", "paper000.gradients:fig8"),
    Item("paper000-fig9", "validation loss of three residual networks", "paper000.gradients:fig9"),
    Item("paper000-fig10", "events at sums, blocks and residuals", "paper000.sums:fig10"),
    Item("paper000-fig11", "accuracy and spikes of SEW and Sparse over levels", "paper000.sums:fig11"),
    Item("paper002-table2", "S-ResNet: S2S, V2V and S2M residual connections", "paper002.tables:compare:2"),
    Item("paper002-table3", "S-ResNet: depth", "paper002.tables:compare:3"),
    Item("paper002-table4", "S-ResNet: raw images and Poisson spikes", "paper002.tables:compare:4"),
    Item("paper002-table5", "S-ResNet: one norm per timestep and one for all", "paper002.tables:compare:5"),
    Item("paper002-table6", "S-ResNet: parameters and boosting, 100 classes", "paper002.tables:boosting:6"),
    Item("paper002-table7", "S-ResNet: parameters and boosting, 10 classes", "paper002.tables:boosting:7"),
    Item("paper002-table8", "S-ResNet: trained leaks, one per layer", "paper002.tables:compare:8"),
    Item("paper002-table9", "S-ResNet: the leak that training finds", "paper002.search:table9"),
    Item("paper002-table10", "S-ResNet: one trained leak", "paper002.tables:compare:10"),
    Item("paper002-table11", "S-ResNet: started from another data set, events", "paper002.transfer:fine_tuning:11"),
    Item("paper002-table12", "S-ResNet: started from another data set, images", "paper002.transfer:fine_tuning:12"),
    Item("paper002-table13", "S-ResNet: three resolutions of events and their stems", "paper002.transfer:table13"),
    Item("paper002-table14", "S-ResNet: beside what others reached", "paper002.transfer:table14"),
    Item("paper002-table15", "S-ResNet: the ANN of the same shape", "paper002.tables:compare:15"),
    Item("paper002-table16", "S-ResNet: fewer timesteps than in training", "paper002.tables:table16"),
    Item("paper002-table17", "S-ResNet: leak for fewer timesteps", "paper002.tables:compare:17"),
    Item("paper002-alpha", "S-ResNet: scale of the surrogate on held-out images", "paper002.search:alphas"),
    Item("paper002-fig3", "S-ResNet: activity per layer and timestep", "paper002.activity:fig3"),
    Item("paper003-fig1", "quantization function for biases and thresholds", "paper003.neuron:fig1", trains=False),
    Item("paper003-fig2", "ReLU and integrate-and-fire, with the error", "paper003.neuron:fig2", trains=False),
    Item("paper003-fig3", "learning the threshold of one neuron", "paper003.neuron:fig3", trains=False),
    Item("paper003-fig4", "thresholds that change in time", "paper003.schedules:fig4", trains=False),
    Item("paper003-fig5", "non-uniform quantization of one neuron", "paper003.neuron:fig5", trains=False),
    Item("paper003-table1", "accuracy and sparsity of VGG16 and ResNet18 with ATIF", "paper003.accuracy:table:1"),
    Item("paper003-table2", "accuracy and sparsity on speech commands", "paper003.accuracy:table:2"),
    Item("paper003-table3", "fixed, trained and non-uniform thresholds", "paper003.accuracy:table:3"),
    Item("paper004-table2", "operations and energy in 45 nm, as printed", "paper004.exact:table2", trains=False),
    Item("paper004-table4", "groups, normal and dilated windows", "paper004.ablations:table4"),
    Item("paper004-fig5", "projection functions and theta", "paper004.ablations:fig5"),
    Item("paper004-table5", "volume under the projection over theta", "paper004.exact:table5", trains=False),
    Item("paper004-table6", "recurrent cells", "paper004.ablations:table6"),
)

ITEMS: dict[str, Item] = {item.name: item for item in _ITEMS}
"""All items, by name, in the papers' order."""

MISSING: dict[str, tuple[str, ...]] = {
    "paper000": ("Fig. 1 and 3 (drawings of the method)",),
    "paper002": (
        "Fig. 3a (VGG11)",
        "Fig. 4 to 6 (parameters of others' networks are drawn, not printed)",
        "Table 2 on CIFAR-100 beside CIFAR-10 (name that data to get it)",
        "the search over learning rate and T of section 3.5 (of the leak: table9)",
    ),
    "paper003": ("CIFAR-100 rows of Table 1 beside CIFAR-10", "rows of other authors in Tables 1 and 2"),
    "paper004": (
        "Table 1 (three data sets at full size, and networks with median spikes)",
        "Table 3 (spikes per image)",
        "Fig. 4 (spiking rate per layer)",
        "dropout, augmentation splits and the noise of the learning rate",
    ),
}
"""Paper -> what has no item, in words."""

DEFAULT_PAPER = "paper000"
"""The paper that a short name such as "fig2" means."""


def find(*names: str) -> tuple[Item, ...]:
    """Items by name; one without a paper is of [Castagnetti2025], and ``paperNNN`` means all items of that paper.

    Raises:
        ValueError: unknown name.

    Example:
        >>> [item.name for item in find("fig2", "paper000-table1")], len(find("paper000"))
        (['paper000-fig2', 'paper000-table1'], 13)
    """
    return tuple(dict.fromkeys(item for name in names for item in _named(name)))


def _named(name: str) -> tuple[Item, ...]:
    for full in (name, f"{DEFAULT_PAPER}-{name}"):
        if full in ITEMS:
            return (ITEMS[full],)
    found = tuple(item for item in ITEMS.values() if item.paper == name)
    if found:
        return found
    papers = dict.fromkeys(item.paper for item in ITEMS.values())
    raise ValueError(f"item {name!r}: expected one of {', '.join(ITEMS)}, or all of a paper: {', '.join(papers)}")
