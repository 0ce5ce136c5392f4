"""``musim import`` of images: B-mode images of the longitudinal section, in place of recordings."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..simulator.errors import InputError
from .console import err, out, print_json, progress
from .measure import named, pixel_size_of
from .options import SectionOption
from .wording import counted

SECTION = "Images (a folder of PNG, TIFF, JPEG or DICOM, or single ones)"

PICTURES = (b"\x89PNG", b"\xff\xd8\xff")
"""How files begin that are images, and never recordings."""

EITHER = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF begins, which may be both, as DICOM may."""

OPTIONS = ("images", "masks", "sizes", "pixel_size", "crop")

MOST_CROPS = 4
"""Crops that are told, those of most images first."""


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of images."""
    options = [
        click.option(
            "--images", is_flag=True, cls=SectionOption, section=SECTION,
            help="Take files for images: needed of single ones in TIFF or DICOM, which may be "
            "recordings. They become 256 x 256 px, or as --pixels says.",
        ),
        click.option(
            "--masks", default=None, metavar="FOLDER", cls=SectionOption, section=SECTION,
            help="Masks of the aponeuroses, found as musim measure does.  [default: masks or "
            "aponeuroses in or beside the folder, or NAME_mask.png]",
        ),
        click.option(
            "--sizes", default=None, metavar="CSV", cls=SectionOption, section=SECTION,
            help="A table of each image's pixel_depth_mm and pixel_width_mm, or original_height "
            "and original_width [px]; and subject, group or cluster of images that belong "
            "together.  [default: what DICOM says, and images that are alike]",
        ),
        click.option(
            "--pixel-size", default=None, metavar="MM[,MM]", cls=SectionOption, section=SECTION,
            help="Depth and width of all files' pixels [mm]; one number if they are square.",
        ),
        click.option(
            "--crop", default=None, metavar="TOP,LEFT,DEPTH,WIDTH|auto", cls=SectionOption,
            section=SECTION,
            help="What of each file is the image [px]; auto finds it on a scanner's screen.  "
            "[default: all of it]",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def are_asked_for(
    files: tuple[str, ...], given: Mapping[str, Any], recording: Mapping[str, Any]
) -> bool:
    """Return whether files are to become images, and not recordings.

    Parameters
    ----------
    files : tuple of str
    given : mapping
        What the options of images were given.
    recording : mapping
        What was given that only recordings have, by option.

    Raises
    ------
    InputError
        If that cannot be told, or options of both were given.
    """
    described = [option for option, value in recording.items() if value]
    if given["images"]:
        wanted = True
    elif described:
        wanted = False
    else:
        kinds = {path: _kind_of(Path(path)) for path in files}
        wanted = "image" in kinds.values()
        other = next((path for path, kind in kinds.items() if kind != "image"), None)
        if other is not None and (wanted or kinds[other] == "either"):
            raise InputError(
                f"{other}: found a file that may be a recording, wanted word of it: give --images "
                "if it is an image, or --kind and what else a recording needs"
            )
    if wanted and described:
        raise InputError(
            f"found {described[0]} for images, wanted it for recordings alone; leave it out"
        )
    others = [name for name in OPTIONS if given[name]]
    if not wanted and others:
        raise InputError(
            f"found --{others[0].replace('_', '-')} for recordings, wanted it for images alone; "
            "leave it out, or add --images"
        )
    return wanted


def _kind_of(path: Path) -> str:
    from ..datasets.importing.content import HEAD, Content
    from ..datasets.importing.zarr_folders import ZarrFolder

    if path.is_dir():
        return "recording" if ZarrFolder.recognises(Content(path)) else "image"
    if not path.is_file():
        return "recording"  # which says that there is none
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(PICTURES):
        return "image"
    return "either" if head.startswith(EITHER) or head[128:132] == b"DICM" else "recording"


def bring_in(
    files: tuple[str, ...], target: str, given: Mapping[str, Any], pixels: str | None,
    work: Mapping[str, Any], *, as_json: bool,
) -> None:  # fmt: skip
    """Make a store of images, and say what it holds."""
    from ..datasets.images.cropping import parse_crop
    from ..datasets.images.importing import carry_out
    from ..datasets.images.planning import plan_images
    from ..datasets.images.resizing import SIZE
    from ..datasets.production import Work

    began = time.perf_counter()
    size = SIZE if pixels is None else _pixels(pixels)
    crop = None if given["crop"] is None else parse_crop(given["crop"])
    with progress("reading", "images") as report:
        planned = plan_images(
            files, masks=given["masks"], sizes=given["sizes"], pixels=size, crop=crop,
            pixel_size=pixel_size_of(given["pixel_size"]), on_progress=report,
        )  # fmt: skip
    layout = planned.layout
    groups = len(set(planned.groups.tolist()))
    err().print(
        f"{counted(layout.sequences, 'image')} of {layout.image}, {planned.drawn} with aponeuroses "
        f"drawn, in {counted(groups, 'group')} by {layout.origin.grouped_by} -> {target}",  # type: ignore[union-attr]
        soft_wrap=True, markup=False,
    )  # fmt: skip
    remarks = list(_remarks(planned))
    for text in remarks:
        err().print(text, soft_wrap=True, markup=False)
    with progress("importing", "images") as report:
        carry_out(planned, target, Work(**work, on_progress=report))
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            store=target, images=layout.sequences, image=layout.shape[1:], drawn=planned.drawn,
            groups=groups, unknown_scale=len(planned.unknown), coloured=planned.coloured,
            cropped=planned.cuts.cropped, crop_not_found=planned.cuts.not_found,
            crop_lost=planned.cuts.lost, remarks=remarks, seconds=seconds,
        )  # fmt: skip
        return
    out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                soft_wrap=True, markup=False)  # fmt: skip


def _pixels(text: str) -> tuple[int, int]:
    depth, sign, width = text.lower().partition("x")
    if not (sign and depth.strip().isdecimal() and width.strip().isdecimal()):
        raise InputError(f"--pixels: found {text!r}, wanted depth x width of images, as 256x256")
    return int(depth), int(width)


def _remarks(planned: Any) -> Any:
    """Say what was cut off, and what is not known."""
    cuts = planned.cuts
    if cuts.cropped:
        crops = [
            f"{left},{top} ({width} x {depth} px) in {count}"
            for (top, left, depth, width), count in list(cuts.crops.items())[:MOST_CROPS]
        ]
        more = len(cuts.crops) - len(crops)
        yield (
            f"cropped {named(cuts.cropped)}: from column,row {', '.join(crops)}"
            + (f", and {more} other crops (musim info --json tells all)" if more else "")
        )
    if cuts.not_found:
        yield f"found no image on the screen, and left it whole, in {named(cuts.not_found)}"
    if cuts.lost:
        yield f"the crop cuts off some of the aponeuroses drawn in {named(cuts.lost)}"
    if planned.coloured:
        yield f"annotations in colour in {named(planned.coloured)}: they stay, in grey"
    if planned.unknown:
        yield (
            f"millimetres are not known in {named(planned.unknown)}; --pixel-size or --sizes tells "
            "them"
        )
