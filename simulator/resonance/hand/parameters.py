"""A subject's hands: everything that their form depends on besides the seed."""

from dataclasses import dataclass
from typing import ClassVar

from ...annotations import Given
from ...declarations import Declared, declare
from ...ranges import Range

BODY, POSE = "Body", "Pose"


@dataclass(frozen=True, kw_only=True)
class HandParameters(Declared):
    """A subject's hands.

    Ranges are uniform distributions, of one value a subject, but for those of the pose, of one
    value a hand. Lengths of bones are those of Buryanov and Kotiuk 2010 (Int. J. Morphol. 28, 755)
    times `size`; whatever else is said of the hand's form was drawn by hand, after atlases.

    Parameters
    ----------
    size : Range
        Over the mean hand.
    breadth : Range
        Over that of a hand of this size.
    muscle : Range
        Thickness of muscles over the mean.
    fat : Range
        Thickness of subcutaneous fat over the mean.
    skin : Range
        Thickness of skin, mm.
    cortex : Range
        Thickness of cortical bone over the mean.
    marrow : Range
        Density of marrow's protons over the mean: less where trabeculae are dense.
    veins : Range
        Size of veins over the mean.
    fluid : Range
        Width of the film of synovial fluid in joints, mm.
    asymmetry : Range
        SD of the difference between a subject's hands in each of these, as a share: muscle mass and
        bone density differ between sides (Grant-Jacob et al. 2021).
    spread : Range
        Of fingers, deg between neighbours, beyond that of a relaxed hand.
    flexion : Range
        Of the joints of fingers, deg.
    thumb : Range
        Abduction of the thumb beyond that of a relaxed hand, deg.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds.
    """

    noun: ClassVar[str] = "parameter"

    size: Given[Range] = declare(Range(0.93, 1.0), "Of the hand.", "", (0.3, 1.2), group=BODY)
    breadth: Given[Range] = declare(
        Range(0.95, 1.02), "Breadth over size.", "", (0.5, 1.5), group=BODY
    )
    muscle: Given[Range] = declare(
        Range(0.85, 1.12), "Thickness of muscles.", "", (0.2, 2), group=BODY
    )
    fat: Given[Range] = declare(
        Range(0.7, 1.4), "Thickness of subcutaneous fat.", "", (0.1, 4), group=BODY
    )
    skin: Given[Range] = declare(Range(1.1, 1.6), "Thickness of skin.", "mm", (0.1, 5), group=BODY)
    cortex: Given[Range] = declare(
        Range(0.85, 1.2), "Thickness of cortical bone.", "", (0.1, 3), group=BODY
    )
    marrow: Given[Range] = declare(
        Range(0.9, 1.1), "Density of marrow's protons.", "", (0.1, 2), group=BODY
    )
    veins: Given[Range] = declare(Range(0.8, 1.3), "Size of veins.", "", (0.1, 3), group=BODY)
    fluid: Given[Range] = declare(
        Range(0.3, 0.7), "Film of fluid in joints.", "mm", (0, 3), group=BODY
    )
    asymmetry: Given[Range] = declare(
        Range(0.02, 0.05), "SD between a subject's hands.", "", (0, 0.2), group=BODY
    )
    spread: Given[Range] = declare(Range(0, 2.5), "Of fingers.", "deg", (-3, 12), group=POSE)
    flexion: Given[Range] = declare(Range(1, 5), "Of finger joints.", "deg", (-5, 15), group=POSE)
    thumb: Given[Range] = declare(
        Range(-4, 3), "Abduction of the thumb.", "deg", (-10, 20), group=POSE
    )
