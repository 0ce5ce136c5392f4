"""Everything that pictures of scanned hands depend on besides their seed."""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ..declarations import Declared, declarations
from ..errors import InputError
from .hand.parameters import HandParameters
from .scan import Scan

PRESET = "grant-jacob-2021"
"""The scans of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8)."""

PHANTOM_REVISION = 1
"""Of what scans and their truth are; raised when a seed gives others."""

SIDES = ("left", "right")
"""Hands, in the order of a store's slices."""


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """A scanner and hands; those of Grant-Jacob et al. 2021, if not said.

    Parameters
    ----------
    scan : Scan
    hand : HandParameters
    """

    scan: Scan = field(default_factory=Scan)
    hand: HandParameters = field(default_factory=HandParameters)

    @property
    def parts(self) -> tuple[Declared, ...]:
        """What it consists of, each with values that are declared."""
        return self.scan, self.hand

    @property
    def names(self) -> dict[str, str]:
        """Names of all values, and of the part that has each."""
        return {
            name: each.name
            for each in dataclasses.fields(self)
            for name in declarations(type(getattr(self, each.name)))
        }

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return a phantom with other values, by the names that they have in either part.

        Raises
        ------
        InputError
            If no part has a name, or a value cannot be used.
        """
        homes = self.names
        for name in changes:
            if name not in homes:
                meant = difflib.get_close_matches(name, homes, 1)
                others = ", ".join(each for each in homes if each not in meant)
                wanted = f"{meant[0]} (or one of {others})" if meant else f"one of {others}"
                raise InputError(f"parameter: found {name!r}, wanted {wanted}")
        own = {
            part: {name: value for name, value in changes.items() if homes[name] == part}
            for part in ("scan", "hand")
        }
        return dataclasses.replace(
            self,
            scan=dataclasses.replace(self.scan, **own["scan"]),
            hand=dataclasses.replace(self.hand, **own["hand"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {"scan": self.scan.to_json(), "hand": self.hand.to_json()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made.

        Raises
        ------
        InputError, KeyError
            If it is something else.
        """
        return cls(scan=Scan.from_json(plain["scan"]), hand=HandParameters.from_json(plain["hand"]))
