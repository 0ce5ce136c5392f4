"""Movies of sequences, for notebooks and files."""

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ...simulator.parameters import Parameters
from ...simulator.sequence import Truth
from ..pictures.movies import draw_movie, draw_subject
from ..targets import check_target, written_aside
from .asking import Source, check_index, store_of, subject_of


@dataclass(frozen=True, repr=False)
class Movie:
    """A GIF, which notebooks show where it is the value of a cell.

    Parameters
    ----------
    content : bytes
        The file.
    title : str
        What it shows.
    """

    content: bytes
    title: str

    def __repr__(self) -> str:
        """Return what it shows, and how large it is."""
        return f"<movie of {self.title}: {len(self.content) / 1e6:.1f} MB>"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.content).decode()
        return str(Markup('<img src="data:image/gif;base64,{}" alt="{}">').format(data, self.title))

    def save(self, out: str | Path) -> Path:
        """Write it to a file that ends in ``.gif``, and return its place.

        Raises
        ------
        InputError
            If it ends otherwise, or there is no folder for it.
        """
        out = Path(out)
        check_target(out, (".gif",))
        with written_aside(out) as aside:
            aside.write_bytes(self.content)
        return out


def movie(
    source: Source,
    index: int = 0,
    out: str | Path | None = None,
    *,
    speed: float | None = None,
    frames_per_second: int = 25,
    parameters: Parameters | None = None,
) -> Movie | Path:
    """Draw the motion of a sequence with its units' outlines and trains, as ``musim preview`` does.

    Of videos of muscle: the images, with the signals.

    Parameters
    ----------
    source : Store, Truth, str or path
    index : int
        The sequence of the store.
    out : str or path, optional
        A file; its ending, ``.gif`` or ``.mp4``, says which kind.
    speed : float, optional
        Share of real time: 0.25, and 1 of videos of muscle, if not given.
    frames_per_second : int
        Of the movie, Hz.
    parameters : Parameters, optional
        What a truth was drawn with.

    Returns
    -------
    Movie, or Path
        The place of the file, or without `out` a GIF in memory.

    Raises
    ------
    InputError
        As :func:`musim.plot.preview` raises it; if there is no such kind of movie or folder, a
        value is out of bounds, or an MP4 is wanted where there is no ffmpeg.
    FailureError
        If the store is damaged or the movie cannot be written.
    """
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "movie.gif"
            title = _draw(source, index, place, speed, frames_per_second, parameters)
            return Movie(place.read_bytes(), title)
    _draw(source, index, Path(out), speed, frames_per_second, parameters)
    return Path(out)


def _draw(
    source: Source,
    index: int,
    out: Path,
    speed: float | None,
    frames_per_second: int,
    parameters: Parameters | None,
) -> str:
    """Draw a movie, and return what it shows."""
    if not isinstance(source, Truth) and (store := store_of(source)).is_video:
        check_index(store, index)
        draw_movie(
            store,
            index,
            out,
            speed=1.0 if speed is None else speed,
            frames_per_second=frames_per_second,
        )
        return f"{store.location}, sequence {index}"
    subject = subject_of(source, index, parameters)
    speed = 0.25 if speed is None else speed
    draw_subject(subject, out, speed=speed, frames_per_second=frames_per_second)
    return subject.title
