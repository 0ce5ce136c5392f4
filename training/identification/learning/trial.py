"""What a run of ``musim train judge`` will take."""

import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..methods.learned.outlines import DILATIONS, VIEWS
from ..methods.learned.traits import NAMES
from .settings import JudgeSettings
from .traits import name_of, write_example


@dataclass(frozen=True)
class Trial:
    """What a run will take.

    Parameters
    ----------
    parameters : int
        Weights and biases of all networks.
    seconds : float
        For an example, on one processor; the mean over kinds.
    disk : float
        Bytes that an example takes.
    """

    parameters: int
    seconds: float
    disk: float


def try_out(settings: JudgeSettings) -> Trial:
    """Draw an example of each kind, without a run folder, and return what a run will take.

    The kernels are compiled, or read from where they are kept, before the time is taken.
    """
    count = len(settings.in_turn)
    with tempfile.TemporaryDirectory() as folder:
        write_example(folder, count, settings)
        began = time.perf_counter()
        for index in range(count):
            write_example(folder, index, settings)
        seconds = (time.perf_counter() - began) / count
        disk = sum((Path(folder) / name_of(index)).stat().st_size for index in range(count))
    widths = (len(NAMES), *settings.hidden, 1)
    parameters = settings.networks * sum((one + 1) * two for one, two in pairwise(widths))
    channels = settings.outline_channels
    wide = (len(VIEWS), *[channels] * len(DILATIONS))
    parameters += sum((9 * one + 1) * two for one, two in pairwise(wide))
    parameters += channels + len(VIEWS) + 1
    return Trial(parameters, seconds, disk / count)
