"""Settings of a run: every number of a paper's training protocol is a field with its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ...simulator.declarations import Declared, declarations, declare

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
"""Precisions by the names that Lightning gives them."""

MEMORY_FORMATS = ("channels-last", "contiguous")
"""All maps of a voxel side by side, or every map by itself, as torch does unless it is told."""


@dataclass(frozen=True, kw_only=True)
class Settings(Declared):
    """What all runs have in common; tasks add their own.

    Values are int, float, bool, str, tuples of numbers, or tuples of tuples of whole numbers (sizes
    of kernels), so that they go through JSON and can be typed (``5,4,4``, ``7x7x7,3x3x7``).

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or of another type.
    """

    noun: ClassVar[str] = "setting"

    steps: int = declare(1000, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = declare(8, "Sequences in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    seed: int = declare(0, "Seed of weights, order and all draws.", bounds=(0, 2**31 - 1))
    precision: str = declare("32-true", "Arithmetic of the step.", choices=PRECISIONS)
    memory_format: str = declare(
        "channels-last", "Order of maps in memory, which decides how fast convolutions are.",
        choices=MEMORY_FORMATS, before="contiguous",
    )  # fmt: skip
    validate_every: int = declare(100, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = declare(10, "Batches of a validation.", bounds=(1, 10**6))
    patience: int = declare(0, "Validations without improvement until training stops; 0: never.",
                            bounds=(0, 10**9))  # fmt: skip
    save_every: int = declare(100, "Batches between checkpoints.", bounds=(1, 10**9))
    log_every: int = declare(10, "Batches between lines of the history.", bounds=(1, 10**9))

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], base: Mapping[str, Any] | None = None) -> Self:
        """Return settings from what a user typed, over those in `base`.

        Raises
        ------
        InputError
            If a setting is unknown or a text cannot be read.
        """
        cls.check_names(texts)
        return cls(**{**(base or {}), **texts})

    def on(self, source: Any) -> Self:
        """Return the settings with what follows from what is trained on; here nothing does.

        Parameters
        ----------
        source : Source, or what the task takes
        """
        return self

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return (name, value, unit, meaning) of each setting, as a user would type the value."""
        return [
            (name, about.show(getattr(self, name)), about.unit, about.text)
            for name, about in declarations(type(self)).items()
        ]
