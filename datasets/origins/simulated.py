"""Origin of sequences that were drawn from parameters and a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...simulator.experiment.doses import Doses
from ...simulator.imaging.chain import BAND_PASS_REVISION, FIRST_REVISION
from ...simulator.parameters import Parameters
from .. import domains
from .attributes import (
    DOMAIN,
    DOSES,
    PARAMETERS,
    SEED,
    Attributes,
    revised,
    revision_of,
    software_of,
    software_versions,
    text_of,
    value_of,
)


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Sequences that were drawn from parameters and a seed: all that it takes to draw them again.

    Parameters
    ----------
    parameters : Parameters
    seed : int
    doses : Doses, optional
        Those of the virtual experiment; none for analytic sequences.
    quick : bool
        Whether recordings were made without the images of the virtual experiment.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other values.
    software : mapping of str to str
        Versions of musim and of the libraries that made the store.
    """

    name: ClassVar[str] = "simulated"
    version: ClassVar[int] = 2

    parameters: Parameters
    seed: int
    doses: Doses | None = None
    quick: bool = False
    revision: int = 0
    software: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "revision", self.revision or self.own_revision)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes: that of the experiment's imaging chain."""
        return FIRST_REVISION if self.doses is None else BAND_PASS_REVISION

    @property
    def domain(self) -> str:
        """What made the voxels, one of :data:`.domains.DOMAINS`."""
        if self.doses is None:
            return domains.ANALYTIC
        return domains.QUICK if self.quick else domains.EXPERIMENT

    @property
    def oldest_version(self) -> int:
        """The version that says as much: what version 1 says, its readers go on reading."""
        return 2 if self.domain == domains.QUICK else 1

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        what = "sequences" if self.doses is None else "recordings"
        quick = "quick " if self.domain == domains.QUICK else ""
        return f"{quick}{what} drawn with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        doses = {} if self.doses is None else {DOSES: text_of(self.doses.to_json())}
        domain = {DOMAIN: domains.QUICK} if self.domain == domains.QUICK else {}
        return {
            PARAMETERS: text_of(self.parameters.to_json()), SEED: self.seed, **doses, **domain,
            **revised(self.revision),
        }  # fmt: skip

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        doses, domain = value_of(attributes, DOSES, None), attributes.get(DOMAIN)
        if domain not in {None, domains.QUICK}:
            raise ValueError(f"there is no domain {domain!r}")
        return cls(
            parameters=Parameters.from_json(value_of(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            doses=None if doses is None else Doses.from_json(doses),
            quick=domain is not None,
            revision=revision_of(attributes),
            software=software_of(attributes),
        )
