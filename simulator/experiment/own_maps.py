"""What each unit of a sequence moves where: known of what the simulator made.

Motion in a recording is ``sum_m map_m(z, x) course_m(t)``: in the analytic model a unit's territory
times its train; in the virtual experiment, quick or full, what the scanner shows of the tissue that
it moves, and of the delays with which that follows.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..parameters import Parameters
    from ..sequence import Truth
    from .doses import Doses


@dataclasses.dataclass(frozen=True)
class OwnMaps:
    """The maps of a recording's components of motion, and their courses.

    Parameters
    ----------
    maps : float32 array of shape (component, depth, width)
        Velocity that is shown for a velocity of 1.
    courses : float32 array of shape (component, time)
        mm/s.
    counts : tuple of int
        Components of each unit, which come first, one unit's after another's: its motion, and
        delays of it. What is left is the body's.
    """

    maps: NDArray[np.float32]
    courses: NDArray[np.float32]
    counts: tuple[int, ...]

    @property
    def first(self) -> NDArray[np.int64]:
        """The component that is each unit's motion, int64 (unit,)."""
        return np.cumsum([0, *self.counts], dtype=np.int64)[:-1]


def with_own_maps(
    truth: "Truth",
    parameters: "Parameters",
    doses: "Doses | None" = None,
    *,
    seed: int = 0,
    index: int = 0,
) -> "Truth":
    """Return a truth with its own maps.

    Parameters
    ----------
    truth : Truth
        ``draw(parameters, doses=doses, seed=seed, index=index)``.
    parameters : Parameters
    doses : Doses, optional
        Those of the virtual experiment; none for an analytic sequence.
    seed, index : int

    Returns
    -------
    Truth

    Raises
    ------
    InputError
        If parameters and doses do not go together, or a truth of the virtual experiment was drawn
        without doses.
    """
    if doses is None:
        own = OwnMaps(truth.territory, truth.twitch_train, (1,) * truth.unit_count)
    else:
        from .quick import draw_subject, recording_of  # brings the kernels of the experiment

        subject = draw_subject(parameters, doses, truth, seed, index)
        drawn = recording_of(subject, parameters, doses, truth, seed=seed, index=index)
        own = OwnMaps(drawn.motion_map, drawn.motion_course, subject.counts)
    return dataclasses.replace(truth, own_maps=own)
