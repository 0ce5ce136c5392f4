"""Stores of slices through simulated hands, as two sequences show them, with their tissues."""

import functools
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.resonance.parameters import SIDES, Phantom
from ...simulator.seeds import check_seed
from ..layout import Layout
from ..origin import ScannedHands
from ..parallel import Pool
from ..production import Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .slices import PLANES, Slice, canvas_for, packed, slices_layout
from .slicing import NORMALS, picture

if TYPE_CHECKING:
    from ...simulator.resonance.exposure import Exposure

KEPT = 2
"""Scanned hands that are kept, a subject's two: some 80 MB each at the paper's size."""

MOST_SUBJECTS = 10_000

_SCANNING = threading.Lock(), threading.Lock()
"""Of either side: threads that want one hand wait for it, and two hands are scanned in parallel."""


class Cut(NamedTuple):
    """A slice before it is made: the hand's number, its plane, and its number along the normal."""

    hand: int
    plane: str
    number: int


def scanned(phantom: Phantom, seed: int, subject: int, side: int) -> "Exposure":
    """Return a scanned hand; the last ones are kept."""
    with _SCANNING[side]:
        return _scanned(phantom, seed, subject, side)


@functools.lru_cache(maxsize=KEPT)
def _scanned(phantom: Phantom, seed: int, subject: int, side: int) -> "Exposure":
    from ...simulator.resonance.hands import scan_hand  # brings Numba

    return scan_hand(phantom, seed, subject, side)


def plan_hands(
    phantom: Phantom | None = None,
    *,
    seed: int = 0,
    subjects: int = 1,
    half: str = "",
    part_size: int | None = None,
) -> Layout:
    """Decide what a store of slices through hands will hold.

    Parameters
    ----------
    phantom : Phantom, optional
        That of Grant-Jacob et al. 2021, if not given.
    seed : int
        A hand depends on the phantom, the seed, its subject and its side alone.
    subjects : int
    half : {"", "left", "right"}
        The hand of each subject; both, the left one first, if empty.
    part_size : int, optional
        Slices in a part; see :func:`.slices.slices_layout`.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If a value is out of bounds, or no slice shows anything.
    """
    phantom = phantom or Phantom()
    if not 1 <= subjects <= MOST_SUBJECTS:
        raise InputError(f"subjects: found {subjects}, wanted 1 to {MOST_SUBJECTS}")
    if half and half not in SIDES:
        raise InputError(f"`half`: found {half!r}, wanted left or right, or none for both")
    sides = (half,) if half else SIDES
    origin = ScannedHands(
        phantom=phantom, seed=check_seed(seed), subjects=int(subjects), sides=sides
    )
    whole = len(_all_cuts(phantom)) * len(origin.hands)
    kept = cuts_of(origin)
    if not kept:
        raise InputError(
            f"extent: found {whole} slices that are all constant, wanted some with a hand in them; "
            "use a larger extent or smaller voxels"
        )
    if len(kept) < whole:
        counts = {plane: phantom.scan.shape[NORMALS[plane]] * len(origin.hands) -
                  sum(cut.plane == plane for cut in kept) for plane in PLANES}  # fmt: skip
        origin = ScannedHands(
            phantom=phantom, seed=origin.seed, subjects=origin.subjects, sides=sides,
            left_out=counts,
        )  # fmt: skip
    voxel = phantom.scan.voxel
    across, through, along = phantom.scan.shape
    return slices_layout(
        origin, sequences=len(kept),
        canvas=canvas_for([(through, across), (along, across), (along, through)]),
        pixel_sizes=[(voxel, voxel)], part_size=part_size, tissue=True,
    )  # fmt: skip


def _all_cuts(phantom: Phantom, hand: int = 0) -> list[Cut]:
    """Return every slice through a hand, plane by plane."""
    shape = phantom.scan.shape
    return [Cut(hand, plane, number) for plane in PLANES for number in range(shape[NORMALS[plane]])]


