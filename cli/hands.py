"""``musim generate --preset grant-jacob-2021``: slices through hands that were scanned."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..simulator.errors import InputError
from ..simulator.resonance.parameters import PRESET, SIDES, Phantom
from .console import err, megabytes, out, progress
from .options import changes_from
from .trials import told
from .wording import counted

half_option = click.option(
    "--half",
    type=click.Choice(SIDES),
    default=None,
    help=f"With --preset {PRESET}: one hand.  [default: both, the left one first]",
)


def is_asked_for(preset: str | None, half: str | None) -> bool:
    """Return whether hands are asked for.

    Raises
    ------
    InputError
        If an option of theirs stands with another preset, or without.
    """
    if preset == PRESET:
        return True
    if half is not None:
        beside = f"with --preset {preset}" if preset else "without --preset"
        raise InputError(
            f"found --half {beside}, wanted it with --preset {PRESET}: it is for slices through "
            "hands"
        )
    return False


def check_others(others: Mapping[str, bool]) -> None:
    """Raise InputError if an option was given that hands do not have."""
    for option, given in others.items():
        if given:
            raise InputError(
                f"found {option} for slices through hands, wanted it for other presets alone; "
                "leave it out"
            )


def phantom_of(texts: Mapping[str, str | None], changes: Sequence[str]) -> Phantom:
    """Return the phantom that the options given make.

    Parameters
    ----------
    texts : mapping of str to str
        Options of other scenes by name, None where not given: they are refused.
    changes : sequence of str
        What ``--set`` was given.

    Raises
    ------
    InputError
        If a name or a text cannot be used.
    """
    phantom = Phantom()
    for name, text in texts.items():
        if text is not None:
            raise InputError(
                f"found --{name.replace('_', '-')} for slices through hands, wanted --set with one "
                f"of {', '.join(phantom.names)}"
            )
    return phantom.changed(changes_from(changes))


def make(
    phantom: Phantom,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Make a store of slices; return what there is to say of it, and say it as well."""
    from ..datasets.volumes.hands import generate_hands

    began = time.perf_counter()
    _announce(phantom, target, settings)
    with progress("scanning", "slices") as report:
        store = generate_hands(phantom, target, **settings, **options, on_progress=report)
    seconds = time.perf_counter() - began
    left_out = _left_out(store.origin)
    if not as_json:
        out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim preview {target}",
                    soft_wrap=True)  # fmt: skip
        if left_out:
            out().print(f"{counted(left_out, 'slice')} left out: one of the two pictures is "
                        "constant.", soft_wrap=True)  # fmt: skip
    return {"store": target, "sequences": len(store), "seconds": seconds, "left_out": left_out}


def try_out(
    phantom: Phantom,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Scan a hand with larger voxels, in memory; return what the store will take, and say it."""
    from ..datasets.volumes.trial import try_out_hands

    slices = _announce(phantom, target, settings)
    found = try_out_hands(phantom, **settings, workers=options["workers"])
    return told(found, target, slices, as_json=as_json)


def _left_out(origin: Any) -> int:
    return sum(origin.left_out.values())


def _announce(phantom: Phantom, target: str, settings: Mapping[str, Any]) -> int:
    """Say what is made, and return the number of slices."""
    from ..datasets.volumes.hands import plan_hands

    layout = plan_hands(phantom, **settings)
    depth, width = layout.shape[1:]
    sides = " x ".join(str(side) for side in phantom.scan.shape)
    hands = settings["subjects"] * (1 if settings["half"] else 2)
    err().print(
        f"{counted(layout.sequences, 'slice')} of {depth} x {width} px through "
        f"{counted(hands, 'hand')} of {sides} voxels of {phantom.scan.voxel:g} mm "
        f"({megabytes(9.0 * depth * width * layout.sequences)}), seed {settings['seed']} "
        f"-> {target}",
        soft_wrap=True,
    )
    return layout.sequences
