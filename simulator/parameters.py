"""Everything a simulation depends on besides its seed, checked once and then trusted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from .annotations import Given
from .combinations import check_combinations
from .declarations import Declared, declare
from .errors import InputError
from .noise import NOISES
from .ranges import Range
from .shapes import SHAPES

INTERVAL_CLIP = 3.9
"""Intervals lie within this many SD of their mean, as in Fuglevand-type codes (Fuglevand, Winter
and Patla 1993, doi:10.1152/jn.1993.70.6.2470)."""

MAXIMUM_UNITS = 1000


@dataclass(frozen=True, kw_only=True)
class Parameters(Declared):
    """Parameters of a simulation; each is also an option of ``musim generate``.

    Ranges are uniform distributions; a range of one value is a constant. The defaults are the
    preset ``ali-2020``: the settings of Ali et al. 2020 (identification of motor units with
    ultrafast ultrasound and deep learning), whose simulation model is that of Rohlén et al. 2020,
    IEEE Access 8:50299-50311.

    A range is given as such, as ``(5, 30)``, ``[5, 30]``, ``5`` or ``"5-30"``; depth and width as
    ``(64, 64)`` or ``"64x64"``.

    Parameters
    ----------
    units : Range
        Active motor units in a sequence. Ali 2020: 5-30.
    snr : Range
        Mean signal power over noise power, dB; inf is no noise. Ali 2020: 10, 20 or inf.
    noise : {"white"}
        Model of the noise, one of :data:`.noise.NOISES`. Ali 2020: white and Gaussian.
    synchrony : Range
        Share of a unit's firings that is chosen to be moved onto firings of other units, 0..0.5,
        one value a sequence. Ali 2020: 0-0.1. Of two or three units fewer are moved, since a firing
        stays where a move would break the order of its own unit's firings.
    synchrony_jitter : Range
        SD of the Gaussian jitter about the firing moved onto, ms, after Yao, Fuglevand and Enoka
        2000 (doi:10.1152/jn.2000.83.1.441).
    firing_rate : Range
        Mean firing rate of a unit, Hz. Ali 2020: 8-13.
    interval_variation : Range
        SD of the inter-pulse interval over its mean. Ali 2020: 0.2. Intervals are cut symmetrically
        at 3.9 SD and at the refractory period, so values beyond 0.25 come out smaller.
    refractory_period : float
        No interval is shorter, ms, but those inside doublets, whose default it has.
    doublets : Range
        Share of firings that are followed by a second one after `doublet_interval`.
    doublet_interval : float
        Interval inside a doublet, ms.
    territory : {"disc", "ellipse", "crescent", "split", "mixed", "fibres"}
        Shape of a territory, one of :data:`.shapes.SHAPES`. Both papers: disc. Birkbeck et al. 2020
        saw ellipses and crescents mostly, and few split ones; mixed is that.
    diameter : Range
        Diameter of a territory, mm; of what is no disc, that of the disc of equal area. Ali 2020:
        2.5-10.
    axis_ratio : Range
        Long over short axis of an ellipse, and of one that is bent or split. Territories of 10.7 x
        4.5 mm were seen by MRI (Birkbeck et al. 2020, doi:10.1016/j.clinph.2020.02.004).
    fibre_density : float
        Fibres of a unit per mm2 of its territory, where the territory is made of fibres.
    fibre_smoothing : float
        SD of the Gaussian that smooths fibres to a membership, mm.
    mask : {"hard", "soft"}
        Membership of a pixel: whether its centre lies inside (0 or 1), or its share that does.
    displacement : Range
        Peak displacement of a unit's twitch, um. No source gives it for voluntary contractions.
    strength_ratio : Range
        Strength of the strongest unit over that of the weakest: displacements are multiplied by
        factors uniform in their logarithm, 1 in the middle; one ratio a sequence. Fuglevand, Winter
        and Patla 1993 (doi:10.1152/jn.1993.70.6.2470) take 100 for all units of a muscle.
    amplitude_variation : Range
        SD over mean of a unit's displacement from firing to firing, one value a sequence.
        Successive contractions differ in height and time (Raikova et al. 2008,
        doi:10.1016/j.jelekin.2007.02.010); how much in voluntary ones is an assumption.
    duration_variation : Range
        The same of its contraction and relaxation times.
    contraction_time : Range
        Time from onset to peak displacement, ms. Rohlén 2020's published code: 75-90.
    relaxation_ratio : Range
        Half-relaxation time over contraction time, both from onset. Rohlén 2020's published code:
        5/3.
    waveform : tuple of (float, float), optional
        A velocity waveform of one's own in place of the twitch: (time in s, velocity) samples.
    pixels : (int, int)
        Depth and width of the image, px. Ali 2020: 64 x 64.
    size : (float, float)
        Depth and width of the image, mm. Both papers: 40 x 40.
    muscle : (float, float), optional
        Depth and width of the muscle's cross-section about the image's centre, mm; without it, the
        image's.
    fat : Range
        Thickness of skin and fat above the muscle, mm: units lie below it. Both papers' simulations
        have none; the virtual experiment takes 3-8 (an assumption).
    frames : int
        Frames in a sequence. Ali 2020: 400.
    frame_rate : float
        Frames per second, Hz. Ali 2020: 400.
    trials : int
        Sequences of one subject, one after another. They share the units, their territories and
        twitches, the anatomy and, in the virtual experiment, tissue, doses and scatterers; firings,
        noise and what moves besides units are each one's own.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or does not go with another.
    """

    noun: ClassVar[str] = "parameter"

    units: Given[Range] = declare(
        Range(5, 30), "Active motor units.", bounds=(1, MAXIMUM_UNITS), group="Units", whole=True
    )
    snr: Given[Range] = declare(
        Range(10, 10),
        "Signal power over noise power; inf: no noise.",
        "dB",
        (-60, 200),
        group="Noise",
        infinite=True,
    )
    noise: str = declare(
        "white", "Model of the noise.", choices=NOISES, group="Noise", before="white"
    )
    synchrony: Given[Range] = declare(
        Range(0, 0.1),
        "Share of firings moved onto other units' firings.",
        "",
        (0, 0.5),
        group="Firing",
    )
    synchrony_jitter: Given[Range] = declare(
        Range(0, 0), "SD of a synchronised firing about its target.", "ms", (0, 15), group="Firing"
    )
    firing_rate: Given[Range] = declare(
        Range(8, 13), "Mean firing rate of a unit.", "Hz", (0.1, 100), group="Firing"
    )
    interval_variation: Given[Range] = declare(
        Range(0.2, 0.2), "SD over mean of the inter-pulse interval.", "", (0, 1), group="Firing"
    )
    refractory_period: float = declare(
        5.0, "Shortest interval of a unit.", "ms", (0.5, 1000), group="Firing"
    )
    doublets: Given[Range] = declare(
        Range(0, 0), "Share of firings that are doublets.", "", (0, 1), group="Firing"
    )
    doublet_interval: float = declare(
        5.0, "Interval inside a doublet.", "ms", (0.1, 1000), group="Firing"
    )
    territory: str = declare("disc", "Shape of a territory.", choices=SHAPES, group="Territory")
    diameter: Given[Range] = declare(
        Range(2.5, 10), "Diameter of a territory.", "mm", (0.01, 1000), group="Territory"
    )
    axis_ratio: Given[Range] = declare(
        Range(1, 2.4), "Long over short axis of what is no disc.", "", (1, 20), group="Territory"
    )
    fibre_density: float = declare(
        6.0,
        "Fibres of a unit per mm2 (territory fibres).",
        "1/mm2",
        (0.01, 1000),
        group="Territory",
    )
    fibre_smoothing: float = declare(
        0.5, "SD of the smoothing of fibres.", "mm", (0, 100), group="Territory"
    )
    mask: str = declare(
        "hard", "Membership of a pixel: 0 or 1, or its share.", choices=("hard", "soft"),
        group="Territory",
    )  # fmt: skip
    displacement: Given[Range] = declare(
        Range(5, 15), "Peak displacement of a twitch.", "um", (1e-6, 1e6), group="Twitch"
    )
    strength_ratio: Given[Range] = declare(
        Range(1, 1), "Strength of the strongest unit over the weakest.", "", (1, 1000),
        group="Twitch", before=Range(1, 1),
    )  # fmt: skip
    amplitude_variation: Given[Range] = declare(
        Range(0, 0), "SD over mean of displacement from firing to firing.", "", (0, 1),
        group="Twitch", before=Range(0, 0),
    )  # fmt: skip
    duration_variation: Given[Range] = declare(
        Range(0, 0), "SD over mean of a twitch's duration from firing to firing.", "", (0, 1),
        group="Twitch", before=Range(0, 0),
    )  # fmt: skip
    contraction_time: Given[Range] = declare(
        Range(75, 90), "Time from onset to peak displacement.", "ms", (1, 10_000), group="Twitch"
    )
    relaxation_ratio: Given[Range] = declare(
        Range(5 / 3, 5 / 3), "Half-relaxation time over contraction time.", "", (1.05, 2.6),
        group="Twitch",
    )  # fmt: skip
    waveform: Given[tuple[tuple[float, float], ...] | None] = declare(
        None, "CSV file of a velocity waveform (time in s, velocity).", group="Twitch"
    )
    pixels: Given[tuple[int, int]] = declare(
        (64, 64), "Depth x width of the image.", "px", (1, 65_536), group="Grid"
    )
    size: Given[tuple[float, float]] = declare(
        (40.0, 40.0), "Depth x width of the image.", "mm", (0.001, 10_000), group="Grid"
    )
    muscle: Given[tuple[float, float] | None] = declare(
        None, "Depth x width of the muscle, centred; default: the image's.", "mm", (0.001, 10_000),
        group="Grid",
    )  # fmt: skip
    fat: Given[Range] = declare(
        Range(0, 0), "Thickness of skin and fat above the muscle.", "mm", (0, 1000), group="Grid",
        before=Range(0, 0),
    )  # fmt: skip
    frames: int = declare(400, "Frames in a sequence.", "", (1, 10_000_000), group="Grid")
    frame_rate: float = declare(400.0, "Frames per second.", "Hz", (0.1, 1e6), group="Grid")
    trials: int = declare(
        1, "Sequences of one subject, one after another: the same anatomy and twitches.",
        bounds=(1, 1_000_000), group="Units", before=1,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check every value, then their combinations."""
        super().__post_init__()
        check_combinations(self)

    @property
    def duration(self) -> float:
        """Length of a sequence, s."""
        return self.frames / self.frame_rate

    def subject(self, index: int) -> int:
        """Return the number of the subject that sequence `index` shows."""
        return index // self.trials

    @property
    def muscle_size(self) -> tuple[float, float]:
        """Depth and width of the muscle's cross-section, mm."""
        return self.size if self.muscle is None else self.muscle

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.size[0] / self.pixels[0], self.size[1] / self.pixels[1]

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], preset: str = "ali-2020") -> Self:
        """Read parameters from texts, as options give them, over a preset.

        Parameters
        ----------
        texts : mapping of parameter name to text
            ``{"units": "5-30", "snr": "10", "pixels": "64x64"}``. A waveform is the text of a CSV
            file with two columns.
        preset : str
            Name of a preset in :data:`PRESETS`.

        Raises
        ------
        InputError
            If a name, a text or a value cannot be used; the text names the parameter.
        """
        if preset not in PRESETS:
            raise InputError(f"preset: found {preset!r}, wanted one of {', '.join(PRESETS)}")
        cls.check_names(texts)
        return cls(**{**PRESETS[preset], **texts})


