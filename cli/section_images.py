"""``musim generate --muscle``: images of the longitudinal section."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..simulator.calf.study import PRESET as TRIALS_PRESET
from ..simulator.declarations import declarations
from ..simulator.errors import InputError
from ..simulator.section.muscles import DEFAULT_MUSCLE, MUSCLES, PRESET
from ..simulator.section.parameters import SectionParameters
from .console import err, megabytes, out, progress
from .options import changes_from
from .trials import told
from .wording import counted, not_an_option_of


def is_asked_for(preset: str | None, muscle: str | None, changes: Sequence[str]) -> bool:
    """Return whether images are asked for: by the preset, or by a muscle.

    Raises
    ------
    InputError
        If options of theirs stand with another preset, or without.
    """
    named = muscle in MUSCLES  # in other scenes it is a size
    if preset == PRESET or (preset is None and named):
        return True
    if named or changes:
        found = f"--muscle {muscle}" if named else "--set"
        beside = f"with --preset {preset}" if preset else "without --preset"
        raise InputError(
            f"found {found} {beside}, wanted it with --preset {PRESET}: it is for images of the "
            f"longitudinal section{'' if named else ', or with --preset ' + TRIALS_PRESET}"
        )
    return False


def parameters_of(texts: Mapping[str, str | None], changes: Sequence[str]) -> SectionParameters:
    """Return the parameters that a muscle and the options given make.

    Parameters
    ----------
    texts : mapping of str to str
        What options were given: the muscle, and parameters that other scenes have too.
    changes : sequence of str
        What ``--set`` was given.

    Raises
    ------
    InputError
        If a name or a text cannot be used.
    """
    given = {name: text for name, text in texts.items() if text is not None}
    muscle = given.pop("muscle", DEFAULT_MUSCLE)
    known = declarations(SectionParameters)
    for name in given:
        if name not in known:
            scene = "images of the longitudinal section"
            raise InputError(not_an_option_of(name, scene, PRESET, known))
    return SectionParameters.of(muscle, **{**given, **changes_from(changes)})


def check_others(others: Mapping[str, bool]) -> None:
    """Raise InputError if an option was given that images do not have."""
    for option, given in others.items():
        if given:
            raise InputError(
                f"found {option} for images of the longitudinal section, wanted it for sequences "
                "of tissue velocity alone; leave it out"
            )


def make(
    parameters: SectionParameters,
    muscle: str | None,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Make a store of images; return what there is to say of it, and say it as well."""
    from ..datasets.sections import generate_sections

    _announce(parameters, muscle, target, settings)
    began = time.perf_counter()
    with progress("simulating", "images") as report:
        generate_sections(parameters, target, muscle=muscle or DEFAULT_MUSCLE, **settings,
                          **options, on_progress=report)  # fmt: skip
    seconds = time.perf_counter() - began
    if not as_json:
        out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                    soft_wrap=True)  # fmt: skip
    return {"store": target, "sequences": settings["sequences"], "seconds": seconds}


def try_out(
    parameters: SectionParameters,
    muscle: str | None,
    target: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Make a few images in memory; return what the store will take, and say it as well."""
    from ..datasets import trial

    _announce(parameters, muscle, target, settings)
    found = trial.try_out(parameters, **settings, workers=options["workers"])
    return told(found, target, settings["sequences"], as_json=as_json)


def _announce(
    parameters: SectionParameters, muscle: str | None, target: str, settings: Mapping[str, Any]
) -> None:
    depth, width = parameters.pixels
    size = megabytes(float(depth) * width * settings["sequences"])
    err().print(
        f"{counted(settings['sequences'], 'image')} of {depth} x {width} px, "
        f"{muscle or DEFAULT_MUSCLE}, {parameters.size[0]:g} x {parameters.size[1]:g} mm ({size}), "
        f"seed {settings['seed']} -> {target}",
        soft_wrap=True,
    )
