"""Everything an image of the longitudinal section depends on besides its seed."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ..annotations import Given
from ..declarations import Declared, declare
from ..errors import InputError
from ..ranges import Range
from .grey import GREY_MAPS
from .muscles import MUSCLES

ANATOMY, TISSUE, SCANNER = "Anatomy", "Tissue", "Scanner"


SECTION_REVISION = 2
"""Of what images and their truth are; raised when a seed gives others. Up to 1, pennation was that
between tangents where a fascicle leaves its aponeurosis."""

SIDES = {"left": -1, "right": 1}
"""Of an image, and their signs."""


@dataclass(frozen=True, kw_only=True)
class SectionParameters(Declared):
    """Parameters of images of the longitudinal section.

    Ranges are uniform distributions, of one value an image. The defaults are those of the
    gastrocnemius medialis in Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027):
    longitudinal images of a GE Logiq P9 with an ML6-15 probe at 10 MHz, 66 dB, 4 cm deep, made
    256 x 256 px. Echo strengths are over those of muscle's own scatterers, in dB; these, and
    whatever else is said to be an assumption, were chosen by eye beside the published images of
    Cronin et al. 2020 (arXiv:2009.04790).

    Parameters
    ----------
    thickness : Range
        Of the muscle in the image's middle, straight down, mm. The four muscles of Katakis et al.
        2023 have 24.5 (SD 6.5) mm together (their Table 5); the shares are an assumption.
    pennation : Range
        Angle between fascicles and the aponeurosis that they leave, deg. Of the gastrocnemius
        medialis 27.3 (women) and 34.6 (men) where it is strongest, and less at rest (Manal, Roberts
        and Buchanan 2006, doi:10.1123/jab.22.4.255); the range is an assumption.
    fascicle_bow : Range
        Sagitta of fascicles over the muscle's thickness (an assumption).
    compartments : int
        1, or 2 with an aponeurosis in the muscle's middle that fascicles leave to both sides.
    fat : Range
        Depth at which the muscle begins: skin and fat, mm (an assumption).
    skin : Range
        Thickness of the skin, mm (an assumption).
    tilt : Range
        Angle between the superficial aponeurosis and the skin, deg, to either side (an assumption).
    taper : Range
        Angle between the two aponeuroses, deg, to either side (an assumption).
    bow : Range
        By how much aponeuroses lie less deep at the image's sides than in a straight line, mm; each
        has its own (an assumption).
    aponeurosis : Range
        Thickness of aponeuroses, mm (an assumption).
    bone : Range
        Depth of a bone below the muscle, mm; beyond the image there is none to see (an assumption).
    fascicle_size : Range
        Mean distance of the sheaths of fascicles, mm (an assumption).
    gaps : Range
        Share of a sheath that is not seen (an assumption).
    sheath_echo, aponeurosis_echo, fat_echo, skin_echo : Range
        Echo strength of sheaths, aponeuroses, fat and skin, dB (assumptions).
    scatter : Range
        SD of the echo strength of muscle from place to place, dB (an assumption).
    attenuation : Range
        Of muscle, dB/(cm MHz), one way; with the gain in time that makes up for
        `expected_attenuation` it makes images brighter or darker in the deep.
    fat_attenuation : Range
        Of skin and fat, dB/(cm MHz) (an assumption).
    aponeurosis_loss : Range
        What an aponeurosis takes from all that lies below it, dB, there and back (an assumption).
    contact : Range
        Share of the amplitude that is lost where the probe has no contact: at one end, in a bubble
        (an assumption).
    centre_frequency : Range
        Hz. Katakis et al. 2023: 10 MHz.
    bandwidth : float
        Width of the echoes' spectrum at half amplitude, as a share of the centre frequency.
    f_number : Range
        Depth over width of the receiving aperture, where it is not limited by the probe; it stands
        for all that makes beams wide (an assumption).
    aperture : float
        Widest receiving aperture, mm.
    looks : int
        Directions whose images are compounded.
    steering : float
        Of the outermost of them, deg to either side.
    directivity : float
        SD of the angle off its normal at which a sheet's echo is still heard, deg (an assumption).
    expected_attenuation : float
        What the gain in time makes up for, dB/(cm MHz).
    gain_error : Range
        By how much the gain at the image's bottom is off, dB (an assumption).
    thermal_noise : Range
        Noise over muscle's echoes at the surface, in amplitude (an assumption).
    dynamic_range : Range
        From black to white, dB. Katakis et al. 2023: 66.
    gain : Range
        How far below white muscle's own scatterers are, dB: -40 is darker than -30 (an assumption).
    fascicles_rise : {"left", "right", "mixed"}
        Side of the image to which fascicles rise from the deep aponeurosis, by how the probe is
        held, or either.
    grey_map : {"linear", "dark", "soft", "steep", "mixed"}
        What is made of the logarithm, one of :data:`.grey.GREY_MAPS`, or any of them.
    pixels : (int, int)
        Depth and width of the image, px.
    size : (float, float)
        Depth and width of the image, mm.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or does not go with another.
    """

    noun: ClassVar[str] = "parameter"

    thickness: Given[Range] = declare(
        Range(14, 26), "Thickness of the muscle in the middle.", "mm", (2, 200), group=ANATOMY
    )
    pennation: Given[Range] = declare(
        Range(14, 28), "Angle of fascicles with their aponeurosis.", "deg", (1, 60), group=ANATOMY
    )
    fascicle_bow: Given[Range] = declare(
        Range(-0.01, 0.04), "Sagitta of fascicles over thickness.", "", (-0.05, 0.05),
        group=ANATOMY,
    )  # fmt: skip
    compartments: int = declare(1, "Compartments of the muscle.", "", (1, 2), group=ANATOMY)
    fat: Given[Range] = declare(
        Range(3, 8), "Thickness of skin and fat.", "mm", (0.5, 100), group=ANATOMY
    )
    skin: Given[Range] = declare(
        Range(0.8, 1.6), "Thickness of the skin.", "mm", (0, 10), group=ANATOMY
    )
    tilt: Given[Range] = declare(
        Range(0, 3), "Angle of the superficial aponeurosis, either way.", "deg", (0, 20),
        group=ANATOMY,
    )  # fmt: skip
    taper: Given[Range] = declare(
        Range(0, 6), "Angle between the aponeuroses, either way.", "deg", (0, 20), group=ANATOMY
    )
    bow: Given[Range] = declare(
        Range(-0.6, 1.4), "Bow of aponeuroses.", "mm", (-20, 20), group=ANATOMY
    )
    aponeurosis: Given[Range] = declare(
        Range(0.5, 1.3), "Thickness of aponeuroses.", "mm", (0.1, 10), group=ANATOMY
    )
    bone: Given[Range] = declare(
        Range(40, 80), "Depth of a bone below the muscle.", "mm", (2, 1000), group=ANATOMY
    )
    fascicle_size: Given[Range] = declare(
        Range(0.5, 1.1), "Distance of the sheaths of fascicles.", "mm", (0.2, 20), group=TISSUE
    )
    gaps: Given[Range] = declare(
        Range(0.3, 0.7), "Share of sheaths that is not seen.", "", (0, 1), group=TISSUE
    )
    sheath_echo: Given[Range] = declare(
        Range(4, 12), "Echo strength of sheaths.", "dB", (-60, 80), group=TISSUE
    )
    aponeurosis_echo: Given[Range] = declare(
        Range(17, 25), "Echo strength of aponeuroses.", "dB", (-60, 80), group=TISSUE
    )
    fat_echo: Given[Range] = declare(
        Range(-6, 3), "Echo strength of fat.", "dB", (-60, 80), group=TISSUE
    )
    skin_echo: Given[Range] = declare(
        Range(4, 12), "Echo strength of skin.", "dB", (-60, 80), group=TISSUE
    )
    scatter: Given[Range] = declare(
        Range(1, 3), "SD of muscle's echo strength.", "dB", (0, 20), group=TISSUE
    )
    attenuation: Given[Range] = declare(
        Range(0.55, 0.8), "Attenuation of muscle.", "dB/(cm MHz)", (0, 3), group=TISSUE
    )
    fat_attenuation: Given[Range] = declare(
        Range(0.4, 0.7), "Attenuation of skin and fat.", "dB/(cm MHz)", (0, 3), group=TISSUE
    )
    aponeurosis_loss: Given[Range] = declare(
        Range(0.5, 4), "What an aponeurosis takes from what is below.", "dB", (0, 60),
        group=TISSUE,
    )  # fmt: skip
    contact: Given[Range] = declare(
        Range(0, 0.5), "Share of amplitude lost where contact is.", "", (0, 1), group=SCANNER
    )
    centre_frequency: Given[Range] = declare(
        Range(9e6, 10e6), "Centre frequency.", "Hz", (1e6, 3e7), group=SCANNER
    )
    bandwidth: float = declare(
        0.45, "Width of the spectrum over its centre.", "", (0.05, 1.5), group=SCANNER
    )
    f_number: Given[Range] = declare(
        Range(2.5, 5), "Depth over the receiving aperture.", "", (0.5, 20), group=SCANNER
    )
    aperture: float = declare(20.0, "Widest receiving aperture.", "mm", (1, 200), group=SCANNER)
    looks: int = declare(3, "Directions that are compounded.", "", (1, 15), group=SCANNER)
    steering: float = declare(8.0, "Of the outermost direction.", "deg", (0, 30), group=SCANNER)
    directivity: float = declare(
        14.0, "SD of the angle at which sheets are heard.", "deg", (1, 90), group=SCANNER
    )
    expected_attenuation: float = declare(
        0.65, "Attenuation that gain in time makes up for.", "dB/(cm MHz)", (0, 3), group=SCANNER
    )
    gain_error: Given[Range] = declare(
        Range(-8, 4), "Error of the gain at the bottom.", "dB", (-60, 60), group=SCANNER
    )
    thermal_noise: Given[Range] = declare(
        Range(2e-5, 2e-4), "Noise over muscle's echoes at the surface.", "", (0, 1), group=SCANNER
    )
    dynamic_range: Given[Range] = declare(
        Range(66, 66), "From black to white.", "dB", (10, 200), group=SCANNER
    )
    gain: Given[Range] = declare(
        Range(-55, -45), "Muscle's scatterers below white.", "dB", (-200, 100), group=SCANNER
    )
    fascicles_rise: str = declare(
        "mixed", "Side to which fascicles rise.", choices=(*SIDES, "mixed"), group=SCANNER,
        before="mixed",
    )  # fmt: skip
    grey_map: str = declare(
        "mixed", "What is made of the logarithm.", choices=(*GREY_MAPS, "mixed"), group=SCANNER
    )
    pixels: Given[tuple[int, int]] = declare(
        (256, 256), "Depth x width of the image.", "px", (8, 4096), group=SCANNER
    )
    size: Given[tuple[float, float]] = declare(
        (40.0, 50.0), "Depth x width of the image.", "mm", (1, 1000), group=SCANNER
    )

    def __post_init__(self) -> None:
        """Check every value, then whether the muscle has its place in the image."""
        super().__post_init__()
        if self.skin.high > self.fat.low:
            raise InputError(
                f"skin: found up to {self.skin.high:g} mm, wanted at most the {self.fat.low:g} mm "
                "that skin and fat have together; use less skin or more fat"
            )

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.size[0] / self.pixels[0], self.size[1] / self.pixels[1]

    @classmethod
    def of(cls, muscle: str, **own: Any) -> Self:
        """Return the parameters of a muscle, with values of one's own over its.

        Parameters
        ----------
        muscle : str
            A name in :data:`.muscles.MUSCLES`.
        **own
            Parameters by their names.

        Raises
        ------
        InputError
            As of the class, and if there is no such muscle.
        """
        if muscle not in MUSCLES:
            raise InputError(f"muscle: found {muscle!r}, wanted one of {', '.join(MUSCLES)}")
        return cls(**{**MUSCLES[muscle], **own})
