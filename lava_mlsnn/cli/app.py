"""All commands, and how they fail: one line that says what is wrong, exit code 2, no traceback; 130 after Ctrl-C."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..helpers import starting
from ..helpers.version import __version__
from . import (
    data,
    demo,
    energy,
    export,
    fit,
    import_,
    info,
    install,
    models,
    pareto,
    report,
    reproduce,
    shipped,
    show,
    simulate,
    sweep,
    train,
    tutorials,
    verdicts,
)


class Commands(TyperGroup):
    """Turns a user's mistakes, which the library raises as ValueError or OSError, a lack of memory, and Ctrl-C into one
    line."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        show.if_interrupted(None)
        try:
            starting.end()  # not before: typer takes a while to make the commands
            return super().make_context(*arguments, **more)
        except KeyboardInterrupt:
            show.interrupted()
            raise typer.Exit(130) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Exception) as error:
            if _is_interrupt(error):
                show.interrupted()
                raise typer.Exit(130) from None
            said = _said(error)
            if said is None:
                raise
            show.complain(said)
            raise typer.Exit(2) from None


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether it is Ctrl-C, or another error that was made of it: Python 3.11 does so where it defines classes."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def _said(error: BaseException) -> str | None:
    """What a user is told in a line; None for what is no mistake of theirs."""
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    if isinstance(error, RuntimeError):  # torch's words
        out_of_memory = "allocate memory" in str(error) or type(error).__name__ == "OutOfMemoryError"
        return "not enough memory: " + str(error).partition("\n")[0] if out_of_memory else None
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__ if isinstance(error, ValueError | OSError) else None


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
app.command("pareto", no_args_is_help=True)(pareto.pareto)
app.command("info")(info.info)
app.command("reproduce")(reproduce.reproduce)
app.command("verdicts", no_args_is_help=True)(verdicts.verdicts)
app.command("sweep", no_args_is_help=False)(sweep.sweep)
app.command("demo")(demo.demo)
app.command("shipped")(shipped.shipped)
app.command("exports", hidden=True)(shipped.shipped)  # the name it had
app.command("models")(models.models)
app.command("tutorials", no_args_is_help=True)(tutorials.tutorials)
app.command("install-lava")(install.install_lava)
app.add_typer(data.app)


def _say_version(wanted: bool) -> None:
    if wanted:
        show.say(f"mlsnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of ``mlsnn``."""
    app()
