"""Options of the commands that train on images, and the source that is made of them."""

from pathlib import Path
from typing import Any

import click

from ..simulator.errors import InputError

IMAGE_OPTIONS = (
    click.option("--data", "images", multiple=True, metavar="IMAGES",
                 help="A folder of images or a store of them, split by --shares; may be repeated."),
    click.option("--also", multiple=True, metavar="IMAGES",
                 help="Images that are trained on beside, all of them: simulated or sampled ones; "
                 "may be repeated."),
    click.option("--masks", default=None, metavar="FOLDER",
                 help="Masks of a folder of images.  [default: looked for beside them]"),
    click.option("--sizes", default=None, metavar="FILE",
                 help="A table of the sizes of a folder's images (CSV)."),
    click.option("--shares", default=None, metavar="TRAINING,VALIDATION,TEST",
                 help="Of --data; images that are nearly the same stay together.  "
                 "[default: 0.4,0.2,0.4]"),
    click.option("--split-seed", type=click.IntRange(0), default=None, metavar="NUMBER",
                 help="Of the split.  [default: 0]"),
    click.option("--without", default=None, metavar="NAME,NAME|FILE",
                 help="Images of --data to leave out, by names or a file of them; the split is as "
                 "with them."),
)  # fmt: skip
"""Options that say which images are trained on."""


def image_options(command):
    """Add the options that say which images are trained on."""
    for decorate in reversed(IMAGE_OPTIONS):
        command = decorate(command)
    return command


def image_source(options: dict[str, Any]):
    """Take the options out of all that were given, and return the source; None without images.

    Raises
    ------
    InputError
        If an option needs images that were not given, or cannot be read.
    """
    from ..training.sections.image_source import ImageSource

    names = ("masks", "sizes", "shares", "split_seed", "without")
    images, also = options.pop("images"), options.pop("also")
    given = {name: options.pop(name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if not (images or also):
        if given:
            option = next(iter(given)).replace("_", "-")
            raise InputError(f"--{option}: found no --data, wanted it with one; or leave this out")
        return None
    if "shares" in given:
        given["shares"] = _shares(given["shares"])
    if "split_seed" in given:
        given["seed"] = given.pop("split_seed")
    if "without" in given:
        given["without"] = names_from(given["without"])
    return ImageSource(images=tuple(images), also=tuple(also), **given)


def names_from(text: str | None) -> tuple[str, ...]:
    """Return names of images from an option's text: names, or a file with one in each line.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    place = Path(text or "")
    if text and place.is_file():
        try:
            return tuple(place.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{place}: found it unreadable ({type(error).__name__}), wanted names of images, "
                "one in each line"
            ) from error
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _shares(text: str) -> tuple[float, ...]:
    try:
        shares = tuple(float(share) for share in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3:
        raise InputError(f"--shares: found {text!r}, wanted three numbers, as in 0.4,0.2,0.4")
    return shares
