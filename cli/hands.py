"""``musim generate --preset grant-jacob-2021``: slices through hands that were scanned."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..simulator.declarations import declarations
from ..simulator.errors import InputError
from ..simulator.resonance.hand.parameters import HandParameters
from ..simulator.resonance.parameters import PRESET, SIDES, Phantom
from ..simulator.resonance.scan import Scan
from .console import err, megabytes, out, progress
from .options import changes_from
from .trials import told
from .wording import counted, not_an_option_of

if TYPE_CHECKING:
    from ..datasets.store import Store

half_option = click.option(
    "--half",
    type=click.Choice(SIDES),
    default=None,
    help=f"With --preset {PRESET}: one hand, or of --labels one half.  [default: both, the left "
    "hand first]",
)

labels_option = click.option(
    "--labels",
    default=None,
    metavar="FILE",
    help=f"With --preset {PRESET}: scan these labels of tissues, not hands: NIfTI, or a file as "
    "brain2D.mat.",
)

tissues_option = click.option(
    "--tissues",
    type=click.Choice(("brain", "hand")),
    default=None,
    help="What --labels stand for: BrainWeb's tissues, or those of a hand.  [default: brain]",
)


def is_asked_for(preset: str | None, options: Mapping[str, str | None]) -> bool:
    """Return whether hands, or labels, are asked for.

    Parameters
    ----------
    preset : str, optional
    options : mapping of str to str
        Options of theirs alone by name, None where not given.

    Raises
    ------
    InputError
        If one stands with another preset, or without.
    """
    if preset == PRESET:
        if options["tissues"] is not None and options["labels"] is None:
            raise InputError("found --tissues without --labels, wanted both or neither")
        return True
    for name, value in options.items():
        if value is not None:
            beside = f"with --preset {preset}" if preset else "without --preset"
            raise InputError(
                f"found --{name} {beside}, wanted it with --preset {PRESET}: it is for slices "
                "through scanned hands or labels"
            )
    return False


def check_others(others: Mapping[str, bool], what: str = "hands") -> None:
    """Raise InputError if an option was given that hands, or labels, do not have."""
    for option, given in others.items():
        if given:
            raise InputError(
                f"found {option} for slices through {what}, wanted it for others alone; leave "
                "it out"
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
            raise InputError(not_an_option_of(name, "slices through hands", PRESET, phantom.names))
    return phantom.changed(changes_from(changes))


def run(
    theirs: Mapping[str, str | None],
    subjects: int | None,
    target: str,
    texts: Mapping[str, str | None],
    changes: Sequence[str],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    dry_run: bool,
    as_json: bool,
) -> dict[str, Any]:
    """Do what options ask for: scan hands or labels, or tell what hands will take.

    Parameters
    ----------
    theirs : mapping of str to str
        As of :func:`is_asked_for`.
    subjects : int, optional
    target : str
    texts, changes
        As of :func:`phantom_of`.
    settings : mapping
        Seed and size of parts.
    options : mapping
        Who does the work, and what becomes of a store that is there.
    dry_run, as_json : bool

    Returns
    -------
    dict
        What there is to say.

    Raises
    ------
    InputError
        If options cannot be used, or do not go together.
    """
    phantom = phantom_of(texts, changes)
    if theirs["labels"] is None:
        hands = {"subjects": 1 if subjects is None else subjects, "half": theirs["half"] or ""}
        do = try_out if dry_run else make
        return do(phantom, target, {**settings, **hands}, options, as_json=as_json)
    check_others({"--participants": subjects is not None, "--dry-run": dry_run}, "labels")
    return scan_labels(theirs, target, changes, settings, options, as_json=as_json)


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
    return _done(store, target, began, as_json=as_json)


def scan_labels(
    theirs: Mapping[str, str | None],
    target: str,
    changes: Sequence[str],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Scan a file of labels into a store; return what there is to say of it, and say it as well."""
    from ..datasets.production import Work, produce
    from ..datasets.volumes.labels import plan_labels

    given, labels = changes_from(changes), theirs["labels"]
    assert labels is not None
    began = time.perf_counter()
    maker = plan_labels(
        labels, _scan_of(given), **settings, tissues=theirs["tissues"] or "brain",
        half=theirs["half"], own_voxel="voxel" not in given,
    )  # fmt: skip
    depth, width = maker.layout.shape[1:]
    err().print(
        f"{counted(maker.layout.sequences, 'slice')} of {depth} x {width} px through labels of "
        f"{labels}, seed {settings['seed']} -> {target}",
        soft_wrap=True,
    )
    with progress("writing", "slices") as report:
        store = produce(maker, target, Work(**options, on_progress=report))
    return _done(store, target, began, as_json=as_json)


def _scan_of(changes: Mapping[str, str]) -> Scan:
    """Return a scan with the changes given; refuse what only hands have."""
    known = declarations(Scan)
    for name in changes:
        if name in declarations(HandParameters):
            raise InputError(
                f"found --set {name} with --labels, wanted one of {', '.join(known)}: the others "
                "are for hands"
            )
    return Phantom().changed(changes).scan


def _done(store: "Store", target: str, began: float, *, as_json: bool) -> dict[str, Any]:
    """Return what there is to say of a finished store, and say it unless a program reads."""
    seconds = time.perf_counter() - began
    left_out = sum(store.origin.left_out.values())  # type: ignore[union-attr]
    if not as_json:
        out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
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
