"""What has been published for the protocol of Ali et al. 2020, to stand beside our own figures.

Only what the text states; the points of its figures are not tabulated. Source: Ali et al. 2020,
doi:10.1109/ACCESS.2020.3023495, sections IV and V, which also gives the figures of the
decomposition of Rohlén et al. 2020 (the same simulation and scores).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A published line.

    Parameters
    ----------
    label : str
    measure : str
        A name of :meth:`.metrics.SequenceScore.to_row`.
    points : tuple of (float, float, float)
        Number of units, least and greatest value: two points are joined. The text gives some values
        as ranges or bounds only ("greater than 80 %").
    """

    label: str
    measure: str
    points: tuple[tuple[float, float, float], ...]


_NETWORKS = "networks (Ali 2020, trained with noise)"
_DECOMPOSITION = "decomposition (Rohlén 2020)"

PUBLISHED = (
    Published(_NETWORKS, "detection_recall", ((1, 0.9, 0.9), (25, 0.6, 0.6))),
    Published(_DECOMPOSITION, "detection_recall", ((25, 0.75, 0.75),)),
    Published(_NETWORKS, "mask_recall", ((1, 0.8, 1.0), (25, 0.8, 1.0))),
    Published(_NETWORKS, "mask_precision", ((1, 0.8, 1.0), (25, 0.8, 1.0))),
    Published(_DECOMPOSITION, "mask_recall", ((1, 0.5, 0.6), (25, 0.5, 0.6))),
    Published(_NETWORKS, "rate_of_agreement", ((1, 0.9, 1.0), (25, 0.9, 1.0))),
    Published(_DECOMPOSITION, "rate_of_agreement", ((25, 0.6, 0.6),)),
)
