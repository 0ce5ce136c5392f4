"""Reading films by ffmpeg, such as the one that imageio-ffmpeg brings along: MP4, AVI and others.

Films are read through twice: once for the number of frames and their instants, and to know that all
of it can be decoded, and once for the pixels.
"""

import math
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..images.reading import BmodeImage, grey_of
from .reading import Video, head_of

ONE_STREAM = ("-map", "0:v:0", "-fps_mode", "passthrough")
"""Of the first stream of pictures every frame, once: players repeat and drop them to keep time."""

MISSING = 1.5
"""Frames farther apart than this, over their usual distance, have lost one between them."""

FEWEST = 2
"""Frames of a video."""


class Film(Video):
    """A film that ffmpeg reads."""

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames one after the other, uint8 (depth, width), in grey."""
        with closing(self._pictures("gray", self.size)) as pictures:
            yield from pictures

    def first(self) -> BmodeImage:
        """Read the first frame, and how much of it is in colour."""
        with closing(self._pictures("rgb24", (*self.size, 3))) as pictures:
            return grey_of(next(pictures))

    def _pictures(
        self, pixel_format: str, shape: tuple[int, ...]
    ) -> Generator[NDArray[np.uint8], None, None]:
        """Yield what ffmpeg decodes, until it ends or whoever asks has enough."""
        command = [*_reading(self.path), "-f", "rawvideo", "-pix_fmt", pixel_format, "-"]
        size = math.prod(shape)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            try:
                while len(picture := process.stdout.read(size)) == size:
                    yield np.frombuffer(picture, np.uint8).reshape(shape)
            finally:
                process.kill()


def open_film(path: Path) -> Film:
    """Look at a film, and read it through.

    Raises
    ------
    InputError
        If there is no ffmpeg, or the film cannot be decoded to its end, or has one frame alone.
    """
    told = _told_of(path)
    _check_whole(path)
    size, base, instants = None, Fraction(1), []
    for line in told:
        if line.startswith("#dimensions 0:"):
            width, depth = (int(side) for side in line.partition(":")[2].split("x"))
            size = depth, width
        elif line.startswith("#tb 0:"):
            base = Fraction(line.partition(":")[2].strip())
        elif line and not line.startswith("#"):
            instants.append(int(line.split(",")[2]))
    if size is None or len(instants) < FEWEST:
        raise InputError(
            f"{path}: found {len(instants)} frames, wanted a video of {FEWEST} or more"
        )
    rate, uneven = _rate_of(np.sort(np.array(instants, np.int64)), base)
    return Film(path, len(instants), size, rate, uneven)


def _reading(path: Path) -> list[str]:
    """Return the beginning of a command that reads a film, and ends where it is damaged."""
    try:
        import imageio_ffmpeg

        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise InputError(
            f"{path}: found no ffmpeg, wanted one to read films; pip install 'musim[video]'"
        ) from error
    # A playlist that is named as a film opens no address.
    local = ["-protocol_whitelist", "file", "-i", f"file:{path}"]
    return [ffmpeg, "-nostdin", "-v", "error", "-xerror", *local, *ONE_STREAM]


def _told_of(path: Path) -> list[str]:
    """Decode a film, and return what ffmpeg tells of each of its frames."""
    command = [*_reading(path), "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise _undecodable(path, done.stderr.decode(errors="replace"))
    return done.stdout.decode().splitlines()


def _check_whole(path: Path) -> None:
    """Raise InputError of an AVI that ends before it says: between two frames nothing shows it."""
    head, size = head_of(path), path.stat().st_size
    wanted = int.from_bytes(head[4:8], "little") + 8
    if head[:4] == b"RIFF" and wanted > size:
        raise _undecodable(path, f"it has {size} of {wanted} bytes")


def _undecodable(path: Path, said: str) -> InputError:
    lines = [line.partition("] ")[2] or line for line in said.splitlines() if line.strip()]
    reason = "".join(c for c in (lines[0] if lines else "no reason told") if c.isprintable())
    return InputError(
        f"{path}: found a video that cannot be decoded ({reason.rstrip('.')}), wanted a whole one "
        "that ffmpeg reads, as MP4 or AVI; copy or export it again"
    )


def _rate_of(instants: NDArray[np.int64], base: Fraction) -> tuple[float, str]:
    """Return the frames a second, and what is wrong with frames that are not even.

    Parameters
    ----------
    instants : int64 array of shape (frame,)
        Rising, in units of `base`.
    base : Fraction
        s.
    """
    steps = np.diff(instants)
    usual = int(np.median(steps))
    if usual <= 0:
        return np.nan, "found frames at one instant"
    if (steps == usual).all():
        return float(1 / (usual * base)), ""
    span = int(instants[-1] - instants[0])
    mean = float(len(steps) / (span * base))
    # Instants that are rounded, as of Matroska to ms, lie within one unit of even ones.
    rounded = round(mean, 2)
    mean = rounded if abs(rounded - mean) * span <= 2 * mean else mean
    worst = int(np.argmax(np.abs(steps - np.median(steps))))
    gap = float(steps[worst] * base)
    if not 2 - MISSING < gap * mean < MISSING or steps.max() > MISSING * usual:
        at = float((instants[worst] - instants[0]) * base)
        return mean, f"found frames {gap:.3g} s apart at {at:.3f} s, {mean:.4g} a second as a rule"
    return mean, ""
