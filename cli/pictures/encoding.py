"""Writing movies frame by frame, so that their length takes no memory: GIF, and MP4 by ffmpeg."""

import contextlib
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from ...simulator.errors import FailureError, InputError

Pixels = NDArray[np.uint8]

KEY = 255
"""The palette's entry that leaves a pixel of a GIF as it was."""

QUALITY = 6
"""Of an MP4, from 1 to 10: a constant rate factor of 20, which keeps thin lines clean."""


def make_palette(colours: Pixels, samples: Sequence[Pixels]) -> Image.Image:
    """Choose the 255 colours of a GIF.

    Parameters
    ----------
    colours : uint8 array of shape (colour, 3)
        Colours that it must have.
    samples : sequence of uint8 arrays of shape (height, width, 3)
        Frames that the other colours should fit.

    Returns
    -------
    Image
        One that has this palette.
    """
    # Paper stays white and ink black, whatever the samples hold; nothing else comes near white,
    # for Pillow rounds colours down before it looks for the nearest.
    wanted = np.concatenate([colours, [[255, 255, 255], [0, 0, 0]]])
    room = KEY - len(wanted)
    chosen = Image.fromarray(np.concatenate(samples)).quantize(room).getpalette() or []
    adaptive = np.array(chosen).reshape(-1, 3)[:room]
    adaptive[(adaptive >= 246).all(axis=1)] = 255
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([wanted, adaptive]).ravel().tolist())
    return palette


def write_gif(
    path: Path, pictures: Iterable[Pixels | None], palette: Image.Image, frames_per_second: int
) -> None:
    """Write a GIF that repeats for ever: one palette for all, and of each frame what has changed.

    Pillow's own writer of several frames holds all of them in memory, and joins equal ones.

    Parameters
    ----------
    path : Path
    pictures : iterable of uint8 arrays of shape (height, width, 3), or None
        RGB; None is the frame before once more.
    palette : Image
    frames_per_second : int
        At most 100.
    """
    colours = (palette.getpalette() or [])[: 3 * KEY]
    before = None
    with path.open("wb") as file:
        for number, picture in enumerate(pictures):
            pixels, corner = np.full((1, 1), KEY, np.uint8), (0, 0)
            if picture is not None:
                image = Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE)
                indices = np.asarray(image)
                if before is None:
                    file.write(_gif_header(image.size, bytes(colours)))
                pixels, corner = _changes(before, indices)
                before = indices
            # Delays are whole hundredths; rounding instants, not delays, keeps the length right.
            start, end = (round(100 * n / frames_per_second) for n in (number, number + 1))
            encoded = GifImagePlugin.getdata(
                Image.fromarray(pixels), corner, duration=10 * (end - start), transparency=KEY
            )
            file.write(b"".join(encoded))
        file.write(b"\x3b")


def _gif_header(size: tuple[int, int], colours: bytes) -> bytes:
    """Return a GIF's head: its size, palette of 256 colours, and that it repeats for ever."""
    sides = b"".join(side.to_bytes(2, "little") for side in size)
    repeats = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    return b"GIF89a" + sides + b"\xf7\x00\x00" + colours.ljust(3 * 256, b"\x00") + repeats


def _changes(before: Pixels | None, after: Pixels) -> tuple[Pixels, tuple[int, int]]:
    """Return the smallest box that holds all changes, the rest of it left out, and its corner."""
    if before is None:
        return after, (0, 0)
    changed = after != before
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return np.full((1, 1), KEY, np.uint8), (0, 0)
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.where(changed[box], after[box], np.uint8(KEY)), (int(columns[0]), int(rows[0]))


def check_ffmpeg(out: Path) -> None:
    """See that there is an ffmpeg, such as the one that imageio-ffmpeg brings along.

    Raises
    ------
    InputError
        If there is none, naming the file that it is wanted for.
    """
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise InputError(
            f"{out}: found no ffmpeg, wanted one for .mp4; pip install 'musim[video]', or use .gif"
        ) from error


def write_mp4(path: Path, pictures: Iterable[Pixels | None], frames_per_second: int) -> None:
    """Write an MP4 (H.264) that players and slides take.

    What ffmpeg says of an error goes where this process's own errors go.

    Parameters
    ----------
    path : Path
    pictures : iterable of uint8 arrays of shape (height, width, 3), or None
        RGB, of even height and width; None is the frame before once more.
    frames_per_second : int

    Raises
    ------
    FailureError
        If ffmpeg fails, or the film does not hold the frames that it was given.
    """
    import imageio_ffmpeg

    pictures = iter(pictures)
    picture = next(pictures)
    assert picture is not None
    height, width = picture.shape[:2]
    film = imageio_ffmpeg.write_frames(
        path, (width, height), fps=frames_per_second, codec="libx264", quality=QUALITY,
        macro_block_size=2, ffmpeg_log_level="error",
        output_params=["-movflags", "+faststart", "-fflags", "+bitexact", "-f", "mp4"],
    )  # fmt: skip
    count = 1
    # Closing it waits for ffmpeg to end; so does an interruption, which leaves nothing running.
    with contextlib.closing(film):
        _send(film, None)
        _send(film, picture)
        for following in pictures:
            picture = picture if following is None else following
            _send(film, picture)
            count += 1
    # A full disk at the very end shows in the film alone: how ffmpeg ended is not told.
    try:
        written, _ = imageio_ffmpeg.count_frames_and_secs(path)
    except RuntimeError:
        written = 0
    if written != count:
        raise FailureError(f"ffmpeg failed (found {written} frames in the film, wanted {count})")


def _send(film: Generator[None, Pixels | None, None], picture: Pixels | None) -> None:
    """Give ffmpeg a frame; None starts it."""
    try:
        film.send(picture)
    except OSError as error:
        # Its text has lines of advice after the first.
        reason = str(error).partition("\n")[0]
        raise FailureError(f"ffmpeg failed ({reason})") from error
