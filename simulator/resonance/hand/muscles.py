"""Muscles of the hand and of the forearm's end, as spindles between their ends."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..tissues import MUSCLE
from .body import Body
from .skeleton import Ray
from .solids import Chain, spindle

FOREARM = {
    # Of the palm's side: superficial, then deep.
    "flexor carpi radialis": ((-16, 12), (-12, 14), (7.5, 6.5), -24),
    "palmaris longus": ((-6, 15), (-3, 15.5), (6.0, 5.0), -40),
    "flexor digitorum superficialis": ((4, 12.5), (1, 12), (9.5, 6.5), -9),
    "flexor carpi ulnaris": ((21, 9), (18, 11), (8.5, 8.5), -6),
    "flexor pollicis longus": ((-9, 6), (-8, 9.5), (7.0, 6.0), -8),
    "flexor digitorum profundus": ((7, 3.5), (4, 8.5), (9.0, 7.0), -8),
    # Of the back.
    "brachioradialis": ((-24, 3), (-22, 3), (5.5, 7.5), -55),
    "extensor carpi radialis": ((-22, -7), (-18, -8), (7.5, 7.5), -34),
    "extensor digitorum": ((-5, -12.5), (0, -11), (9.5, 6.0), -14),
    "abductor pollicis longus": ((-10, -7), (-19, -7), (7.0, 4.5), -12),
    "extensor pollicis longus": ((0, -5), (-4, -9.5), (6.0, 4.5), -14),
    "extensor indicis": ((6, -8), (3, -9.5), (5.5, 4.5), -8),
    "extensor carpi ulnaris": ((20, -9), (19, -8.5), (8.0, 7.0), -12),
}
"""Centre where the volume begins, centre of its tendon's beginning, half-axes, and z of the latter,
mm."""


def _forearm(body: Body) -> list[Chain]:
    """Return the bellies that end in the tendons of hand and wrist."""
    found = []
    for number, (start, end, half, last) in enumerate(FOREARM.values()):
        shares = np.array([0.0, 0.35, 0.65, 0.85, 1.0])
        z = -130 + shares * (last + 130)
        lines = np.outer(1 - shares, start) + np.outer(shares, end)
        nodes = np.column_stack([lines * [body.size * body.breadth, body.size], z * body.size])
        thick = np.outer([1.2, 1.2, 1.12, 0.88, 0.28], half) * body.size
        found.append(_muscle(nodes, thick, body, number))
    return found


def _muscle(nodes: ArrayLike, half: ArrayLike, body: Body, number: int) -> Chain:
    return spindle(nodes, half, MUSCLE, body.muscle * float(body.bulk[number]))


def muscles_of(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return all muscles; each a chain of its own, so that fasciae lie between them."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])

    def at(*points: tuple[float, float, float]) -> list[list[float]]:
        return (np.array(points) * scale).tolist()

    thumb, second, third, fourth, fifth = rays
    found = _forearm(body)

    def add(nodes: Sequence, half: Sequence) -> None:
        sizes = np.array(half, np.float64) * body.size
        found.append(_muscle(nodes, sizes, body, len(found)))

    # Ball of the thumb.
    end = thumb.at(0, 0.95, -4, 8)
    add([*at((-13, 14, 14), (-22, 18, 28)), thumb.at(0, 0.55, -3, 11), end],
        [(3.5, 3), (7, 5), (7, 5.5), (2.5, 2.5)])  # fmt: skip
    add([*at((-15, 10, 17)), thumb.at(0, 0.3, 5, 5), thumb.at(0, 0.6, 2, 6),
         thumb.at(0, 0.85, 0, 6)], [(4, 3.5), (7, 5.5), (7, 5.5), (3, 3)])  # fmt: skip
    add([*at((-9, 13, 20), (-17, 16, 36)), thumb.at(0, 0.6, 8, 8), thumb.at(0, 1.0, 5, 6)],
        [(3.5, 3), (7, 5.5), (6.5, 5.5), (2.5, 2.5)])  # fmt: skip
    # Adductor of the thumb: two heads from the third ray.
    add([*at((-3, 6, 38)), second.at(0, 0.3, 0, 9), thumb.at(0, 0.65, 9, 4),
         thumb.at(0, 1.0, 5, 2)], [(4, 3.5), (7, 5), (6.5, 5), (2.5, 2.5)])  # fmt: skip
    add([third.at(0, 0.62, 0, 7), second.at(0, 0.55, 0, 9), thumb.at(0, 0.85, 9, 3),
         thumb.at(0, 1.0, 5, 1)], [(9, 3.0), (9, 4.0), (7, 4.5), (2.5, 2.5)])  # fmt: skip
    # Dorsal interossei: the first from thumb and second, the others between two metacarpals.
    add([second.at(0, 0.15, -6.5, 1), second.at(0, 0.45, -9, 1), second.at(0, 0.75, -8, 1),
         second.at(0, 1.02, -7.5, 0)], [(4, 5), (7, 6.5), (5.5, 5.5), (2, 2.5)])  # fmt: skip
    for one, other in ((second, third), (third, fourth), (fourth, fifth)):
        nodes = [
            ((np.array(one.at(0, share)) + other.at(0, share)) / 2 - [0, 0.6, 0]).tolist()
            for share in (0.16, 0.4, 0.7, 1.0)
        ]
        add(nodes, [(2.8, 4.2), (5.2, 5.2), (5.4, 5), (2, 2.6)])
    # Palmar interossei lie nearer to the palm, beside the second, fourth and fifth.
    for ray, aside in ((second, 4.5), (fourth, -4.5), (fifth, -4.5)):
        add([ray.at(0, 0.2, aside, 5.5), ray.at(0, 0.5, aside, 6.2),
             ray.at(0, 0.95, aside * 1.2, 5)], [(2.2, 2.2), (4, 3.4), (1.6, 1.6)])  # fmt: skip
    # Ball of the little finger.
    add(at((15, 8, 15), (23, 8, 32), (28, 6, 52), (32.5, 3, 76)),
        [(4, 4), (6.5, 7), (6, 6.5), (2, 3)])  # fmt: skip
    add(at((13, 11, 26), (19, 11, 42), (26, 8, 60), (31, 6, 76)),
        [(3, 3), (5, 4.5), (4.5, 4), (2, 2)])  # fmt: skip
    add([*at((13, 8, 25)), fifth.at(0, 0.35, 0, 7), fifth.at(0, 0.7, 1, 6)],
        [(3.5, 3), (5.5, 4), (3, 3)])  # fmt: skip
    # Lumbricals, on the thumb's side of each flexor tendon.
    for ray in rays[1:]:
        add([ray.at(0, 0.3, -4, 10.5), ray.at(0, 0.62, -5, 10.5), ray.at(0, 1.0, -7, 6)],
            [(1.6, 1.6), (2.6, 2.2), (1.2, 1.2)])  # fmt: skip
    # Pronator quadratus, across radius and ulna.
    add(at((1, 6.0, -56), (1, 6.3, -44), (1, 6.5, -28), (1, 6.5, -16)),
        [(12, 2), (15, 3.4), (15, 3.4), (11, 1.8)])  # fmt: skip
    return found
