"""Which networks are trained, on what, to learn what generated and simulated images are worth.

Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027), section 2.3.3: 40 % of the real images
train, 20 % validate, 40 % test; generated images stand in place of real ones, or beside them; then
50, 30 and 10 % of the real images train. Simulated images, which no real one was needed for, do all
that generated ones do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..image_source import SHARES, ImageSource

FEW = (0.5, 0.3, 0.1)
"""Shares of the real images in Table 6."""

FEW_SHARES = (0.5, 0.1, 0.4)
"""Training, validation and test there: the test images are those of Table 4."""

MADE_SHARES = (0.85, 0.15, 0.0)
"""Of images that were made, where they alone train: what is real does not even choose weights."""

REAL, GENERATED = "real", "generated"

MADE = (GENERATED, "simulated")
"""Images that were made, and what they are called."""


@dataclass(frozen=True)
class Experiment:
    """A network that is trained.

    Parameters
    ----------
    name : str
        As in the paper, where it is there: ``real``, ``generated``, ``real+generated``, ``10%`` ...
    real : float
        Share of the real images that it trains on.
    made : tuple of str
        Which of :data:`MADE` it trains on.
    table : int
        Of the paper, that it belongs to: 4 (and 5), or 6.
    after : str
        The experiment whose network it goes on with; empty for a new one.
    """

    name: str
    real: float
    made: tuple[str, ...]
    table: int
    after: str = ""

    @property
    def file(self) -> str:
        """The name, as that of a file."""
        return named(self.name)

    def source(self, real: ImageSource, places: Mapping[str, Sequence[str]]) -> ImageSource:
        """Return what it is trained on.

        Parameters
        ----------
        real : ImageSource
            Of real images, with the seed of the split.
        places : mapping of str to sequence of str
            Where images of :data:`MADE` are.
        """
        made = tuple(place for kind in self.made for place in places[kind])
        if not self.real:
            return replace(
                real, images=made, also=(), masks="", sizes="", shares=MADE_SHARES, kept=1.0,
                without=(),
            )  # fmt: skip
        if self.table == 4:
            return replace(real, also=made, shares=SHARES, kept=1.0)
        return replace(real, also=made, shares=FEW_SHARES, kept=self.real / FEW_SHARES[0])


def named(name: str) -> str:
    """Return an experiment's name as that of a file."""
    return name.replace("+", "-and-").replace("%", "-percent").replace(" ", "-")


def experiments(made: tuple[str, ...]) -> list[Experiment]:
    """Return the experiments that can be made.

    Parameters
    ----------
    made : tuple of str
        Which of :data:`MADE` there are.
    """
    found = [Experiment(REAL, SHARES[0], (), 4)]
    for kind in made:
        found += [
            Experiment(kind, 0.0, (kind,), 4),
            Experiment(f"real+{kind}", SHARES[0], (kind,), 4),
        ]
    if len(made) > 1:
        found.append(Experiment("real+both", SHARES[0], made, 4))
    found += [Experiment(f"{REAL} after {kind}", SHARES[0], (), 4, kind) for kind in made]
    for share in FEW:
        name = f"{round(100 * share)}%"
        found.append(Experiment(name, share, (), 6))
        found += [Experiment(f"{name}+{kind}", share, (kind,), 6) for kind in made]
    # Where the fewest real ones are: images that were made need not share the batches with them.
    fewest = f"{round(100 * FEW[-1])}%"
    found += [Experiment(f"{fewest} after {kind}", FEW[-1], (), 6, kind) for kind in made]
    return found
