"""``musim measure``."""

import math
import time
from pathlib import Path

import click

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option
from .targets import check_target, written_aside
from .wording import counted

UNITS = {"deg": "degrees"}
"""Units as they are said, where columns have them shorter."""

MOST_NAMED = 5
"""Images that are named with what is said of them."""


@click.command(
    epilog="""\b
Examples:
  musim measure images --out table.csv
  musim measure images --masks masks --out table.csv
  musim measure images --masks masks --pixel-size 0.08 --unit mm --pictures pictures
  musim measure images --run segmenter --sizes sizes.csv
  musim measure images.zarr --pictures pictures
"""
)
@click.argument("images", metavar="IMAGES")
@click.option(
    "--masks", default=None, metavar="FOLDER",
    help="Masks of the aponeuroses, by the images' names, with or without _mask.  [default: "
    "masks or aponeuroses in or beside IMAGES, or NAME_mask.png]",
)  # fmt: skip
@click.option(
    "--run", default=None, metavar="RUN",
    help="Find aponeuroses with a network of musim train segment.  [default: where there are no "
    "masks, with the one that comes with musim]",
)  # fmt: skip
@click.option(
    "-o", "--out", "target", default="muscles.csv", show_default=True, metavar="CSV",
    help="Where the table is written.",
)  # fmt: skip
@click.option(
    "--pictures", default=None, metavar="FOLDER",
    help="Draw each image with its lines and chords, as PNG.",
)  # fmt: skip
@click.option(
    "--pixel-size", default=None, metavar="MM[,MM]",
    help="Depth and width of all images' pixels [mm]; one number if they are square.",
)  # fmt: skip
@click.option(
    "--sizes", default=None, metavar="CSV",
    help="A table of each image's pixel_depth_mm and pixel_width_mm, or of original_height and "
    "original_width [px] if it was made another size.",
)  # fmt: skip
@click.option(
    "--unit", type=click.Choice(["px", "mm"]), default=None,
    help="What is printed; mm asks that all scales are known.  [default: mm where they are]",
)  # fmt: skip
@json_option
@config_option
def measure(images, masks, run, target, pictures, pixel_size, sizes, unit, as_json) -> None:
    """Measure muscles in longitudinal B-mode IMAGES.

    IMAGES is a store of images, imported, simulated or sampled, or a folder of PNG, TIFF, JPEG or
    DICOM, or one image. Aponeuroses are those that were drawn, or a network finds them. Thickness
    is the mean of five chords perpendicular to the line midway between the aponeuroses, as in
    Katakis et al. 2023; pennation is the angle between fascicles and the deep aponeurosis, both as
    straight lines. Lengths in pixels are in pixels of depth. The table has a row for each image,
    with the reason where there is no number. Of simulated images it is said how far all that is
    from the truth.
    """
    from ..datasets.images.places import entries_of, is_store
    from ..datasets.images.sizes import read_sizes
    from ..training.csv_tables import csv_text
    from ..training.sections.measuring import measure_images, summarise

    began = time.perf_counter()
    table = Path(target)
    check_target(table, (".csv",))
    if pixel_size is not None and sizes is not None:
        raise InputError("found both --pixel-size and --sizes, wanted one of them")
    if masks is not None and run is not None:
        raise InputError("found both --masks and --run, wanted one of them")
    entries = entries_of(images, masks, needed=False)
    outputs = [table, *([] if pictures is None else [Path(pictures)])]
    inside = [each for each in outputs if Path(images).resolve() in each.absolute().parents]
    if inside and is_store(images):
        raise InputError(f"{inside[0]}: found it in the store of images, wanted another place")
    source, by = _mask_source(entries, run)
    given = [path for entry in entries for path in entry.files]
    folder = None if pictures is None else _folder(Path(pictures), given)
    if sizes is not None and table.resolve() == Path(sizes).resolve():
        raise InputError(f"{table}: found the table of sizes, wanted another name for --out")
    with progress("measuring", "images") as report:
        found = measure_images(
            entries, masks=source, pixel_size=pixel_size_of(pixel_size), unit=unit,
            sizes=None if sizes is None else read_sizes(sizes), on_progress=report,
        )  # fmt: skip
    rows = [each.row() for each in found]
    if folder is not None:
        _draw(entries, found, folder)
    with written_aside(table) as aside:
        aside.write_text(csv_text(rows), encoding="utf-8", newline="\n")
    summary = summarise(found, unit)
    if as_json:
        print_json(
            table=target, pictures=pictures, images=summary.images, measured=summary.measured,
            aponeuroses=by, off_truth=summary.off, seconds=time.perf_counter() - began, rows=rows,
        )  # fmt: skip
        return
    out().print(f"aponeuroses: {by}", soft_wrap=True, markup=False)
    for line in _lines(summary):
        out().print(line, soft_wrap=True, markup=False)
    drawn = f", pictures in {pictures}" if pictures else ""
    seconds = time.perf_counter() - began
    out().print(f"wrote {target}{drawn} ({seconds:.1f} s)", soft_wrap=True, markup=False)


