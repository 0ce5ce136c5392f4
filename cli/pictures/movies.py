"""A movie of a sequence: the velocity under the territories, and a cursor over the trains."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ...datasets.store import Store
from ...simulator.errors import InputError
from ...training.colours import VELOCITY_COLOURS
from ..targets import check_target, written_aside
from .encoding import Pixels, check_ffmpeg, make_palette, write_gif, write_mp4
from .panels import Page, draw_marks, draw_traces, label_axes
from .scene import Scene, scene_of
from .subjects import StoredSequence, Subject
from .video_movies import VideoStage
from .videos import read_video

ENDINGS_OF_MOVIES = (".gif", ".mp4")

SPEEDS = (0.001, 100.0)

DOTS_PER_INCH = 100
IMAGE_SIDE = 384
"""Longer side of the velocity image, px."""

LEFT, TOP, BOTTOM = 52, 58, 44
LEVELS = {".gif": 41, ".mp4": 255}
"""Steps of the colour scale, odd, so that one is 0. A GIF shares 256 colours among all that it
shows, and few keep it small."""

MOST_FRAMES_PER_SECOND = {".gif": 50, ".mp4": 120}
"""Viewers of GIF slow down what is faster."""


def draw_movie(
    store: Store,
    index: int,
    out: Path,
    *,
    speed: float = 0.25,
    frames_per_second: int = 25,
    on_frame: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Draw the motion of a sequence, with its units' outlines and trains.

    Of videos of muscle: the images, with the signals.

    Frame i of the movie shows the frame of the sequence that is under way at i * speed /
    frames_per_second s, so that frames of the sequence are left out or shown repeatedly. Voxels
    that are not finite are drawn as 0. The sequence is read block by block.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    out : Path
        The movie; its ending, one of :data:`ENDINGS_OF_MOVIES`, says which kind. A file that is
        there is replaced.
    speed : float
        Share of real time, within :data:`SPEEDS`: 0.25 is four times slower.
    frames_per_second : int
        Frames per second of the movie, Hz.
    on_frame : callable
        Called with the numbers of frames done and in all, at the start and after each frame.

    Raises
    ------
    InputError
        If there is no such sequence, kind of movie or folder, a value is out of bounds, or an MP4
        is wanted where there is no ffmpeg.
    FailureError
        If the store is damaged or the movie cannot be written.
    """
    out = Path(out)
    check_target(out, ENDINGS_OF_MOVIES)
    if store.is_video:
        check_speed(out, speed, frames_per_second)
        video = read_video(store, index)
        stage = VideoStage(video, LEVELS[out.suffix.lower()])
        shown = _frames_shown(video.trial.frames, video.trial.frame_rate, speed, frames_per_second)
        first = video.trial.images(0, 1)
        _write(out, stage, first, stage.pictures(shown), len(shown), frames_per_second, on_frame)
    else:
        subject = StoredSequence(store, index)
        draw_subject(
            subject, out, speed=speed, frames_per_second=frames_per_second, on_frame=on_frame
        )


