"""``musim import`` of volumes: paired slices through two of one anatomy, in place of recordings."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..simulator.errors import InputError
from .console import err, out, print_json, progress
from .options import SectionOption
from .wording import as_options, counted

SECTION = "Volumes (FILE and --pair: NIfTI, or folders of DICOM, PNG or TIFF)"

OPTIONS = ("pair", "planes", "half", "voxel", "stacked")
"""Options of volumes alone."""

RESAMPLE = "--resample"
"""Option of recordings that volumes have too, without a value."""

ONTO_THE_FIRST = "the first volume's grid"
"""What it holds where it was given without one."""

NIFTI = (".nii", ".nii.gz")


def volume_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of volumes."""
    options = [
        click.option(
            "--pair", default=None, metavar="FILE", cls=SectionOption, section=SECTION,
            help="The other volume of the same anatomy, such as T2 of T1. Slices through both "
            "become a store of pairs, with intensities as they are. --resample, without a value, "
            "brings it onto the first one's grid.",
        ),
        click.option(
            "--planes", default=None, metavar="NAMES", cls=SectionOption, section=SECTION,
            help="Planes of the slices.  [default: axial,coronal,sagittal]",
        ),
        click.option(
            "--half", default=None, metavar="left|right", cls=SectionOption, section=SECTION,
            help="The half of the patient that slices are taken of; the halves share no voxel.",
        ),
        click.option(
            "--voxel", default=None, metavar="MM", cls=SectionOption, section=SECTION,
            help="Size of the voxels of stacks of PNG or TIFF, to the right, the front and the "
            "head, as 0.6x0.6x0.6.",
        ),
        click.option(
            "--stacked", default=None, metavar="PLANE", cls=SectionOption, section=SECTION,
            help="Plane of the pictures of such stacks, from the feet, the back or the left on.  "
            "[default: axial]",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def are_asked_for(
    files: tuple[str, ...], given: Mapping[str, Any], others: Mapping[str, Any]
) -> bool:
    """Return whether files are to become slices, and neither recordings nor images.

    Parameters
    ----------
    files : tuple of str
    given : mapping
        What the options of volumes were given.
    others : mapping
        What was given that volumes do not have, by option.

    Raises
    ------
    InputError
        If there is one volume alone, or options of volumes and of others were given.
    """
    own = [f"--{name}" for name in OPTIONS if given[name] is not None]
    if "--pair" not in own:
        alone = [path for path in files if path.lower().endswith(NIFTI)]
        asked = own or (others[RESAMPLE] == ONTO_THE_FIRST and [RESAMPLE])
        if asked:
            raise InputError(
                f"found {asked[0]} and no --pair, wanted the other volume of the anatomy; give "
                "--pair T2"
            )
        if alone and not any(others.values()):
            raise InputError(
                f"{alone[0]}: found a volume alone, wanted its pair, as --pair T2; or --kind and "
                "what else a recording needs"
            )
        return False
    if len(files) != 1:
        raise InputError(
            f"found {len(files)} files and --pair, wanted one volume and its pair; import others "
            "into stores of their own"
        )
    other = next((option for option, value in others.items() if value and option != RESAMPLE), None)
    if other is not None:
        raise InputError(f"found {other} for volumes, wanted it without; leave it out")
    if others[RESAMPLE] not in {None, ONTO_THE_FIRST}:
        raise InputError(
            f"{RESAMPLE}: found {others[RESAMPLE]!r}, wanted it without a value for volumes; put "
            "it behind the files"
        )
    return True


def bring_in(
    files: tuple[str, ...], target: str, given: Mapping[str, Any], work: Mapping[str, Any], *,
    resample: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a store of slices, and say what it holds."""
    from ..datasets.production import Work
    from ..datasets.volumes.importing import carry_out
    from ..datasets.volumes.planning import plan_volumes

    began = time.perf_counter()
    chosen = {name: given[name] for name in ("planes", "half", "stacked") if given[name]}
    with progress("reading", "volumes") as report:
        planned = plan_volumes(
            Path(files[0]), Path(given["pair"]), resample=resample, voxel=_voxel(given["voxel"]),
            on_progress=report, **chosen,
        )  # fmt: skip
    layout = planned.layout
    counts = ", ".join(f"{count} {plane}" for plane, count in planned.counts.items())
    err().print(
        f"{counted(layout.sequences, 'pair')} of slices ({counts}) on {layout.image} -> {target}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    remarks = [as_options(text) for text in planned.remarks]
    if planned.left_out:
        told = ", ".join(f"{count} {plane}" for plane, count in planned.left_out.items())
        total = sum(planned.left_out.values())
        remarks.append(f"{counted(total, 'constant slice')} left out: {told}")
    for text in remarks:
        err().print(text, soft_wrap=True, markup=False)
    with progress("importing", "slices") as report:
        carry_out(planned, target, Work(**work, on_progress=report))
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            store=target, slices=planned.counts, left_out=planned.left_out,
            image=layout.shape[1:], resampled=layout.origin.resampled,  # type: ignore[union-attr]
            remarks=remarks, seconds=seconds,
        )  # fmt: skip
        return
    out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                soft_wrap=True, markup=False)  # fmt: skip


def _voxel(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        sides = [float(side) for side in text.lower().removesuffix("mm").split("x")]
    except ValueError:
        sides = []
    if len(sides) not in {1, 3} or not all(0 < side < math.inf for side in sides):
        raise InputError(
            f"--voxel: found {text!r}, wanted the size of voxels in mm, to the right, the front "
            "and the head, as 0.6x0.6x0.6"
        )
    return sides[0], sides[len(sides) // 2], sides[-1]