def cuts_of(origin: ScannedHands) -> list[Cut]:
    """Return the slices of a store in their order, hand by hand, without those that are constant.

    Where both sequences have noise none is; otherwise the hands are scanned to tell.
    """
    phantom = origin.phantom
    if math.isfinite(phantom.scan.snr.high) and math.isfinite(phantom.scan.snr_b.high):
        hands = range(len(origin.hands))
        return [cut for hand in hands for cut in _all_cuts(phantom, hand)]
    return list(_showing(phantom, origin.seed, origin.hands))


@functools.lru_cache(maxsize=4)
def _showing(phantom: Phantom, seed: int, hands: tuple[tuple[int, int], ...]) -> tuple[Cut, ...]:
    found = []
    for hand, (subject, side) in enumerate(hands):
        exposure = scanned(phantom, seed, subject, side)
        for cut in _all_cuts(phantom, hand):
            pictures = (exposure.image, exposure.image_b)
            if all(np.ptp(np.take(each, cut.number, NORMALS[cut.plane])) > 0 for each in pictures):
                found.append(cut)
    return tuple(found)


def generate_hands(
    phantom: Phantom | None = None,
    out: Any = "musim.zarr",
    *,
    seed: int = 0,
    subjects: int = 1,
    half: str = "",
    part_size: int | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Draw hands, scan them with two sequences, and store the slices with their tissues.

    Every value is the same for any number and kind of workers, and any interruption and
    resumption.

    Parameters
    ----------
    phantom : Phantom, optional
        That of Grant-Jacob et al. 2021, if not given.
    out : str or path
        A path or an fsspec URL.
    seed, subjects, half, part_size
        See :func:`plan_hands`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened.

    Raises
    ------
    InputError
        If a value cannot be used, or something is at `out` already.
    FailureError
        If the store cannot be written, or a worker dies. What is written can be resumed.

    Examples
    --------
    >>> from musim.datasets.volumes.hands import generate_hands
    >>> from musim.simulator.resonance.parameters import Phantom
    >>> coarse = Phantom().changed({"voxel": 6, "samples": 2})
    >>> store = generate_hands(coarse, "memory://hand.zarr", half="left")
    >>> store.dataset.tissue.shape
    (79, 64, 64)
    """
    layout = plan_hands(phantom, seed=seed, subjects=subjects, half=half, part_size=part_size)
    return produce(HandScanning(layout=layout), out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class HandScanning(Maker[int]):
    """Scans hands: a part is a task."""

    less: ClassVar[str] = "larger voxels, fewer subjects"

    @property
    def origin(self) -> ScannedHands:
        """Phantom, seed, subjects and sides."""
        return self.layout.origin_as(ScannedHands)

    @property
    def pool(self) -> Pool:
        """Threads: kernels have the work, and a scanned hand is shared."""
        return "threads"

    def tasks(self, parts: list[int]) -> Sequence[int]:
        """Return parts, a subject's hands by turns: two workers then scan one each."""
        cuts, sides = cuts_of(self.origin), len(self.origin.sides)
        firsts = [self.layout.sequences_of(part)[0] for part in range(self.layout.parts)]
        places: dict[int, int] = {}
        order: dict[int, tuple[int, int, int]] = {}
        for part, first in enumerate(firsts):
            hand = cuts[first].hand
            places[hand] = places.get(hand, -1) + 1
            order[part] = hand // sides, places[hand], hand
        return sorted(parts, key=lambda part: order[part])

    def make(self, task: int) -> Iterator[Part]:
        """Make the slices of one part."""
        slices = [self.cut(index) for index in self.layout.sequences_of(task)]
        yield Part(task, packed(slices, self.layout))

    def cut(self, index: int) -> Slice:
        """Return one slice."""
        origin = self.origin
        hand, plane, number = cuts_of(origin)[index]
        exposure = scanned(origin.phantom, origin.seed, *origin.hands[hand])
        voxel = origin.phantom.scan.voxel
        position = (number - (exposure.image.shape[NORMALS[plane]] - 1) / 2) * voxel
        return Slice(
            index, plane, position, picture(exposure.image, plane, number),
            picture(exposure.image_b, plane, number), (voxel, voxel),
            picture(exposure.tissue, plane, number),
        )  # fmt: skip

    def pack(self, index: int) -> dict[str, NDArray[Any]]:
        """Return the variables of one slice as arrays."""
        return packed([self.cut(index)], self.layout)