def draw_subject(
    subject: Subject,
    out: Path,
    *,
    speed: float,
    frames_per_second: int,
    on_frame: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Draw the motion of a sequence, stored or not, as :func:`draw_movie` does."""
    ending = check_speed(out, speed, frames_per_second)
    scene = scene_of(subject)
    stage = Stage(scene, LEVELS[ending], smooth=ending == ".mp4")
    shown = _frames_shown(scene.shape[0], scene.frame_rate, speed, frames_per_second)
    drawn = _pictures(subject, stage, shown)
    _write(out, stage, scene.images[:3], drawn, len(shown), frames_per_second, on_frame)


def check_speed(out: Path, speed: float, frames_per_second: int) -> str:
    """Return the ending of a movie that can be drawn, or raise InputError."""
    ending = check_target(out, ENDINGS_OF_MOVIES)
    low, high = SPEEDS
    if not low <= speed <= high:
        raise InputError(f"speed: found {speed:g}, wanted {low:g} to {high:g}")
    most = MOST_FRAMES_PER_SECOND[ending]
    if not 1 <= frames_per_second <= most:
        raise InputError(
            f"frames per second: found {frames_per_second}, wanted 1 to {most} for {ending}"
        )
    if ending == ".mp4":
        check_ffmpeg(out)
    return ending


def _write(
    out: Path,
    stage: "Stage | VideoStage",
    frames: NDArray[Any],
    drawn: Iterator[Pixels | None],
    total: int,
    frames_per_second: int,
    on_frame: Callable[[int, int], None],
) -> None:
    """Write pictures as a movie; the palette of a GIF is made of some frames."""
    with written_aside(out) as aside:
        pictures = _counted(drawn, total, on_frame)
        if out.suffix.lower() == ".gif":
            palette = make_palette(stage.colours, [stage.picture(v, 0) for v in frames])
            write_gif(aside, pictures, palette, frames_per_second)
        else:
            write_mp4(aside, pictures, frames_per_second)


def _frames_shown(
    frames: int, frame_rate: float, speed: float, frames_per_second: int
) -> NDArray[np.int_]:
    """Return which frame of a sequence each one of the movie shows."""
    total = max(1, round(frames / frame_rate / speed * frames_per_second))
    # The small number keeps an instant that is a frame's from falling short of it by rounding.
    instants = np.arange(total) * speed / frames_per_second
    return np.floor(instants * frame_rate + 1e-6).astype(int).clip(0, frames - 1)


def _counted(
    pictures: Iterator[Pixels | None], total: int, on_frame: Callable[[int, int], None]
) -> Iterator[Pixels | None]:
    on_frame(0, total)
    for number, picture in enumerate(pictures, start=1):
        yield picture
        on_frame(number, total)


def _pictures(subject: Subject, stage: "Stage", shown: NDArray[np.int_]) -> Iterator[Pixels | None]:
    """Yield the movie's frames; None where one is as that before it."""
    first, last = 0, -1
    remaining = iter(shown)
    frame = next(remaining, None)
    for block in subject.blocks():
        while frame is not None and frame < first + len(block):
            yield None if frame == last else stage.picture(block[frame - first], int(frame))
            last, frame = frame, next(remaining, None)
        first += len(block)


class Stage:
    """What stays the same in all frames of a movie, drawn once, and the way to put one into it.

    Parameters
    ----------
    scene : Scene
    levels : int
        Steps of the colour scale.
    smooth : bool
        Whether to interpolate between pixels.

    Attributes
    ----------
    background : uint8 array of shape (height, width, 3)
        RGB; both sides are even, which MP4 needs.
    """

    def __init__(self, scene: Scene, levels: int, *, smooth: bool) -> None:
        self.scene, self.smooth = scene, smooth
        longest = IMAGE_SIDE / max(scene.size)
        height, width = (max(2 * round(side * longest / 2), 96) for side in scene.size)
        self.image_box = LEFT, TOP, LEFT + width, TOP + height
        rows = min(max(height, 14 * len(scene.traces), 200), 640)
        left = LEFT + width + 128
        self.trace_box = left, TOP, left + 400, TOP + rows
        page = _page(left + 448, TOP + max(rows, height) + BOTTOM)
        colours = matplotlib.colormaps[VELOCITY_COLOURS].resampled(levels)
        self.colours = np.round(colours(np.arange(levels))[:, :3] * 255).astype(np.uint8)
        self._draw_background(page, colours)
        self.background = _rendered(page)[..., :3]
        self._outlines = self._draw_outlines(width, height)
        font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        self._font = ImageFont.truetype(str(font), 12)

    def _draw_background(self, page: Page, colours: Colormap) -> None:
        scene = self.scene
        page.title(LEFT / DOTS_PER_INCH, 0.22, scene.title, font_size=9)
        axes = _axes(page, self.image_box)
        axes.set(xlim=(0, scene.size[1]), ylim=(scene.size[0], 0))
        label_axes(axes, "Width (mm)", "Depth (mm)")
        _, top, right, bottom = self.image_box
        bar = _axes(page, (right + 12, top, right + 22, bottom))
        scale = ScalarMappable(Normalize(-scene.limit, scene.limit), colours)
        page.colour_bar(bar, scale, "Velocity (mm/s)")
        axes = _axes(page, self.trace_box)
        draw_traces(axes, scene, font_size=7.5)
        label_axes(axes, "Time (s)", "Unit" if scene.has_units else "Pixel")

    def _draw_outlines(self, width: int, height: int) -> Pixels:
        """Return the outlines over an image without colour, RGBA."""
        page = _page(width, height)
        page.figure.set_facecolor("none")
        axes = _axes(page, (0, 0, width, height))
        axes.set_axis_off()
        draw_marks(axes, self.scene, font_size=8, line_width=1.0)
        return _rendered(page)

    def picture(self, velocity: NDArray[np.float32], frame: int) -> Pixels:
        """Return a frame of the movie.

        Parameters
        ----------
        velocity : float32 array of shape (depth, width)
            mm/s.
        frame : int
            Its place in the sequence.

        Returns
        -------
        uint8 array of shape (height, width, 3)
            RGB.
        """
        picture = self.background.copy()
        left, top, right, bottom = self.image_box
        picture[top:bottom, left:right] = self._image(velocity, (right - left, bottom - top))
        time = frame / self.scene.frame_rate
        start, top, end, bottom = self.trace_box
        cursor = start + round(time / self.scene.duration * (end - start))
        picture[top:bottom, cursor - 1 : cursor + 1] = 64
        stamp = Image.new("L", (120, 18), 255)
        ImageDraw.Draw(stamp).text((0, 2), f"{time:.3f} s", fill=0, font=self._font)
        picture[TOP - 22 : TOP - 4, left : left + 120] = np.asarray(stamp)[..., None]
        return picture

    def _image(self, velocity: NDArray[np.float32], size: tuple[int, int]) -> Pixels:
        # Clipped before it is enlarged, so that an outlier is no wider than its pixel.
        limit = self.scene.limit
        finite = np.nan_to_num(velocity, nan=0.0, posinf=0.0, neginf=0.0).clip(-limit, limit)
        method = Image.Resampling.BICUBIC if self.smooth else Image.Resampling.NEAREST
        enlarged = np.asarray(Image.fromarray(finite).resize(size, method))
        levels = len(self.colours)
        step = (enlarged / limit + 1) * (levels / 2)
        image = self.colours[step.astype(np.int32).clip(0, levels - 1)]
        opacity = self._outlines[..., 3:].astype(np.uint16)
        mixed = image * (255 - opacity) + self._outlines[..., :3] * opacity
        return (mixed // 255).astype(np.uint8)


def _page(width: int, height: int) -> Page:
    """Return a page of so many pixels."""
    # Matplotlib rounds down; a hundredth keeps the quotient from ending just below.
    return Page((width + 0.01) / DOTS_PER_INCH, (height + 0.01) / DOTS_PER_INCH, DOTS_PER_INCH)


def _axes(page: Page, box: tuple[int, int, int, int]) -> Axes:
    left, top, right, bottom = (edge / DOTS_PER_INCH for edge in box)
    return page.axes(left, top, right - left, bottom - top)


def _rendered(page: Page) -> Pixels:
    page.canvas.draw()
    return np.array(page.canvas.buffer_rgba())
