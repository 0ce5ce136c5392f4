"""Origin of units that people looked through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from .attributes import CURATION, Attributes, text_of, value_of
from .derived import Identified

MOST_NAMED = 3
"""People that are named in words."""


@dataclass(frozen=True, kw_only=True)
class Curated(Identified):
    """Units that a method found and people accepted, rejected and changed.

    All that is known of the units that they began with is kept.

    Parameters
    ----------
    units : str
        Address of the store of these units.
    seal : str
        What tells that store from others that were at its place.
    recorded : tuple of str
        Likewise of each store in ``searched``.
    edits : tuple of mapping of str to object
        What was changed by whom and when, in this order, as
        :mod:`musim.training.identification.curation.edits` writes it.
    earlier : tuple of mapping of str to object
        What had been changed before, where those units were curated too.
    only_accepted : bool
        Whether units that nobody judged were left out.
    """

    name: ClassVar[str] = "curated"
    version: ClassVar[int] = 1

    units: str
    seal: str
    recorded: tuple[str, ...]
    edits: tuple[Mapping[str, Any], ...] = field(repr=False)
    earlier: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    only_accepted: bool = False

    @property
    def people(self) -> tuple[str, ...]:
        """Who changed something, in the order of their first changes."""
        return tuple(dict.fromkeys(str(edit["by"]) for edit in (*self.earlier, *self.edits)))

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        number = len(self.earlier) + len(self.edits)
        changes = f"{number} change{'' if number == 1 else 's'}"
        named = ", ".join(self.people[:MOST_NAMED])
        more = f" and {len(self.people) - MOST_NAMED} more" if self.people[MOST_NAMED:] else ""
        by = f" by {named}{more}" if named else ""
        return f"units of {self.units} curated{by} ({changes})"

    @property
    def advice(self) -> str:
        """How the store is made again: from the units and the changes that it keeps."""
        return "curate again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        told = {
            "units": self.units,
            "seal": self.seal,
            "recorded": list(self.recorded),
            "edits": [dict(edit) for edit in self.edits],
            "earlier": [dict(edit) for edit in self.earlier],
            "only_accepted": self.only_accepted,
        }
        return {**super().to_attributes(), CURATION: text_of(told)}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        told = value_of(attributes, CURATION)
        found = Identified.from_attributes(attributes)
        return cls(
            **{one.name: getattr(found, one.name) for one in fields(Identified)},
            units=str(told["units"]),
            seal=str(told["seal"]),
            recorded=tuple(str(one) for one in told["recorded"]),
            edits=tuple(dict(edit) for edit in told["edits"]),
            earlier=tuple(dict(edit) for edit in told["earlier"]),
            only_accepted=bool(told["only_accepted"]),
        )
