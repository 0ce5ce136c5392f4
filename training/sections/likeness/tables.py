"""What a comparison of images found, as tables to be read: at the command line and on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .distributions import DISTRIBUTIONS
from .grey_levels import GREY_LEVELS
from .pairs import PAIR_SCORES

UNKNOWN = "–"

DECIMALS = {
    "mean": 1, "sd": 1, "psnr": 1, "psnr_published": 1, "ssim_published": 4, "kernel": 3,
}  # fmt: skip
"""Of what is not written with two."""


@dataclass(frozen=True)
class ShownTable:
    """A table to be read.

    Parameters
    ----------
    name, title, caption : str
    columns : tuple of str
        Headings but for that of the first.
    rows : tuple of (str, tuple of str)
        Headings, and cells.
    text : tuple of str
        What belongs beside it.
    """

    name: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    text: tuple[str, ...]


def tables_of(numbers: Mapping[str, Any]) -> list[ShownTable]:
    """Return the tables of a :func:`.evaluation.summary`."""
    text, twins = numbers["text"], numbers["images"]["near_twins"]
    grey = numbers["grey_levels"]
    rows = [_row(heading, name, grey[name], ("real", "other"))
            for name, heading in GREY_LEVELS.items()]  # fmt: skip
    rows += [
        ("Distance of mean histograms", ("", number(grey["histogram_distance"]))),
        ("Correlation of mean histograms", ("", number(grey["histogram_correlation"]))),
        ("Nearly the same as another image", (share(twins["real"]), share(twins["other"]))),
    ]
    memory = numbers["memorisation"]
    return [
        ShownTable("grey_levels", "Grey levels", "Mean (SD) over images",
                   ("real", "other"), tuple(rows), tuple(text["grey_levels"])),
        ShownTable("pairs", "Pairs of images", "Mean (SD) over pairs",
                   ("within real", "within other", "between"),
                   tuple(_row(heading, name, numbers["pairs"][name], ("real", "other", "between"))
                         for name, heading in PAIR_SCORES.items()), tuple(text["pairs"])),
        ShownTable("distributions", "Both sets as distributions of features",
                   "Of all images; mean (SD) over halves",
                   ("all", "at equal numbers", "real halves"),
                   tuple(_row(heading, name, numbers["distributions"][name],
                              ("all", "other", "real"))
                         for name, heading in DISTRIBUTIONS.items()),
                   tuple(text["distributions"])),
        ShownTable("memorisation", "Learned by heart?", "Mean (SD) over images",
                   ("other", "held-out real"), (
            _row("Correlation with the nearest training image", "correlation", memory,
                 ("other", "held_out")),
            ("Nearly the same as a training image",
             (share(memory["copies"]), share(memory["held_out_copies"]))),
            ("More alike than 95 % of held-out images are (5%: by chance)",
             (share(memory["beyond"]), "")),
            ("Probability to be nearer than a held-out one (0.5: not learned by heart)",
             (number(memory["nearer"]), "")),
        ), tuple(text["memorisation"])),
    ]  # fmt: skip


def counts(numbers: Mapping[str, Any]) -> str:
    """Say in a sentence which images were compared, of a :func:`.evaluation.summary`."""
    images = numbers["images"]
    trained = "" if images["train"] is None else f", {images['train']} training images"
    depth, width = images["size"]
    return (
        f"{images['real']} real images in {images['real_groups']} groups, {images['other']} other "
        f"images{trained}, {depth} x {width} px."
    )


def _row(
    heading: str, measure: str, values: Mapping[str, Any], columns: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    decimals = DECIMALS.get(measure, 2)
    return heading, tuple(number(values[column], decimals) for column in columns)


def number(value: Any, decimals: int = 2) -> str:
    """Return a number, or mean and SD, as text."""
    if isinstance(value, Mapping):
        if value["mean"] is None:
            return UNKNOWN
        spread = "" if value["sd"] is None else f" ({value['sd']:.{decimals}f})"
        return number(value["mean"], decimals) + spread
    return UNKNOWN if value is None else f"{value:.{decimals}f}"


def share(value: float | None) -> str:
    """Return a share as per cent."""
    return UNKNOWN if value is None else f"{value:.0%}"
