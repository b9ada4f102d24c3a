"""The `ivr` command: one module per command, imported only when it runs."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from ivr import __version__
from ivr.errors import IvrError, ProblemsFound

COMMANDS = {
    "serve": "answer Twilio's webhooks",
    "demo": "try it: sample callers, one call in the terminal, a local server",
    "new": "start a project that works",
    "check": "every problem in config, flows and prompts",
    "simulate": "talk to the flow in the terminal",
    "test": "run dialogue tests",
    "dial": "play Twilio against a running server",
    "calls": "recent calls, or one call's trace with reasons",
    "callers": "people: show, import, export, forget",
    "cases": "open matters",
    "line": "a line for now: its notice, closing it",
    "publish": "give the flows in this folder to a running server",
    "worker": "do what calls asked for, close silent calls, keep what must be kept",
    "db": "migrations",
    "users": "people with an account: agents, designers, ops, admins",
    "tokens": "API tokens",
    "schema": "JSON Schema for editors",
    "docs": "the reference: steps, names, filters, problems",
}


class Group(click.Group):
    """Commands by name, loaded when used: `ivr --help` must not import Flask."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ivr.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names with their help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """A wrong name gets the nearest right one."""
        from ivr.problems import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no such command '{args[0]}'; {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ivr")
@click.option(
    "--project", default=".", help="The folder with config.yaml, flows/ and prompts/.", type=click.Path(path_type=Path)
)
@click.pass_context
def cli(ctx: click.Context, project: Path) -> None:
    """A contact line that knows who is calling."""
    ctx.obj = project


def main() -> None:
    """The entry point: what is wrong is one line (or one line a problem) and exit 1, never a traceback."""
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ProblemsFound as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    except IvrError as error:
        click.echo(f"ivr: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
