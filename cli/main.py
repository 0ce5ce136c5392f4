"""The ``musim`` command: finds its subcommands when they are asked for, and reports errors."""

import atexit
import difflib
import gc
import importlib
import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from .wording import as_options

COMMANDS = {
    "curate": "Change units that were found, and keep who changed what.",
    "evaluate": "Score methods against the truth.",
    "events": "Write the firings of a store as BIDS events.tsv tables.",
    "explain": "Tell what a network of muscle's states has learned, in pictures.",
    "generate": "Simulate sequences and store them with their truth.",
    "identify": "Find the motor units in recordings.",
    "import": "Bring recordings into a store: RF, IQ or velocity; or images, or videos.",
    "info": "Tell what a store holds: parameters, variables, data card.",
    "measure": "Measure muscles in B-mode images: thickness, pennation, fascicle length.",
    "methods": "Tell what methods of identification do, assume and can be set to.",
    "presets": "Tell what each preset sets, or print one to change it.",
    "preview": "Draw a sequence: PNG, PDF or SVG of it, GIF or MP4 of its motion.",
    "region": "Take the region of the muscle out of B-mode videos, turned level.",
    "report": "Draw what was found as pages: HTML that opens from the disk.",
    "sample": "Make images of muscle out of noise, with masks of their aponeuroses.",
    "train": "Train networks on simulated sequences.",
    "translate": "Make simulated sequences look like recorded ones.",
    "verify": "Prove a store whole, byte by byte.",
    "view": "Look at a store in the browser: frames, units, trains, firings.",
}
"""Names and summaries. The modules are imported only when run: ``musim --help`` stays quick."""

MODULES = {"import": "import_recordings"}
"""Modules, and functions in them, that cannot have their command's name."""

INTERRUPTED = 130

TRAINING = {"lightning", "tensorboard", "torch", "torchmetrics", "torchvision"}
"""Libraries that come with ``musim[train]`` alone."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own names, imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        name = MODULES.get(cmd_name, cmd_name)
        return getattr(importlib.import_module(f".{name}", __package__), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' summaries without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name what may be meant where there is none, or all of them."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {close[0]}?" if close else f"wanted one of {', '.join(COMMANDS)}"
            raise click.UsageError(f"command: found {args[0]!r}, {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: musim generate --units 5-30 --snr 10",
)
@click.version_option(package_name="musim", prog_name="musim")
def musim() -> None:
    """Simulate tissue-velocity image sequences of active motor units, with their truth."""


def _end_quickly() -> None:
    """End without looking for cycles in libraries, which takes as long as importing some of them.

    But for torch's: of what is left of these when the process ends, Triton says that it leaked.
    """
    if "torch" not in sys.modules:
        gc.freeze()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 failure, 2 wrong input, 130 interrupted.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of the process's own.
    """
    atexit.register(_end_quickly)
    try:
        code = musim.main(args=arguments, prog_name="musim", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = error.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "musim"
        code = _report(f"{error.format_message()} (see {where} --help)", error.exit_code)
    except click.ClickException as error:
        code = _report(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        # Zarr reads and writes in a thread of its own, where an interrupt leaves requests pending:
        # asyncio would list each as the process ends, after the one line that says all.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        warnings.simplefilter("ignore")
        code = _report("interrupted; what is written can be resumed with --resume", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone, as with `musim info STORE | head`.
        sys.stderr.close()
        code = 1
    except Exception as error:
        code = _report_exception(error)
    sys.exit(code if isinstance(code, int) else 0)


def _report_exception(error: Exception) -> int:
    from ..simulator.errors import MusimError

    if isinstance(error, MusimError):
        return _report(as_options(str(error)), error.exit_code)
    if isinstance(error, ModuleNotFoundError) and error.name in TRAINING:
        return _report(
            f"found {error.name} missing, wanted the libraries for training; pip install "
            '"musim[train]"',
            2,
        )
    if isinstance(error, MemoryError):
        return _report("found too little memory; use smaller sequences or fewer workers", 1)
    raise error


def _report(text: Any, code: int) -> int:
    """Write one line to standard error."""
    line = " ".join(str(text).split())
    click.echo(f"{click.style('Error:', fg='red')} {line}", err=True)
    return code
