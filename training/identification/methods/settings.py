"""What can be set of a method: each number of a paper is a field with its meaning."""

from dataclasses import dataclass
from typing import ClassVar

from ....simulator.declarations import Declared, declarations


@dataclass(frozen=True, kw_only=True)
class MethodSettings(Declared):
    """Base of the settings of methods.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or of another type.
    """

    noun: ClassVar[str] = "setting"

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return (name, value, unit, meaning) of each setting, as a user would type the value."""
        return [
            (name, about.show(getattr(self, name)), about.unit, about.text)
            for name, about in declarations(type(self)).items()
        ]
