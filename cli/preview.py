"""``musim preview``."""

from pathlib import Path

import click

from .console import out, progress
from .options import store_argument
from .targets import check_target


@click.command(
    epilog="""\b
Examples:
  musim preview musim.zarr
  musim preview musim.zarr --sequence 3 --out three.pdf
  musim preview musim.zarr --out motion.gif --speed 0.1
  musim preview musim.zarr --out motion.mp4
"""
)
@store_argument
@click.option(
    "-i",
    "--sequence",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Which sequence.",
)
@click.option(
    "-o",
    "--out",
    "target",
    default="preview.png",
    show_default=True,
    metavar="FILE",
    help="Where to; its ending says what: .png .pdf .svg, or .gif .mp4 of the motion.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100),
    default=None,
    metavar="NUMBER",
    help="Speed of a GIF or MP4; 1 is real time.  [default: 0.25; 1 of videos of muscle]",
)
def preview(store, sequence, target, speed) -> None:
    """Draw a sequence: frames, territories over the velocity map, twitch trains with firings.

    Of images of the longitudinal section: the image, and its aponeuroses. Of videos of muscle:
    frames, with how tissue has moved, and signals over time. Of paired slices: one volume, the
    other, and their difference.
    """
    from ..datasets.store import check_velocity, open_store
    from .pictures.movies import ENDINGS_OF_MOVIES, draw_movie
    from .pictures.stills import ENDINGS_OF_PICTURES, draw_preview

    opened = open_store(store)
    path = Path(target)
    check_target(path, (*ENDINGS_OF_PICTURES, *ENDINGS_OF_MOVIES))
    if path.suffix.lower() in ENDINGS_OF_MOVIES:
        if not opened.is_video:
            check_velocity(opened)
        speed = speed or (1.0 if opened.is_video else 0.25)
        with progress("drawing", "frames") as report:
            draw_movie(opened, sequence, path, speed=speed, on_frame=report)
    else:
        draw_preview(opened, sequence, path)
    out().print(f"{path} is drawn.", soft_wrap=True)
