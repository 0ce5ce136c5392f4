"""What all trials of a study have in common: its participants, images, tasks and view."""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ..declarations import Declared, declarations, declare
from ..errors import InputError
from ..section.parameters import SectionParameters
from .parameters import CalfParameters, Participant
from .tasks import Protocol

TRIALS_REVISION = 1
"""Of what trials and their images are; raised when a seed gives others."""

PRESET = "cunningham-2017"
"""The study of Cunningham et al. 2017 (doi:10.1101/157479)."""

PARTICIPANTS = 19
"""Of that study."""

REGION = 120, 496
"""Depth and width of its region of the muscle, px."""

REGION_SIZE = 14.67, 55.42
"""The same, mm."""

ROWS = 328
"""Of the whole image: 40 mm."""


@dataclass(frozen=True, kw_only=True)
class View(Declared):
    """What of the images is shown.

    Parameters
    ----------
    view : {"region", "whole"}
        A region whose middle lies midway between the aponeuroses at rest, in the image's middle; or
        the whole image.
    region_rows : int
        Depth of the region, px; it is as wide as the image.
    """

    noun: ClassVar[str] = "setting"

    view: str = declare("region", "What of the images is shown.", choices=("region", "whole"))
    region_rows: int = declare(REGION[0], "Depth of the region.", "px", (8, 4096))


def _section() -> SectionParameters:
    # The probe is held the same way on all: the foot lies to the right.
    size = ROWS * REGION_SIZE[0] / REGION[0], REGION_SIZE[1]
    return SectionParameters(pixels=(ROWS, REGION[1]), size=size, fascicles_rise="left")


@dataclass(frozen=True, kw_only=True)
class Study:
    """What all trials of a study have in common; that of Cunningham et al. 2017, if not said.

    Parameters
    ----------
    calf : CalfParameters
    section : SectionParameters
        Of whole images.
    protocol : Protocol
    view : View

    Raises
    ------
    InputError
        If the region is deeper than the image.
    """

    calf: CalfParameters = field(default_factory=CalfParameters)
    section: SectionParameters = field(default_factory=_section)
    protocol: Protocol = field(default_factory=Protocol)
    view: View = field(default_factory=View)

    def __post_init__(self) -> None:
        if self.shape[0] > self.section.pixels[0]:
            raise InputError(
                f"region_rows: found {self.view.region_rows} px, wanted at most the "
                f"{self.section.pixels[0]} px of pixels, the whole image"
            )

    @property
    def parts(self) -> tuple[Declared, ...]:
        """What it consists of, each with values that are declared."""
        return self.calf, self.section, self.protocol, self.view

    @property
    def names(self) -> dict[str, str]:
        """Names of all values, and of the part that has each."""
        return {
            name: each.name
            for each in dataclasses.fields(self)
            for name in declarations(type(getattr(self, each.name)))
        }

    @property
    def shape(self) -> tuple[int, int]:
        """Depth and width of what is shown, px."""
        depth, width = self.section.pixels
        return (self.view.region_rows if self.view.view == "region" else depth), width

    def rows(self, participant: Participant) -> slice:
        """Return the rows of the whole image that are shown of a participant."""
        depth, (whole, _) = self.shape[0], self.section.pixels
        anatomy = participant.anatomy
        middle = (anatomy.superficial.depth + anatomy.deep.depth) / 2
        first = round(middle / self.section.pixel_size[0] - depth / 2)
        first = min(max(first, 0), whole - depth)
        return slice(first, first + depth)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return a study with other values, by the names that they have in whichever part.

        Raises
        ------
        InputError
            If no part has a name, or a value cannot be used.
        """
        parts = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        homes = self.names
        for name in changes:
            if name not in homes:
                meant = difflib.get_close_matches(name, homes, 1)
                others = ", ".join(each for each in homes if each not in meant)
                wanted = f"{meant[0]} (or one of {others})" if meant else f"one of {others}"
                raise InputError(f"parameter: found {name!r}, wanted {wanted}")
        own = {
            part: {name: value for name, value in changes.items() if homes[name] == part}
            for part in parts
        }
        return dataclasses.replace(
            self, **{part: dataclasses.replace(parts[part], **own[part]) for part in parts}
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {each.name: getattr(self, each.name).to_json() for each in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made.

        Raises
        ------
        InputError, KeyError
            If it is something else.
        """
        return cls(
            calf=CalfParameters.from_json(plain["calf"]),
            section=SectionParameters.from_json(plain["section"]),
            protocol=Protocol.from_json(plain["protocol"]),
            view=View.from_json(plain["view"]),
        )
