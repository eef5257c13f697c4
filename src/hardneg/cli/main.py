"""``hardneg``: mine, look at what came out and export it; before that faces, detect, listen, confusable, identities."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from hardneg.errors import HardnegError

__all__ = ["cli", "main"]

_COMMANDS = (
    "demo", "mine", "refilter", "show", "report", "export", "check-trainer", "faces", "detect", "listen",
    "confusable", "identities", "evaluate",
)  # fmt: skip


class _Lazy(click.Group):
    """Imports a command when it is used, so that ``hardneg --help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"hardneg.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hardneg")
def cli() -> None:
    """Mine hard negatives: a reason for every candidate, and a training set your trainer loads."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; an error is one clear line, exit status 1."""
    try:
        return cli.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HardnegError as error:
        click.echo(f"hardneg: {error}", err=True)
        sys.exit(1)
    except MemoryError:
        click.echo("hardneg: There is not enough memory. See what is needed with: hardneg mine --dry-run", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.filename is None and not isinstance(error, FileNotFoundError):
            raise
        place, why = error.filename or error, error.strerror or "No such file or directory"
        click.echo(f"hardneg: {place}: {why}. Check that it is there and may be used.", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            "hardneg: Stopped. Long work is kept as far as it got: run the same command again to go on.", err=True
        )
        sys.exit(130)