PRESETS: dict[str, dict[str, Any]] = {
    "ali-2020": {},
    "ali-2022": {
        "units": Range(4, 10),
        "synchrony": Range(0.1, 0.1),
        "snr": Range(math.inf, math.inf),
        "pixels": (128, 128),
        "frames": 1024,
        "frame_rate": 512.0,
    },
}
PRESETS["experiment"] = {**PRESETS["ali-2022"], "fat": Range(3, 8)}
PRESETS["easy"] = PRESETS["experiment"]
_AS_SEEN = {"territory": "mixed", "axis_ratio": Range(1.2, 2.8), "diameter": Range(3, 8)}
PRESETS["typical"] = {
    **PRESETS["experiment"], **_AS_SEEN, "units": Range(4, 20), "firing_rate": Range(8, 15),
    "strength_ratio": Range(3, 10), "amplitude_variation": Range(0.1, 0.2),
    "duration_variation": Range(0.1, 0.2),
}  # fmt: skip
PRESETS["hard"] = {
    **PRESETS["experiment"], **_AS_SEEN, "units": Range(10, 40), "firing_rate": Range(8, 20),
    "strength_ratio": Range(10, 30), "amplitude_variation": Range(0.2, 0.2),
    "duration_variation": Range(0.2, 0.2), "fat": Range(4, 12),
}  # fmt: skip
"""Values that differ from the defaults. ``ali-2022``: domain A of Ali et al. 2022 (in silico to in
vivo translation). ``experiment`` and ``easy``: the same under skin and fat, for the virtual
experiment. ``typical`` and ``hard``: more and more various units, with territories as Birkbeck et
al. 2020 saw them (doi:10.1016/j.clinph.2020.02.004: 26.7 mm2, so 5.8 mm in diameter, and 10.7 x 4.5
mm); how many, how fast and how unlike is an assumption. Doses of the same names belong to them
(:data:`.experiment.doses.PRESETS`)."""
