"""All commands, and how they fail: one line that says what is wrong, exit code 2, no traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from . import data, demo, energy, export, fit, import_, info, report, reproduce, shipped, simulate, sweep, train
from .show import complain


class Commands(TyperGroup):
    """Turns a user's mistakes, which the library raises as ValueError or OSError, into one line."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            complain(str(error) or type(error).__name__)
            raise typer.Exit(2) from None
        except MemoryError as error:
            complain(f"it takes more memory than there is{f' ({error})' if str(error) else ''}")
            raise typer.Exit(2) from None


app = typer.Typer(
    name="mlsnn",
    cls=Commands,
    help="Spiking networks with graded spikes: train, export, run in Lava, count events and joules.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train", no_args_is_help=False)(train.train)
app.command("export", no_args_is_help=True)(export.export)
app.command("import", no_args_is_help=True)(import_.import_)
app.command("simulate", no_args_is_help=True)(simulate.simulate)
app.command("energy", no_args_is_help=True)(energy.energy)
app.command("fit", no_args_is_help=True)(fit.fit)
app.command("report", no_args_is_help=True)(report.report)
app.command("info")(info.info)
app.command("reproduce")(reproduce.reproduce)
app.command("sweep", no_args_is_help=False)(sweep.sweep)
app.command("demo")(demo.demo)
app.command("shipped")(shipped.shipped)
app.command("exports", hidden=True)(shipped.shipped)  # the name it had
app.add_typer(data.app)


def main() -> None:
    """Entry point of ``mlsnn``."""
    app()
