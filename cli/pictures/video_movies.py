"""The frames of a movie of a muscle's video: the image, and a cursor over its signals."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .encoding import Pixels
from .panels import Page, label_axes
from .videos import VideoScene, draw_signals, greys

DOTS_PER_INCH = 100
SIDE = 640
"""Longer side of the image, px."""

LEFT, TOP, BOTTOM = 60, 58, 44
SIGNALS = 300
"""Height of the signals, px."""

BLOCK = 64
"""Frames that are read together."""


class VideoStage:
    """What stays the same in all frames, drawn once, and the way to put one into it.

    Parameters
    ----------
    scene : VideoScene
    levels : int
        Steps of grey.
    """

    def __init__(self, scene: VideoScene, levels: int) -> None:
        self.scene, self.colours = scene, greys(levels)
        longest = SIDE / max(scene.size)
        height, width = (max(2 * round(side * longest / 2), 48) for side in scene.size)
        self.box = LEFT, TOP, LEFT + width, TOP + height
        under = TOP + height + 52
        across = max(width, 400)
        self.signals = LEFT, under, LEFT + across, under + SIGNALS
        # Matplotlib rounds down; a hundredth keeps the quotient from ending just below.
        total = 2 * ((LEFT + across + 22) // 2), 2 * ((under + SIGNALS + BOTTOM) // 2)
        wide, high = ((side + 0.01) / DOTS_PER_INCH for side in total)
        page = Page(wide, high, DOTS_PER_INCH)
        page.title(LEFT / DOTS_PER_INCH, 0.22, scene.title, font_size=9)
        axes = page.axes(*self._inches(self.box))
        axes.set(xlim=(0, scene.size[1]), ylim=(scene.size[0], 0))
        unit = scene.trial.store.layout.pixel_unit
        label_axes(axes, f"Width ({unit})", f"Depth ({unit})")
        draw_signals(page, scene, self._inches(self.signals), font_size=7.5)
        page.canvas.draw()
        self.background = np.array(page.canvas.buffer_rgba())[..., :3]
        font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        self._font = ImageFont.truetype(str(font), 12)

    def _inches(self, box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        left, top, right, bottom = (edge / DOTS_PER_INCH for edge in box)
        return left, top, right - left, bottom - top

    def picture(self, image: NDArray[np.uint8], frame: int) -> Pixels:
        """Return a frame of the movie, uint8 (height, width, 3).

        Parameters
        ----------
        image : uint8 array of shape (depth, width)
        frame : int
            Its place in the video.
        """
        picture = self.background.copy()
        left, top, right, bottom = self.box
        shown = Image.fromarray(image).resize((right - left, bottom - top), Image.Resampling.BOX)
        levels = len(self.colours)
        level = np.asarray(shown).astype(np.int32) * levels // 256
        picture[top:bottom, left:right] = self.colours[level]
        time = frame / self.scene.trial.frame_rate
        start, above, end, below = self.signals
        cursor = start + round(time / self.scene.duration * (end - start))
        picture[above:below, cursor - 1 : cursor + 1] = 64
        stamp = Image.new("L", (120, 18), 255)
        ImageDraw.Draw(stamp).text((0, 2), f"{time:.2f} s", fill=0, font=self._font)
        picture[TOP - 22 : TOP - 4, left : left + 120] = np.asarray(stamp)[..., None]
        return picture

    def pictures(self, shown: NDArray[np.int_]) -> Iterator[Pixels | None]:
        """Yield frames of the movie: those of the video, in rising order, None for one again."""
        trial, last, first = self.scene.trial, -1, 0
        block = np.empty((0, 0, 0), np.uint8)
        for frame in shown.tolist():
            if frame >= first + len(block):
                first = frame
                block = trial.images(first, first + BLOCK)
            yield None if frame == last else self.picture(block[frame - first], frame)
            last = frame
