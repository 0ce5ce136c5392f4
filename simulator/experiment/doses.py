"""What the virtual experiment adds to the analytic model: each effect has a dose, 0 is off."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..annotations import Given
from ..declarations import Declared, declarations, declare
from ..errors import InputError
from ..ranges import Range
from ..seeds import Stream, generator

TISSUE, BODY, ULTRASOUND = "Tissue", "Body", "Ultrasound"


@dataclass(frozen=True, kw_only=True)
class Doses(Declared):
    """Doses of the virtual experiment; each is also an option of ``musim generate``.

    Ranges are drawn anew for each sequence, which stands for another subject. Where no source is
    named, a value is an assumption within physiological bounds.

    Parameters
    ----------
    spread : Range
        Length over which a unit's motion spreads beyond its fibres, mm.
    incompressibility : Range
        Share of the motion's divergence that is taken out: 1 is tissue that keeps its volume in the
        image plane, and what lies beside a unit moves the other way.
    wave : Range
        Delay of motion with distance from a unit, as a multiple of that of a shear wave.
    wave_speed : Range
        Of shear waves across relaxed muscle fibres, m/s.
    wave_damping : Range
        Smoothing of motion in time by the tissue that it crossed, over the delay.
    crowding : Range
        By which share each other unit that is active lowers a unit's amplitude. Amplitudes fall as
        more units are active (Lubel et al. 2023, doi:10.1109/TNSRE.2023.3315146).
    fusion : Range
        How much a unit's displacement saturates where its twitches fuse: by 1 + 1 / fusion peaks of
        one, 5 at 0.25. Force saturates with the rate of firing (Fuglevand, Winter and Patla 1993,
        doi:10.1152/jn.1993.70.6.2470); how much motion does is an assumption.
    fascicle : Range
        How alike motion is inside a fascicle, and how unlike across its wall.
    fascicle_size : Range
        Diameter of fascicles, mm. Textures of 1-2 mm are seen in experiments (Ali et al. 2022).
    layer : Range
        Share of the motion that skin and fat (parameter ``fat``) do not follow.
    aponeurosis : Range
        How much of a sheet the border of fat and muscle moves as, and how bright it is.
    artery : Range
        Motion of an artery's wall, um.
    heart_rate : Range
        Beats a minute.
    drift : Range
        SD of the slow motion of probe against muscle, um.
    breathing : Range
        Amplitude of motion with breathing at the image's bottom, um.
    tremor : Range
        SD of the motion with physiological tremor at the image's bottom, um, at 8-12 Hz (Lakie et
        al. 2015, doi:10.1113/JP270464).
    muscle_motion : Range
        SD of the motion of the muscle as a whole, um, at 3-15 Hz: the imaging chain passes most.
    attenuation : Range
        dB/(cm MHz), one way (of muscle about 0.5). It lowers the echoes' frequency with
        depth, and with the gain that makes up for it raises the noise.
    thermal_noise : Range
        Noise over echoes at the surface, in amplitude: 0.001 is an SNR of 60 dB there, and of some
        30 dB at 40 mm, where echoes are that much weaker.
    out_of_plane : Range
        Motion across the image plane over that in it, which exchanges the scatterers that are seen.
    noise_at_depth : Range
        Noise over echoes at the image's bottom, in amplitude, beside `thermal_noise` and whatever
        the attenuation: 0.1 is an SNR of 20 dB there. It falls towards the surface as gain does.
    reverberation : Range
        Still echoes of multiple paths over those of muscle, in amplitude, at the surface; they fall
        with depth. 0.03 to 1 in front of and inside the bladder (Lediju et al. 2008,
        doi:10.1177/016173460803000302, -30 to 0 dB of its wall's).
    side_lobes : Range
        Lobes of the receiving beam over the beam itself, in amplitude, by which the aponeurosis is
        seen beside and below where it lies: 0.22 without apodisation, 0.01 with a good one.
    contact : Range
        Share of the amplitude that is lost where the probe has no contact: at one end, in a bubble.
    warp : Range
        Largest displacement of the image by the probe's pressure, mm. What is seen lies that far
        from where the truth has it.
    centre_frequency : float
        Hz.
    bandwidth : float
        Width of the echoes' spectrum at half amplitude, as a share of the centre frequency.
    f_number : float
        Depth over width of the receiving aperture, where it is not limited by the probe.
    aperture : float
        Widest receiving aperture, mm.
    pulse_repetition : float
        Images a second, Hz. Ali 2022: 2000.
    image : (int, int)
        Pixels of the IQ images in depth and width.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds.
    """

    noun: ClassVar[str] = "dose"

    spread: Given[Range] = declare(Range(1, 2), "Length over which motion spreads.", "mm", (0, 20),
                           group=TISSUE)  # fmt: skip
    incompressibility: Given[Range] = declare(
        Range(0.5, 1), "Share of the divergence that is taken out.", "", (0, 1), group=TISSUE
    )
    wave: Given[Range] = declare(
        Range(1, 1), "Delay with distance, in that of a shear wave.", "", (0, 10), group=TISSUE
    )
    wave_speed: Given[Range] = declare(
        Range(2.5, 3.5), "Speed of shear waves.", "m/s", (0.5, 20), group=TISSUE
    )
    wave_damping: Given[Range] = declare(
        Range(0.5, 1), "Smoothing in time, over the delay.", "", (0, 10), group=TISSUE
    )
    crowding: Given[Range] = declare(
        Range(0.02, 0.06), "Loss of amplitude for each other active unit.", "", (0, 1), group=TISSUE
    )
    fascicle: Given[Range] = declare(
        Range(0.3, 0.6), "Likeness inside fascicles, unlikeness across.", "", (0, 1), group=TISSUE
    )
    fascicle_size: Given[Range] = declare(
        Range(1, 2), "Diameter of fascicles.", "mm", (0.2, 20), group=TISSUE
    )
    layer: Given[Range] = declare(
        Range(0.5, 0.95), "Share of motion that skin and fat do not follow.", "", (0, 1),
        group=TISSUE,
    )  # fmt: skip
    aponeurosis: Given[Range] = declare(
        Range(0.3, 0.8), "How much of a sheet the muscle's border is.", "", (0, 1), group=TISSUE
    )
    artery: Given[Range] = declare(
        Range(0, 150), "Motion of an artery's wall.", "um", (0, 1000), group=BODY
    )
    heart_rate: Given[Range] = declare(Range(55, 85), "Heart rate.", "1/min", (20, 250), group=BODY)
    drift: Given[Range] = declare(
        Range(5, 30), "SD of the slow motion of the probe.", "um", (0, 1000), group=BODY
    )
    breathing: Given[Range] = declare(
        Range(0, 60), "Motion with breathing at the bottom.", "um", (0, 5000), group=BODY
    )
    attenuation: Given[Range] = declare(
        Range(0.4, 0.6), "Attenuation.", "dB/(cm MHz)", (0, 5), group=ULTRASOUND
    )
    thermal_noise: Given[Range] = declare(
        Range(0.0003, 0.001), "Noise over echoes at the surface.", "", (0, 10), group=ULTRASOUND
    )
    out_of_plane: Given[Range] = declare(
        Range(1, 3), "Motion across the image plane over that in it.", "", (0, 100),
        group=ULTRASOUND,
    )  # fmt: skip
    centre_frequency: float = declare(
        7.7e6, "Centre frequency.", "Hz", (5e5, 5e7), group=ULTRASOUND
    )
    bandwidth: float = declare(
        0.4, "Bandwidth over centre frequency.", "", (0.05, 1), group=ULTRASOUND
    )
    f_number: float = declare(1.5, "Receiving f-number.", "", (0.5, 10), group=ULTRASOUND)
    aperture: float = declare(20.0, "Widest receiving aperture.", "mm", (1, 200), group=ULTRASOUND)
    pulse_repetition: float = declare(
        2000.0, "Images a second.", "Hz", (50, 20_000), group=ULTRASOUND
    )
    image: Given[tuple[int, int]] = declare(
        (256, 128), "Depth x width of the IQ images.", "px", (8, 4096), group=ULTRASOUND
    )

    # Declared after those that there were before, whose draws they leave as they are.
    fusion: Given[Range] = declare(
        Range(0, 0), "Saturation of motion where a unit's twitches fuse.", "", (0, 10),
        group=TISSUE, before=Range(0, 0),
    )  # fmt: skip
    tremor: Given[Range] = declare(
        Range(0, 0), "SD of motion with tremor at the bottom.", "um", (0, 1000), group=BODY,
        before=Range(0, 0),
    )  # fmt: skip
    muscle_motion: Given[Range] = declare(
        Range(0, 0), "SD of the motion of the muscle as a whole.", "um", (0, 1000), group=BODY,
        before=Range(0, 0),
    )  # fmt: skip

    noise_at_depth: Given[Range] = declare(
        Range(0, 0), "Noise over echoes at the image's bottom.", "", (0, 10), group=ULTRASOUND,
        before=Range(0, 0),
    )  # fmt: skip
    reverberation: Given[Range] = declare(
        Range(0, 0), "Still echoes over those of muscle at the surface.", "", (0, 10),
        group=ULTRASOUND, before=Range(0, 0),
    )  # fmt: skip
    side_lobes: Given[Range] = declare(
        Range(0, 0), "Lobes beside the beam over the beam.", "", (0, 1), group=ULTRASOUND,
        before=Range(0, 0),
    )  # fmt: skip
    contact: Given[Range] = declare(
        Range(0, 0), "Share of amplitude lost where contact is.", "", (0, 1), group=ULTRASOUND,
        before=Range(0, 0),
    )  # fmt: skip
    warp: Given[Range] = declare(
        Range(0, 0), "Displacement of the image by the probe's pressure.", "mm", (0, 10),
        group=ULTRASOUND, before=Range(0, 0),
    )  # fmt: skip

    @classmethod
    def off(cls, **others: Any) -> Self:
        """Return doses that are all 0: the analytic sequence, seen by ultrasound.

        Parameters
        ----------
        **others
            Doses that are not.
        """
        nothing: dict[str, Any] = dict.fromkeys(EFFECTS, Range(0, 0))
        return cls(**{**nothing, **others})

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], preset: str = "easy") -> Self:
        """Read doses from texts, as options give them, over a preset.

        Parameters
        ----------
        texts : mapping of dose name to text
            ``{"tremor": "1-5", "contact": "0-50%"}``.
        preset : {"easy", "typical", "hard"}
            Name of a preset in :data:`PRESETS`.

        Raises
        ------
        InputError
            If a name, a text or a value cannot be used; the text names the dose.
        """
        if preset not in PRESETS:
            raise InputError(f"preset: found {preset!r}, wanted one of {', '.join(PRESETS)}")
        cls.check_names(texts)
        return cls(**{**PRESETS[preset], **texts})

    def draw(self, seed: int, index: int) -> dict[str, float]:
        """Draw the doses of one sequence, each from a stream of its own.

        Returns
        -------
        dict of str to float
            Every dose that is a range, by name.
        """
        random = generator(seed, index, Stream.DOSES)
        drawn = {}
        for name in declarations(type(self)):
            value = getattr(self, name)
            if isinstance(value, Range):
                # Each takes one number, whatever its range: so changing one leaves the others.
                drawn[name] = value.low + random.random() * (value.high - value.low)
        return drawn


EFFECTS = (
    "spread", "incompressibility", "wave", "wave_damping", "crowding", "fascicle", "layer",
    "aponeurosis", "artery", "drift", "breathing", "attenuation", "thermal_noise", "out_of_plane",
    "fusion", "tremor", "muscle_motion", "noise_at_depth", "reverberation", "side_lobes", "contact",
    "warp",
)  # fmt: skip
"""Doses that switch an effect off at 0."""


ABSENT = {
    name: declared.before.low
    for name, declared in declarations(Doses).items()
    if declared.before is not dataclasses.MISSING
}
"""What subjects had of the doses that stores of earlier versions do not tell: nothing."""


PRESETS: dict[str, dict[str, Range]] = {
    "easy": {},
    "typical": {
        "crowding": Range(0.03, 0.08), "fusion": Range(0.1, 0.25),
        "tremor": Range(0, 0.5), "muscle_motion": Range(0, 0.8),
        "thermal_noise": Range(0, 0), "noise_at_depth": Range(0.06, 0.18),
        "reverberation": Range(0.1, 0.4), "side_lobes": Range(0.02, 0.1),
        "contact": Range(0, 0.3), "warp": Range(0, 0.3),
    },
    "hard": {
        "crowding": Range(0.04, 0.1), "fusion": Range(0.25, 1), "artery": Range(50, 200),
        "drift": Range(10, 40), "tremor": Range(0.3, 1.5), "muscle_motion": Range(0.5, 2),
        "thermal_noise": Range(0, 0), "noise_at_depth": Range(0.1, 0.3),
        "reverberation": Range(0.3, 1), "side_lobes": Range(0.1, 0.22),
        "contact": Range(0.3, 0.9), "warp": Range(0.2, 0.6),
    },
}  # fmt: skip
"""Doses that differ from the defaults, for parameters' presets of the same names: noise leaves 25
to 15 dB at the bottom, and 20 to 10 dB in hard subjects; tremor and the muscle's own motion are as
fast as units are, some 0.1 mm/s. Amounts are assumptions, within what sources of the doses allow.
"""


def quantised(values: np.ndarray) -> np.ndarray:
    """Return float32 values rounded to multiples of 2**-20.

    Libraries' last bits, which differ from processor to processor, are lost in it: so the same seed
    gives the same bytes.
    """
    return (np.round(values * 2.0**20) * 2.0**-20).astype(np.float32)
