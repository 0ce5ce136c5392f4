"""Recordings of all kinds that methods are put to, kept in a folder once they are made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.methods.kept import slug, written
from benchmarks.recordings import Made
from benchmarks.recordings import make as scanned
from musim.simulator import PRESETS, Parameters, Range, Truth, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate

FIRST_SEED = 41000
"""The seeds from here on were not looked at while anything was chosen."""


@dataclass(frozen=True)
class Kind:
    """Recordings of one kind.

    Parameters
    ----------
    name : str
    make : callable
        Takes a seed and returns a recording and its truth.
    """

    name: str
    make: Callable[[int], Made]

    def recording(self, seed: int, folder: Path) -> Made:
        """Return a recording, read from the folder if it was made before."""
        path = folder / "recordings" / f"{slug(self.name)}-{seed}.npz"
        if not path.exists():
            with written(path) as file:
                np.savez(file, **vars(self.make(seed)))
        with np.load(path) as kept:
            arrays = dict(kept)
        return Made(
            **{name: arrays[name] for name in ("tvi", "territory", "train", "firing", "snr")},
            frame_rate=float(arrays["frame_rate"]),
            pixel_size=tuple(arrays["pixel_size"].tolist()),
            noise=float(arrays["noise"]),
        )


def analytic(rate: tuple[float, float], seed: int) -> Made:
    """Return a sequence of the analytic model: 15 units that fire at a rate, Hz, and 10 dB."""
    parameters = Parameters(units=Range(15, 15), snr=Range(10, 10), firing_rate=Range(*rate))
    truth = draw(parameters, seed=seed)
    return _made(render(truth), truth, parameters)


def experiment(units: tuple[int, int], quick: bool, seed: int) -> Made:
    """Return a recording of the virtual experiment, full or quick."""
    common = {**PRESETS["experiment"], "pixels": (64, 64), "units": Range(*units)}
    parameters, doses = Parameters(**common), Doses()
    truth = draw(parameters, doses=doses, seed=seed)
    if quick:
        recording = draw_recording(parameters, doses, truth, seed=seed, index=0)
        return _made(render_recording(recording, colour(parameters, doses)), truth, parameters)
    return _made(simulate(parameters, doses, truth, seed=seed, index=0), truth, parameters)


def _made(tvi: np.ndarray, truth: Truth, parameters: Parameters) -> Made:
    return Made(
        tvi, parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(truth.unit_count), np.inf,
    )  # fmt: skip


FEW, MANY = (4, 10), (20, 25)
"""Units of the virtual experiment."""

KINDS = (
    *(
        Kind(f"analytic, {low}-{high} Hz", partial(analytic, (low, high)))
        for low, high in ((8, 13), (15, 20), (25, 35))
    ),
    *(
        Kind(f"{name} experiment, {low}-{high} units", partial(experiment, (low, high), quick))
        for name, quick in (("quick", True), ("full", False))
        for low, high in (FEW, MANY)
    ),
    *(Kind(maker, partial(scanned, maker)) for maker in ("discs", "spread", "sheet")),
)
"""What methods are put to: three firing rates, two numbers of units, and three other makers."""