def _mask_source(entries, run):
    """Return what gives the masks of images, and who that is in words."""
    from ..training.sections.measuring import drawn_mask

    if run is None and any(entry.has_mask for entry in entries):
        return drawn_mask, "as drawn"
    from ..training.sections.segmentation.segmenting import segmenter

    network = segmenter(run)
    by = "the network of musim" if run is None else f"the network of {run}"
    return lambda entry, image: network.find(image.values), f"found by {by}"


def pixel_size_of(text):
    """Return depth and width of a pixel from an option's text."""
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in {1, 2} or not all(0 < value < math.inf for value in values):
        raise InputError(
            f"--pixel-size: found {text!r}, wanted its depth, or depth and width, in mm: 0.08 or "
            "0.08,0.1"
        )
    return values[0], values[-1]


def _folder(folder, given):
    """Return the folder of pictures, which is none that holds what is read."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: found a file there, wanted a folder for --pictures")
    if folder.resolve() in {path.resolve().parent for path in given}:
        raise InputError(
            f"{folder}: found images or masks there, wanted another folder for --pictures, which "
            "would take their names"
        )
    return folder


def _draw(entries, found, folder) -> None:
    from ..datasets.location import Location
    from ..training.charts import Chart, png
    from ..training.sections.figures import caption, measurement_figure

    place = Location(folder)
    with progress("drawing", "pictures") as report:
        for number, (entry, each) in enumerate(zip(entries, found, strict=True)):
            figure = measurement_figure(entry.read().values, each)
            place.write(f"{entry.name}.png", png(Chart(entry.name, "", caption(each), figure)))
            report(number + 1, len(entries))


def _lines(summary):
    """Say what was measured, line by line."""
    yield f"{counted(summary.images, 'image')}, {summary.measured} measured"
    if summary.measured:
        yield f"thickness: {_quartiles(summary.thickness, summary.unit)}"
    if summary.with_fascicles:
        yield (
            f"pennation: {_quartiles(summary.pennation_deg, 'degrees')} in "
            f"{counted(summary.with_fascicles, 'image')}; three observers differ by 0.7-1.5 degrees"
        )
        yield f"fascicle length: {_quartiles(summary.fascicle_length, summary.unit)}"
    for name, (middle, spread, count) in summary.off.items():
        what, _, unit = name.rpartition("_")
        yield (
            f"{what.replace('_', ' ')} less the truth: median {middle:+.2f} "
            f"{UNITS.get(unit, unit)} (SD {spread:.2f}) in {counted(count, 'image')}"
        )
    for reason, names in summary.reasons.items():
        yield f"not measured: {reason} in {named(names)}"
    if summary.coloured:
        yield (
            f"annotations in colour in {named(summary.coloured)}: keep them away from the muscle"
        )
    if summary.measured and summary.unit == "px":
        yield "lengths are in pixels of depth; --pixel-size or --sizes tells millimetres"


def _quartiles(values, unit: str) -> str:
    low, middle, high = values
    return f"median {middle:.1f} {unit} (quartiles {low:.1f}-{high:.1f})"


def named(names) -> str:
    """Return how many images there are, and the first of their names."""
    shown = ", ".join(names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{counted(len(names), 'image')} ({shown}{more})"
