"""Settings of what tells states of a muscle, and its models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ...simulator.declarations import declare
from ...simulator.errors import InputError
from ..runs.settings import Settings
from .convolutional import Layers

METHODS = ("cnn", "klt")
TARGETS = ("changes", "absolute")
_LAYER = (1, 2**16)


@dataclass(frozen=True, kw_only=True)
class StateSettings(Settings):
    """Settings of :class:`.state_task.StateTask`; the defaults are those of Cunningham et al. 2017
    (doi:10.1101/157479, sections III.F and III.G), and, where it gives none, ours.
    """  # noqa: D205

    steps: int = declare(2_500_000, "Batches in all, at the most.", bounds=(1, 10**9))
    batch_size: int = declare(1, "Pairs of frames in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    validate_every: int = declare(25_000, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = declare(
        150, "Hundreds of pairs of frames that are validated on, in one stretch of each trial.",
        bounds=(1, 10**6),
    )  # fmt: skip
    patience: int = declare(5, "Validations without improvement until training stops; 0: never.",
                            bounds=(0, 10**9))  # fmt: skip
    save_every: int = declare(25_000, "Batches between checkpoints.", bounds=(1, 10**9))
    log_every: int = declare(1000, "Batches between lines of the history.", bounds=(1, 10**9))

    method: str = declare("cnn", "What the network is shown: frames (cnn), or how places of the "
                          "muscle moved (klt).", choices=METHODS)  # fmt: skip
    target: str = declare("changes", "What is told: changes from frame to frame, or states too.",
                          choices=TARGETS)  # fmt: skip

    block: int = declare(0, "Successive pairs of frames that are taken of every period; 0: all.",
                         bounds=(0, 10**9))  # fmt: skip
    period: int = declare(120, "Frames of a trial of which a block of pairs is taken.",
                          bounds=(1, 10**9))  # fmt: skip
    binning: tuple[int, ...] = declare(
        (1, 1), "Rows and columns whose mean is one pixel of what a cnn is shown.", "px",
        bounds=(1, 64),
    )  # fmt: skip

    shown: str = declare("frames", "Of a pair, what a cnn is shown: both frames, or their mean and "
                         "their difference, each standardised.",
                         choices=("frames", "difference"), before="frames")  # fmt: skip
    reversals: float = declare(0.0, "Share of pairs that are trained on in the opposite order.",
                               bounds=(0, 1), before=0.0)  # fmt: skip

    filters: tuple[int, ...] = declare(
        (36, 64, 121, 169, 225, 289), "Of each convolution, with a pooling after it.",
        bounds=_LAYER,
    )  # fmt: skip
    input_filter: int = declare(5, "Height and width of the first filters.", "px", bounds=(1, 99))
    later_filter: int = declare(3, "Of all others: 3 by the paper's results, 2 by its methods.",
                                "px", bounds=(1, 99))  # fmt: skip
    convolutions: int = declare(1, "Between two poolings, with as many filters.", bounds=(1, 9))
    input_stride: int = declare(1, "Of the first convolution.", "px", bounds=(1, 64))
    connected: tuple[int, ...] = declare((1024,), "Neurons of fully connected layers of a cnn.",
                                         bounds=_LAYER)  # fmt: skip
    neurons: tuple[int, ...] = declare((256, 256), "Neurons of fully connected layers of klt.",
                                       bounds=_LAYER)  # fmt: skip
    window: int = declare(15, "Side of what klt compares around a corner; odd.", "px",
                          bounds=(3, 99))  # fmt: skip
    dropout_layers: int = declare(2, "Topmost layers whose inputs are dropped at random.",
                                  bounds=(0, 99))  # fmt: skip
    dropout: float = declare(0.5, "Share of inputs that is dropped.", bounds=(0, 0.99))

    optimiser: str = declare("sgd", "What steps the weights.", choices=("sgd", "adam"))
    learning_rate: float = declare(1e-5, "Of the optimiser, its greatest.", bounds=(0, 10))
    momentum: float = declare(0.95, "Of sgd.", bounds=(0, 0.9999))
    warm_up: float = declare(0.0, "Share of all batches over which the learning rate rises.",
                             bounds=(0, 1), before=0.0)  # fmt: skip
    schedule: str = declare("constant", "How the rate goes on then: as it is, or down to 0.",
                            choices=("constant", "cosine"))  # fmt: skip
    spread: float = declare(1.0, "Variance of weights at the beginning, over 1 / fan-in.",
                            bounds=(0, 100), before=1.0)  # fmt: skip
    weight_decay: float = declare(0.0, "Share of weights that each unit of learning rate takes.",
                                  bounds=(0, 10))  # fmt: skip
    average: float = declare(0.0, "Share of the average of weights that a step leaves; 0: the "
                             "weights themselves are used.", bounds=(0, 0.99999))  # fmt: skip

    def __post_init__(self) -> None:
        """Check every value, and that they go together."""
        super().__post_init__()
        if self.block > self.period:
            raise InputError(
                f"block: found {self.block} pairs of every {self.period} frames, wanted no more "
                "than there are; set a longer `settings.period`"
            )
        if len(self.binning) != 2:
            raise InputError(f"binning: found {self.binning}, wanted rows and columns, as in 2,4")
        if self.window % 2 == 0:
            raise InputError(f"window: found {self.window} px, wanted an odd number of them")
        if not self.filters or not self.neurons:
            lacking = "neurons" if self.filters else "filters"
            raise InputError(f"{lacking}: found none, wanted a number for each layer")

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], base: Mapping[str, Any] | None = None) -> Self:
        """Return settings from what a user typed, over those in `base` and those of the method.

        Raises
        ------
        InputError
            If a setting is unknown, a text cannot be read, or the model is not one of klt's.
        """
        if texts.get("method") != "klt":
            return super().from_texts(texts, base)
        if base is not None and "neurons" not in base:
            models = ", ".join(name for name, model in MODELS.items() if "neurons" in model)
            raise InputError(f"method: found klt with a model of cnn alone, wanted one of {models}")
        return super().from_texts(texts, {**(base or {}), **KLT})

    @property
    def layers(self) -> Layers:
        """The layers of a cnn."""
        return Layers(
            filters=self.filters, input_filter=self.input_filter, later_filter=self.later_filter,
            convolutions=self.convolutions, input_stride=self.input_stride,
            connected=self.connected, dropout_layers=self.dropout_layers, dropout=self.dropout,
            spread=self.spread,
        )  # fmt: skip


MODELS: dict[str, dict[str, Any]] = {
    "small": {
        "steps": 4000,
        "batch_size": 64,
        "validate_every": 500,
        "validation_batches": 36,
        "save_every": 500,
        "log_every": 50,
        "block": 40,
        "binning": (2, 4),
        "shown": "difference",
        "reversals": 0.5,
        "filters": (16, 32, 64, 64),
        "connected": (128,),
        "neurons": (128, 64),
        "dropout_layers": 1,
        "optimiser": "adam",
        "learning_rate": 1e-3,
        "warm_up": 0.3,
        "schedule": "cosine",
        "spread": 2.0,
        "weight_decay": 0.01,
        "average": 0.995,
    },
    "A": {
        "filters": (16, 36, 64, 121, 169, 225),
        "input_filter": 3,
        "neurons": (256, 256),
    },
    "B": {"neurons": (512, 512)},
    "C": {
        "filters": (49, 81, 144, 324, 484),
        "input_filter": 11,
        "connected": (1024, 1024),
        "dropout_layers": 3,
        "neurons": (1024, 1024),
    },
    "D": {"filters": (64, 121, 169, 225, 289, 361, 441)},
}
"""Settings of each model, where they are not the defaults: ``small`` trains on one processor; A to
D are the paper's, each in the variant of its Table 1 that validated best at a rate of 1e-5 with as
many poolings as listed, or, of A and B, with the six of the best of all. For klt, A to C have the
paper's neurons."""

KLT: dict[str, Any] = {"momentum": 0.9, "dropout_layers": 0}
"""What differs with klt in all models that have neurons for it: momentum as Cunningham et al. 2017
have it (section III.E), and dropout as in their best ones (Table 1)."""
