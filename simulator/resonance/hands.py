"""A scanned hand: from parameters, a seed, a subject and a side to two volumes with truth."""

from ..seeds import Stream, noise_key
from .contrast import with_marrow
from .exposure import Exposure, Placed, expose
from .hand.anatomy import build
from .hand.body import draw_body
from .parameters import Phantom
from .tissues import HAND_TISSUES, MARROW, RED_MARROW


def scan_hand(phantom: Phantom, seed: int, subject: int, side: int) -> Exposure:
    """Return one hand as both sequences show it.

    Parameters
    ----------
    phantom : Phantom
    seed : int
        A hand depends on (phantom, seed, subject, side) alone.
    subject : int
    side : {0, 1}
        Left or right.

    Returns
    -------
    Exposure
        Axes of its volumes are RAS+: x to the patient's right, y to the front, z upwards. The arm
        lies above the head, the palm to the front, so that fingers point upwards.
    """
    body = draw_body(phantom.hand, seed, subject, side)
    anatomy = build(body, side)
    key = int(noise_key(seed, 2 * subject + side, Stream.HAND_SIDE)[0])

    def labels(origin, step, shape, motion: Placed):  # type: ignore[no-untyped-def]
        return anatomy.moved(*motion).tissue(origin, step, shape, key)

    tissues = with_marrow(HAND_TISSUES, (MARROW, RED_MARROW), body.marrow)
    return expose(labels, tissues, phantom.scan, phantom.scan.shape, seed, 2 * subject + side)
