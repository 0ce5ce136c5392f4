"""Stores of images of the longitudinal section, with what is measured on such images as truth."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError
from ..simulator.section.parameters import SectionParameters
from ..simulator.section.scene import Section, draw_section
from ..simulator.seeds import check_seed
from .layout import Layout
from .origin import SectionImages, to_attributes
from .production import Maker, Part, Work, WorkOptions, produce
from .schema import SECTION, variables_of
from .store import Store

PART = 32
"""Images of a part, if nothing else is asked for: three seconds of work."""

FRAME_RATE = 1.0
"""Hz, of sequences of one image: there is no other to tell it by."""

APONEUROSES = 2
"""The superficial one and the deep one."""


def plan_sections(
    parameters: SectionParameters,
    *,
    sequences: int,
    seed: int = 0,
    muscle: str = "",
    part_size: int | None = None,
) -> Layout:
    """Decide what a store of images will hold.

    Parameters
    ----------
    parameters : SectionParameters
    sequences : int
        Number of images, 1 or more: sequences of one frame.
    seed : int
        Image i depends on (parameters, seed, i) alone.
    muscle : str
        Whose anatomy the parameters are, for readers; empty for none in particular.
    part_size : int, optional
        Images in a part; :data:`PART`, if not given.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If a value is out of bounds.
    """
    if not 1 <= sequences < 2**31:
        raise InputError(f"sequences: found {sequences}, wanted 1 to {2**31 - 1}")
    part_size = PART if part_size is None else int(part_size)
    if part_size < 1:
        raise InputError(f"part_size: found {part_size}, wanted 1 or more")
    origin = SectionImages(parameters=parameters, seed=check_seed(seed), muscle=muscle)
    depth, width = parameters.pixels
    return Layout(
        kind=SECTION,
        variables=tuple(one.name for one in variables_of(SECTION)),
        sizes={
            "sequence": int(sequences),
            "time": 1,
            "depth": depth,
            "width": width,
            "aponeurosis": APONEUROSES,
        },
        part_size=min(part_size, int(sequences)),
        dtypes={},
        frame_rate=FRAME_RATE,
        pixel_size=parameters.pixel_size,
        attributes=to_attributes(origin),
    )


def generate_sections(
    parameters: SectionParameters,
    out: Any,
    *,
    sequences: int = 10,
    seed: int = 0,
    muscle: str = "",
    part_size: int | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Make images of the longitudinal section and store them with their truth.

    Every value is the same for any number and kind of workers, and any interruption and
    resumption.

    Parameters
    ----------
    parameters : SectionParameters
    out : str or path
        A path or an fsspec URL.
    sequences, seed, muscle, part_size
        See :func:`plan_sections`.
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
    >>> from musim.datasets.sections import generate_sections
    >>> from musim.simulator.section.parameters import SectionParameters
    >>> parameters = SectionParameters.of("biceps-brachii")
    >>> store = generate_sections(parameters, "memory://arm.zarr", sequences=1)
    >>> store[0].bmode.shape
    (1, 256, 256)
    """
    layout = plan_sections(
        parameters, sequences=sequences, seed=seed, muscle=muscle, part_size=part_size
    )
    maker = SectionGeneration(layout=layout)
    maker.draw(0)  # what no image can have is found before the first byte is written
    return produce(maker, out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class SectionGeneration(Maker[int]):
    """Makes images of the longitudinal section: a part is a task."""

    @property
    def origin(self) -> SectionImages:
        """Parameters and seed of the images."""
        return self.layout.origin_as(SectionImages)

    def make(self, task: int) -> Iterator[Part]:
        """Make the images of one part."""
        yield Part(task, self.pack(map(self.draw, self.layout.sequences_of(task))))

    def draw(self, index: int) -> Section:
        """Make one image with its truth."""
        return draw_section(self.origin.parameters, self.origin.seed, index)

    def pack(self, sections: Iterable[Section]) -> dict[str, NDArray[Any]]:
        """Return the variables of some images as arrays, the images first."""
        kept = [_values(section) for section in sections]
        return {name: np.stack([values[name] for values in kept]) for name in self.layout.variables}


def _values(section: Section) -> dict[str, Any]:
    """Return an image's variables by their names in the store."""
    return {
        "bmode": section.image[None],  # of one frame
        "aponeurosis_mask": section.aponeurosis.astype(np.uint8),
        "muscle_thickness": np.float64(section.thickness),
        "pennation": np.float64(section.pennation),
        "fascicle_length": np.float64(section.fascicle_length),
    }
