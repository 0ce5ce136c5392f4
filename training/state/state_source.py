"""What networks of states are trained on: trials of participants, of whom two are held out."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.grid import Grid
from ...datasets.location import Location
from ...datasets.store import Store, open_videos
from ...simulator.errors import InputError

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial


@dataclass(frozen=True)
class StateSource:
    """Trials of a store of videos: all of one participant test, all of another validate.

    A participant is on one side only, with all trials, as in Cunningham et al. 2017 (section
    III.G, doi:10.1101/157479).

    Parameters
    ----------
    store : str
        Place of a store of videos with signals.
    test, validation : int
        Numbers of participants. Nothing of the first is ever looked at in training; by the second
        the best weights are chosen.
    frames : str
        Folder that keeps what networks are shown, once it is made, for this and other runs on the
        same store; empty: the memory.
    brief : bool
        Whether to train on the first frames alone, which tells what a step takes.

    Raises
    ------
    InputError
        If one participant is to do both.
    """

    store: str
    test: int = 0
    validation: int = 1
    frames: str = ""
    brief: bool = False

    def __post_init__(self) -> None:
        """Check that two participants are held out."""
        if self.test == self.validation:
            raise InputError(
                f"`validation`: found participant {self.validation}, who is the one of `test` too, "
                "wanted another; name two"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was read: other processes read it for themselves."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, given: Any) -> "StateSource":
        """Return a source, perhaps from a store or its place."""
        if isinstance(given, cls):
            return given
        return cls(given.location.address if isinstance(given, Store) else str(given))

    @property
    def for_trying(self) -> "StateSource":
        """The same with the first frames alone."""
        return StateSource(self.store, self.test, self.validation, brief=True)

    @functools.cached_property
    def opened(self) -> Store:
        """The store.

        Raises
        ------
        InputError
            If it holds no videos with signals.
        """
        return open_videos(self.store)

    @property
    def grid(self) -> Grid:
        """Frames, image, frame rate and pixel of a trial."""
        return self.opened.layout.grid

    @functools.cached_property
    def _trials(self) -> "Sequence[MuscleTrial]":
        from ...datasets.videos.trials import trials_of

        return trials_of(self.opened)

    @property
    def participants(self) -> list[int]:
        """The numbers of all who took part, in order."""
        return sorted({trial.participant for trial in self._trials})

    @property
    def train(self) -> "list[MuscleTrial]":
        """Trials of those who neither test nor validate."""
        held = (self.test, self.validation)
        return [trial for trial in self._trials if trial.participant not in held]

    @property
    def validated(self) -> "list[MuscleTrial]":
        """Trials by which the best weights are chosen."""
        return [trial for trial in self._trials if trial.participant == self.validation]

    @property
    def tested(self) -> "list[MuscleTrial]":
        """Trials that training never looks at."""
        return [trial for trial in self._trials if trial.participant == self.test]

    def check(self) -> None:
        """Make sure that there are those who are held out, and others to train on.

        Raises
        ------
        InputError
            If there are not.
        """
        there = self.participants
        if len(there) < 3:
            found = "one participant" if len(there) == 1 else f"{len(there)} participants"
            raise InputError(
                f"{self.store}: found {found}, wanted three or more: one tests, one validates, and "
                "the others are trained on"
            )
        for name in ("test", "validation"):
            if getattr(self, name) not in there:
                raise InputError(
                    f"`{name}`: found participant {getattr(self, name)}, wanted one of "
                    f"{', '.join(map(str, there))}, who are in {self.store}"
                )

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back, from whatever folder."""
        plain = asdict(self)
        plain["store"] = Location(self.store).address
        plain["frames"] = str(Path(self.frames).resolve()) if self.frames else ""
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "StateSource":
        """Read what :meth:`to_json` made."""
        return cls(**plain)
