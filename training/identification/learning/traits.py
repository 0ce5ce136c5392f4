"""What is seen in examples, and what of it is units': a file for each example."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.location import Location
from ....simulator.errors import InputError
from ..methods.learned.judged import seen_in
from ..methods.learned.outlines import SIDE, VIEWS
from ..methods.learned.traits import NAMES
from ..methods.learned.windows import KINDS, Windows
from ..metrics.trains import TRAIN_THRESHOLD, match_trains
from ..noise import whiten
from ..slow_motion import without_slow_motion
from .examples import draw_example
from .outlines import Outlines, outlines_of
from .settings import JudgeSettings


@dataclass(frozen=True)
class Trains:
    """Trains of some examples, one after another.

    Parameters
    ----------
    traits : float64 array of shape (train, trait)
        By :data:`..methods.learned.traits.NAMES`.
    true : float64 array of shape (train,)
        1 for a unit's: its correlation with a true unit's is above 0.7 within 20 ms; else 0.
    """

    traits: NDArray[np.float64]
    true: NDArray[np.float64]


def name_of(index: int) -> str:
    """Return the name of an example's file."""
    return f"{index:05}.npz"


def write_example(
    folder: str | Path, index: int, settings: JudgeSettings, ways: Sequence[Windows] = KINDS
) -> None:
    """Write what is seen in an example, and what of it is true, unless that is there.

    A file is there whole or not at all, whenever this is interrupted.

    Parameters
    ----------
    folder : path
    index : int
    settings : JudgeSettings
    ways : sequence of Windows
        To look at windows of the recording.

    Raises
    ------
    FailureError
        If it cannot be written.
    """
    from threadpoolctl import threadpool_limits

    place = Location(folder)
    if place.exists(name_of(index)):
        return
    # Sums in another order have other last digits: the same file whoever writes it.
    with threadpool_limits(1):
        example = draw_example(index, settings)
        recording, _ = without_slow_motion(example.recording)
        seen, blocks, _ = seen_in(recording, whiten(recording), ways)
        matching = match_trains(seen.courses, example.trains, recording.frame_rate)
        outlines = outlines_of(
            blocks, seen.trains[matching.predicted], example.territory[matching.true],
            recording.pixel_size,
        )  # fmt: skip
    content = io.BytesIO()
    np.savez_compressed(
        content, traits=seen.traits, likeness=matching.correlations, views=outlines.views,
        territory=outlines.territory,
    )  # fmt: skip
    place.write(name_of(index), content.getvalue())


def read_trains(folder: str | Path, settings: JudgeSettings, *, apart: bool) -> Trains:
    """Return the trains of the examples in a folder that are learned from, or kept apart.

    Parameters
    ----------
    folder : path
        With files of :func:`write_example`.
    settings : JudgeSettings
        Its examples are read, all of them.
    apart : bool
        Whether those that are kept apart are wanted, or the others.

    Raises
    ------
    InputError
        If a file is missing or damaged, or there is no train that is a unit's, or none that is not.
    """
    chosen = [n for n in range(settings.examples) if settings.is_apart(n) == apart]
    read = [_read(Path(folder) / name_of(index)) for index in chosen]
    traits = np.concatenate([each.traits for each in read] or [np.zeros((0, len(NAMES)))])
    true = np.concatenate([each.true for each in read] or [np.zeros(0)])
    if not 0 < true.sum() < len(true):
        least = len(settings.in_turn) * settings.apart_every
        raise InputError(
            f"examples: found {int(true.sum())} trains of units among {len(true)} "
            f"{'kept apart' if apart else 'to learn from'}, wanted some and others; take more "
            f"examples ({least} are a round)"
        )
    return Trains(traits, true)


def read_outlines(folder: str | Path, settings: JudgeSettings, *, apart: bool) -> Outlines:
    """Return the units of the examples in a folder that are learned from, or kept apart.

    Parameters and errors are those of :func:`read_trains`.
    """
    chosen = [n for n in range(settings.examples) if settings.is_apart(n) == apart]
    found = Outlines.together([_outlines(Path(folder) / name_of(index)) for index in chosen])
    if not len(found):
        raise InputError(
            f"examples: found no unit to outline {'kept apart' if apart else 'to learn from'}, "
            "wanted some; take more examples"
        )
    return found


def _read(path: Path) -> Trains:
    with _whole(path) as found:
        traits = np.asarray(found["traits"], np.float64)
        likeness = np.asarray(found["likeness"], np.float64)
        true = np.abs(likeness).max(axis=1, initial=0.0) > TRAIN_THRESHOLD
        if traits.shape != (len(true), len(NAMES)) or not np.isfinite(traits).all():
            raise ValueError("traits")
        return Trains(traits, true.astype(np.float64))


def _outlines(path: Path) -> Outlines:
    with _whole(path) as found:
        views = np.asarray(found["views"], np.float16)
        territory = np.asarray(found["territory"], np.uint8)
        if views.shape != (len(territory), len(VIEWS), SIDE, SIDE) or not np.isfinite(views).all():
            raise ValueError("views")
        if territory.shape[1:] != (SIDE, SIDE):
            raise ValueError("territory")
        return Outlines(views, territory)


@contextmanager
def _whole(path: Path) -> Iterator[Mapping[str, Any]]:
    """Give an example's arrays; raise InputError if they are not what was written."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            yield found
    except Exception:  # What bytes that mean nothing make of a reader has no bounds.
        raise InputError(
            f"{path}: found an example missing or damaged, wanted one that musim train judge "
            "wrote; remove it and add `resume=True`"
        ) from None
