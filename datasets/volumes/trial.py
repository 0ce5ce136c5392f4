"""What a store of slices through hands will need, told before it is made."""

import dataclasses
import time

import numpy as np

from ...simulator.resonance.parameters import Phantom
from ..chunks import packed_size
from ..parallel import default_workers
from ..trial import LIBRARIES, Trial
from .hands import HandScanning, plan_hands, scanned

FEW_VOXELS = 40_000
"""Of the hand that is scanned to tell: a second's work."""

BYTES_A_VOXEL = 45
"""Of memory while a hand is scanned: what is summed, noise, and the pictures."""

FIXED = 60e-3
"""Share of a second that a hand takes whatever its voxels: its solids and their surface."""


def try_out_hands(
    phantom: Phantom,
    *,
    seed: int = 0,
    subjects: int = 1,
    half: str = "",
    part_size: int | None = None,
    workers: int | None = None,
) -> Trial:
    """Scan a hand of larger voxels in memory, and say what the whole store will take.

    Parameters
    ----------
    phantom : Phantom
    seed, subjects, half, part_size
        As :func:`.hands.plan_hands` takes them.
    workers : int, optional
        Threads; the number of processors, if not given.

    Returns
    -------
    Trial

    Raises
    ------
    InputError
        As :func:`.hands.plan_hands` does.
    """
    layout = plan_hands(phantom, seed=seed, subjects=subjects, half=half, part_size=part_size)
    scan = phantom.scan
    larger = max(1.0, (scan.voxels / FEW_VOXELS) ** (1 / 3))
    coarse = dataclasses.replace(
        phantom, scan=dataclasses.replace(scan, voxel=min(scan.voxel * larger, 20.0))
    )
    planned = plan_hands(coarse, seed=seed, half=half or "left")
    maker = HandScanning(layout=planned)
    hand = maker.origin.hands[0]
    scanned(coarse, seed + 1, *hand)  # kernels are compiled or loaded
    began = time.process_time()
    scanned(coarse, seed, *hand)
    seconds = max(time.process_time() - began - FIXED, 0.01)
    size = sum(packed_size(each) for each in maker.pack(planned.sequences // 2).values())
    hands = subjects * (1 if half else 2)
    used = min(workers or default_workers(), layout.parts)
    pixels = float(np.prod(layout.shape)) / float(np.prod(planned.shape))
    return Trial(
        made=planned.sequences,
        bytes=size * pixels * layout.sequences,
        seconds=(seconds * scan.voxels / coarse.scan.voxels + FIXED) * hands,
        memory=LIBRARIES + BYTES_A_VOXEL * scan.voxels * min(used, 2, hands),
        workers=min(used, 2, hands),
    )
