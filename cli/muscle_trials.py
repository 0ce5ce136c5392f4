"""``musim generate --preset cunningham-2017``: trials of the calf, as videos with signals."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..simulator.calf.study import PARTICIPANTS, PRESET, Study
from ..simulator.calf.tasks import TASKS
from ..simulator.errors import InputError
from .console import err, megabytes, out, progress
from .options import changes_from
from .trials import told
from .wording import counted, not_an_option_of

participants_option = click.option(
    "--participants",
    type=int,
    default=None,
    metavar="NUMBER",
    help="With --preset cunningham-2017, in place of -n: how many participants, with all of "
    f"--tasks.  [default: {PARTICIPANTS}] With --preset grant-jacob-2021: how many subjects.  "
    "[default: 1]",
)

tasks_option = click.option(
    "--tasks",
    default=None,
    metavar="NAME[,NAME...]",
    help=f"With --preset cunningham-2017: the tasks.  [default: {','.join(TASKS)}]",
)


def is_asked_for(preset: str | None, participants: int | None, tasks: str | None) -> bool:
    """Return whether trials are asked for.

    Raises
    ------
    InputError
        If options of theirs stand with another preset, or without.
    """
    if preset == PRESET:
        return True
    for option, given in (("--participants", participants), ("--tasks", tasks)):
        if given is not None:
            beside = f"with --preset {preset}" if preset else "without --preset"
            raise InputError(
                f"found {option} {beside}, wanted it with --preset {PRESET}: it is for trials of "
                "the calf"
            )
    return False


def check_others(others: Mapping[str, bool]) -> None:
    """Raise InputError if an option was given that trials do not have."""
    for option, given in others.items():
        if given:
            raise InputError(
                f"found {option} for trials of the calf, wanted it for sequences of tissue "
                "velocity alone; leave it out"
            )


def study_of(texts: Mapping[str, str | None], changes: Sequence[str]) -> Study:
    """Return the study that the options given make.

    Parameters
    ----------
    texts : mapping of str to str
        Options of other scenes by name, None where not given: those that a study has too are taken.
    changes : sequence of str
        What ``--set`` was given.

    Raises
    ------
    InputError
        If a name or a text cannot be used.
    """
    study, given = Study(), {name: text for name, text in texts.items() if text is not None}
    for name in given:
        if name not in study.names:
            scene = "trials of the calf"
            raise InputError(not_an_option_of(name, scene, PRESET, study.names))
    return study.changed({**given, **changes_from(changes)})


def trials_asked_for(
    sequences: int | None, participants: int | None, tasks: str | None
) -> dict[str, Any]:
    """Return `sequences` and `tasks` of :func:`musim.datasets.videos.generation.plan_trials`.

    Raises
    ------
    InputError
        If both numbers are given, or there are no participants.
    """
    asked = tuple(TASKS) if tasks is None else tuple(one.strip() for one in tasks.split(","))
    if participants is not None:
        if sequences is not None:
            raise InputError(
                f"found both -n {sequences} and --participants {participants}, wanted one of them; "
                f"{participants} participants have {participants * len(asked)} trials"
            )
        if participants < 1:
            raise InputError(f"participants: found {participants}, wanted 1 or more")
        sequences = participants * len(asked)
    return {"sequences": sequences, "tasks": asked}


def make(
    study: Study,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Make a store of trials; return what there is to say of it, and say it as well."""
    from ..datasets.videos.generation import generate_trials

    _announce(study, target, settings)
    began = time.perf_counter()
    with progress("simulating", "trials") as report:
        store = generate_trials(study, target, **settings, **options, on_progress=report)
    seconds = time.perf_counter() - began
    if not as_json:
        out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                    soft_wrap=True)  # fmt: skip
    return {"store": target, "sequences": len(store), "seconds": seconds}


def try_out(
    study: Study,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Make a trial in memory; return what the store will take, and say it as well."""
    from ..datasets import trial

    sequences = _announce(study, target, settings)
    found = trial.try_out(study, **settings, workers=options["workers"])
    return told(found, target, sequences, as_json=as_json)


def _announce(study: Study, target: str, settings: Mapping[str, Any]) -> int:
    """Say what is made, and return the number of trials."""
    from ..datasets.videos.generation import plan_trials

    layout = plan_trials(study, **settings)
    frames, depth, width = layout.shape
    size = "rendered on read"
    if settings["written"]:
        size = megabytes(float(frames) * depth * width * layout.sequences)
    participants = -(-layout.sequences // len(settings["tasks"]))
    err().print(
        f"{counted(layout.sequences, 'trial')} of {counted(participants, 'participant')}, "
        f"{counted(frames, 'frame')} of {depth} x {width} px at {layout.frame_rate:g} Hz ({size}), "
        f"seed {settings['seed']} -> {target}",
        soft_wrap=True,
    )
    return layout.sequences
