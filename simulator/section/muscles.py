"""The muscles that images are made of, as values of parameters."""

from typing import Any

from ..ranges import Range

PRESET = "katakis-2023"
"""The paper's images, of one of the muscles."""

DEFAULT_MUSCLE = "gastrocnemius-medialis"

MUSCLES: dict[str, dict[str, Any]] = {
    "gastrocnemius-medialis": {},
    "tibialis-anterior": {
        "compartments": 2,
        "thickness": Range(22, 30),
        "pennation": Range(8, 16),
        "fat": Range(2.5, 5),
        "taper": Range(0, 4),
        "gaps": Range(0.3, 0.6),
    },
    "rectus-femoris": {
        "thickness": Range(16, 28),
        "pennation": Range(8, 18),
        "fat": Range(5, 16),
        "taper": Range(0, 3),
        "bone": Range(12, 24),
        "size": (60.0, 50.0),
    },
    "biceps-brachii": {
        "thickness": Range(16, 26),
        "pennation": Range(1, 5),
        "fascicle_bow": Range(-0.01, 0.01),
        "fat": Range(2.5, 7),
        "taper": Range(0, 4),
        "bow": Range(-0.3, 1),
        "bone": Range(8, 16),
    },
}
"""Values that differ from the defaults. Depths of images: Katakis et al. 2023. Pennation and length
of fascicles of cadavers (Ward et al. 2009, doi:10.1007/s11999-008-0594-8; mean and SD): tibialis
anterior 9.6 (3.1) deg and 68 mm, rectus femoris 13.9 (3.5) deg and 76 mm. Lengths follow from
thickness and pennation, and are 70 and 94 mm in the mean here. Fascicles of the biceps are longer
than an image (Nelson et al. 2016, doi:10.1016/j.jbiomech.2016.03.040): their angle is an
assumption, and so is whatever is not named."""
