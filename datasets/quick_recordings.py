"""Quick recordings as a rendered store holds them: maps, courses and the scanner's noise."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.rendering import WHOLE, add_noise
from .layout import Layout
from .origin import Simulated, check_revision

if TYPE_CHECKING:
    # What draws recordings takes long to import, and most stores hold none.
    from ..simulator.experiment.quick import Recording
    from ..simulator.experiment.residual import Colour
    from .store import Store

VARIABLES = {
    "motion_map": "motion_map",
    "motion_course": "motion_course",
    "noise_map": "noise_map",
    "scanner_noise_key": "noise_key",
}
"""Variables of a store, and the fields of a recording that they hold."""


def value_of(recording: "Recording", name: str) -> Any:
    """Return what a variable of a store says of a recording."""
    if name == "component_count":
        return len(recording.motion_map)
    return getattr(recording, VARIABLES[name])


def read_recording(store: "Store", index: int) -> "Recording":
    """Return the recording of one sequence of a rendered store, without padding."""
    from ..simulator.experiment.quick import Recording

    count = int(store.read("component_count", index))
    values = {field: store.read(name, index) for name, field in VARIABLES.items()}
    for name in ("motion_map", "motion_course"):
        values[name] = values[name][:count]
    return Recording(**values)


def colour_of(layout: Layout) -> "Colour":
    """Return how the noise of a store's recordings is coloured.

    Raises
    ------
    InputError
        If they were drawn by another revision of the imaging chain.
    """
    from ..simulator.experiment.quick import colour

    origin = layout.origin_as(Simulated)
    assert origin.doses is not None
    check_revision(origin, "store")
    return colour(origin.parameters, origin.doses)


def render(
    recording: "Recording",
    colour: "Colour",
    noise_key: NDArray[np.uint32],
    noise_sd: float,
    *,
    noise: str = "white",
    time: slice = WHOLE,
    depth: slice = WHOLE,
    width: slice = WHOLE,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Render a recording, or a window of it, with the noise that is added to what a scanner shows.

    Parameters
    ----------
    recording : Recording
    colour : Colour
    noise_key : uint32 array of shape (4,)
        Of the noise that is added.
    noise_sd : float
        Its SD, mm/s; 0 adds none.
    noise : str
        Its model.
    time, depth, width, out
        As in :func:`musim.simulator.experiment.quick.render_recording`.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Tissue velocity, mm/s.
    """
    from ..simulator.experiment.quick import render_recording

    out = render_recording(recording, colour, time=time, depth=depth, width=width, out=out)
    shape = recording.motion_course.shape[1], *recording.motion_map.shape[1:]
    add_noise(out, noise_key, noise_sd, shape, noise=noise, time=time, depth=depth, width=width)
    return out
