"""``mlsnn models``"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from . import options, show


def models(json: options.AlsoJson = None) -> None:
    """List the architectures that can be trained, and the trained networks that come with the package.

    Joules and events are those of one image of the test set, by the energy model lemaire; cores are those of a Loihi 2.

    [bold]Example:[/] mlsnn models
    """
    from .. import model
    from ..helpers import shipped
    from ..helpers.units import joules
    from . import target
    from .shipped import read_manifest

    if json:
        target.check(json, "json", ("architectures", "nets"))
    show.say(f"architectures: {', '.join(model.names())}")
    nets: dict[str, Any] = read_manifest(shipped.folder("netx_exports"))["nets"]
    table = Table("network", "T, N", pad_edge=False)
    for column in ("accuracy", "energy", "ANN twin", "cores", "parameters"):
        table.add_column(column, justify="right")
    for name, net in nets.items():
        table.add_row(
            name.removesuffix(".net"),
            f"{net['timesteps']}, {net['levels']}",
            f"{net['accuracy']['engine']:.1%}",
            joules(net["energy"]["snn"]),
            joules(net["energy"]["ann"]),
            str(net["cores"]),
            f"{net['parameters']:,}",
        )
    show.console.print(table)
    show.say('ml.netx.example("digits_sparse_resnet_t1n4") loads one')
    if json:
        show.wrote(show.write_json({"architectures": model.names(), "nets": nets}, json))
