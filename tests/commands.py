"""The command line as tests call it."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from lava_mlsnn.cli import app


def mlsnn(*arguments: object, code: int = 0) -> Result:
    """Run ``mlsnn`` with these arguments in this process; it must end with ``code``."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result
