"""Full and quick recordings of the same subjects. The full ones take seconds, and are kept."""

import hashlib
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musim.simulator import PRESETS as PARAMETERS
from musim.simulator import Parameters, Range, draw
from musim.simulator.experiment.doses import PRESETS as DOSES
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import Recording, colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate
from musim.simulator.sequence import Truth

Voxels = NDArray[np.float32]
"""Of shape (time, depth, width), mm/s."""

SEED = 77002
"""None of its subjects was looked at while the quick experiment was made."""


@dataclass(frozen=True)
class Kind:
    """Recordings of one kind.

    Parameters
    ----------
    name : str
    parameters : Parameters
    doses : Doses
    """

    name: str
    parameters: Parameters
    doses: Doses

    def truth(self, index: int) -> Truth:
        """Draw the truth of a subject."""
        return draw(self.parameters, doses=self.doses, seed=SEED, index=index)

    def full(self, index: int, folder: Path) -> Voxels:
        """Return a subject's recording of the full experiment, float32 (time, depth, width).

        Read from `folder`, if it was made before of the same parameters and doses.
        """
        settings = json.dumps([self.parameters.to_json(), self.doses.to_json()], sort_keys=True)
        digest = hashlib.blake2b(settings.encode(), digest_size=4).hexdigest()
        path = folder / f"{self.name}-{digest}-{SEED}-{index}.npy"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made = simulate(self.parameters, self.doses, self.truth(index), seed=SEED, index=index)
            aside = path.with_suffix(".part.npy")
            np.save(aside, made)
            aside.replace(path)
        return np.load(path)

    @property
    def silent(self) -> "Kind":
        """The same subjects without noise."""
        nothing = {name: Range(0, 0) for name in ("thermal_noise", "noise_at_depth")}
        return replace(self, name=f"{self.name}-silent", doses=replace(self.doses, **nothing))

    def quick(self, index: int) -> Recording:
        """Draw a subject's recording of the quick experiment."""
        return draw_recording(
            self.parameters, self.doses, self.truth(index), seed=SEED, index=index
        )

    def rendered(self, recording: Recording) -> Voxels:
        """Render a recording with its noise, float32 (time, depth, width)."""
        return render_recording(recording, colour(self.parameters, self.doses))


USUAL = {**PARAMETERS["experiment"], "pixels": (64, 64)}
"""4 to 10 units, 2 s."""

KINDS = {
    "experiment": Kind("experiment", Parameters(**USUAL), Doses()),
    **{
        name: Kind(name, Parameters(**{**PARAMETERS[name], "pixels": (64, 64)}),
                   Doses(**DOSES[name]))
        for name in ("typical", "hard")
    },
}  # fmt: skip
"""Recordings that are compared, by their presets' names."""

SHORT = Kind("short", Parameters(**{**USUAL, "frames": 400}), Doses())
"""Recordings that are made to move more, or to be noisier."""

MOVING = {
    "units": ("displacement",), "drift and breathing": ("drift", "breathing"),
    "artery": ("artery",), "all of them": ("displacement", "drift", "breathing", "artery"),
    "motion across the plane": ("out_of_plane",),
    "drift and breathing, also across": ("drift", "breathing", "out_of_plane"),
}  # fmt: skip
"""What moves, and the parameter or doses that say how far."""


def moved(name: str, times: float) -> Kind:
    """Return recordings without noise in which something moves so many times as far."""
    silent, doses = SHORT.silent, {}
    for each in MOVING[name]:
        if each != "displacement":
            most = 100.0 if each == "out_of_plane" else 1000.0
            doses[each] = scaled(getattr(silent.doses, each), times, most)
    parameters = silent.parameters
    if "displacement" in MOVING[name]:
        parameters = replace(
            parameters, displacement=scaled(parameters.displacement, times, math.inf)
        )
    label = f"{name.replace(' ', '-')}-{times:g}"
    return Kind(label, parameters, replace(silent.doses, **doses))


def noisier(times: float) -> Kind:
    """Return recordings with so many times the noise."""
    doses = replace(SHORT.doses, thermal_noise=scaled(SHORT.doses.thermal_noise, times))
    return replace(SHORT, name=f"noise-{times:g}", doses=doses)


def scaled(dose: Range, times: float, most: float = 1000.0) -> Range:
    """Return a dose that is so many times as large, up to what it may be."""
    return Range(*(min(end * times, most) for end in (dose.low, dose.high)))


def predicted(recording: Recording) -> Voxels:
    """Return a recording without noise: maps times courses, float32 (time, depth, width)."""
    return np.tensordot(recording.motion_course.T, recording.motion_map, 1)
