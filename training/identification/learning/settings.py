"""Settings of what the judgement of trains is learned from, and how."""

from dataclasses import dataclass
from typing import ClassVar

from ....simulator.declarations import Declared, declarations, declare
from ....simulator.errors import InputError

KINDS = ("easy", "many", "typical", "wide", "hard", "analytic", "forms", "noise")
"""Kinds of examples: presets of subjects, subjects of many units, doses wider than plausible,
analytic sequences, such in tissue of any form, and noise alone."""


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(Declared):
    """What the judgement of the method `learned` is learned from, and how.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or of another type.
    """

    noun: ClassVar[str] = "setting"

    examples: int = declare(640, "Recordings to learn from, and to be measured on.",
                            bounds=(1, 99_999))  # fmt: skip
    seed: int = declare(31, "Seed of examples and weights.", bounds=(0, 2**31 - 1))
    kinds: str = declare(",".join(KINDS), "Kinds of examples, in turn.")
    faults: bool = declare(
        True, "Whether analytic sequences are blurred, drift, and lack pixels and frames."
    )
    pixels: int = declare(128, "Pixels of an image in depth and in width, at most.", "px",
                          bounds=(16, 512))  # fmt: skip
    frames: int = declare(1024, "Frames of a recording, at most.", bounds=(100, 10_000))

    networks: int = declare(4, "Networks whose log odds are averaged.", bounds=(1, 99))
    hidden: tuple[int, ...] = declare((48, 24), "Units of their hidden layers.", bounds=(1, 4096))
    apart_every: int = declare(
        5, "Each so many-th round of kinds is kept apart: it tells when learning is to end.",
        bounds=(2, 99),
    )  # fmt: skip
    learning_rate: float = declare(3e-3, "Of AdamW.", bounds=(1e-9, 1))
    weight_decay: float = declare(1e-2, "Pull of weights to 0.", bounds=(0, 1))
    dropout: float = declare(0.3, "Share of hidden units left out of a step.", bounds=(0, 0.9))
    jitter: float = declare(
        0.3, "Of what is added to traits, so that other simulators' are not too far from any.",
        "SD", bounds=(0, 10),
    )  # fmt: skip
    batch_size: int = declare(256, "Trains a step.", bounds=(1, 2**20))
    patience: int = declare(25, "Epochs without getting better until learning stops.",
                            bounds=(1, 10**6))  # fmt: skip

    outline_channels: int = declare(16, "Channels of the layers that outline units.",
                                    bounds=(1, 256))  # fmt: skip
    outline_epochs: int = declare(24, "Times that all units are learned to be outlined.",
                                  bounds=(1, 10_000))  # fmt: skip
    outline_learning_rate: float = declare(3e-3, "Of AdamW, at most, where units are outlined.",
                                           bounds=(1e-9, 1))  # fmt: skip

    def __post_init__(self) -> None:
        """Read and check every value."""
        super().__post_init__()
        unknown = [kind for kind in self.in_turn if kind not in KINDS]
        if unknown or not self.in_turn:
            found = unknown[0] if unknown else self.kinds
            raise InputError(f"kinds: found {found!r}, wanted some of {','.join(KINDS)}")
        if set(self.in_turn) == {"noise"}:
            raise InputError("kinds: found noise alone, wanted a kind that has units beside it")
        least = len(self.in_turn) * (self.apart_every - 1) + 1
        if self.examples < least:
            raise InputError(
                f"examples: found {self.examples}, wanted {least} or more, so that one is kept "
                "apart"
            )

    @property
    def in_turn(self) -> tuple[str, ...]:
        """The kinds, in their order."""
        return tuple(kind.strip() for kind in self.kinds.split(",") if kind.strip())

    def round_of(self, index: int) -> int:
        """Return in which round of kinds an example is."""
        return index // len(self.in_turn)

    def is_apart(self, index: int) -> bool:
        """Tell whether an example is kept apart from those that are learned from."""
        return self.round_of(index) % self.apart_every == self.apart_every - 1

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return (name, value, unit, meaning) of each setting, as a user would type the value."""
        return [
            (name, about.show(getattr(self, name)), about.unit, about.text)
            for name, about in declarations(type(self)).items()
        ]
