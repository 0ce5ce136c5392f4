"""What sets one hand apart from others: its subject, its side and its pose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...seeds import Stream, generator
from .parameters import HandParameters

SHARED = ("size", "breadth", "muscle", "fat", "skin", "cortex", "marrow", "veins", "fluid")
"""What a subject's hands have in common, but for their asymmetry."""

FINGERS = 5

MOST_MUSCLES = 40
"""For as many single muscles bulks are drawn."""

VEINS = 9
"""Longitudinal veins of the back of the hand."""

VEIN_NODES = 8


@dataclass(frozen=True)
class Body:
    """One hand's numbers, each as in :class:`.parameters.HandParameters`.

    Parameters
    ----------
    size, breadth, muscle, fat, skin, cortex, marrow, veins, fluid : float
    spread, thumb : float
        deg.
    flexion : float64 array of shape (finger, 3)
        Of the joints of each finger from the palm on, deg.
    bulk : float64 array of shape (:data:`MOST_MUSCLES`,)
        Of single muscles, over `muscle`.
    wander : float64 array of shape (vein, node, 2)
        Of veins across and along the hand, mm.
    """

    size: float
    breadth: float
    muscle: float
    fat: float
    skin: float
    cortex: float
    marrow: float
    veins: float
    fluid: float
    spread: float
    thumb: float
    flexion: NDArray[np.float64]
    bulk: NDArray[np.float64]
    wander: NDArray[np.float64]


def draw_body(parameters: HandParameters, seed: int, subject: int, side: int) -> Body:
    """Draw a hand.

    Parameters
    ----------
    parameters : HandParameters
    seed : int
    subject : int
        What the two hands of one have in common depends on (parameters, seed, subject) alone.
    side : {0, 1}
        Left or right.
    """
    common = generator(seed, subject, Stream.HAND)
    shared = {name: getattr(parameters, name).draw_one(common) for name in SHARED}
    asymmetry = parameters.asymmetry.draw_one(common)
    bulk = np.exp(0.06 * common.standard_normal(MOST_MUSCLES))
    own = generator(seed, 2 * subject + side, Stream.HAND_SIDE)
    for name in SHARED:
        # Of its own the size of a hand differs least: bones are nearly alike.
        share = asymmetry * (0.2 if name in {"size", "breadth"} else 1.0)
        shared[name] *= float(np.exp(share * own.standard_normal()))
    bulk = bulk * np.exp(asymmetry * own.standard_normal(MOST_MUSCLES))
    spread, thumb = parameters.spread.draw_one(own), parameters.thumb.draw_one(own)
    flexion = np.array(
        [[parameters.flexion.draw_one(own) for _ in range(3)] for _ in range(FINGERS)]
    )
    # Veins differ between hands, whatever else is alike.
    wander = own.standard_normal((VEINS, VEIN_NODES, 2))
    return Body(**shared, spread=spread, thumb=thumb, flexion=flexion, bulk=bulk, wander=wander)
