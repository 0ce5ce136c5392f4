"""The hand's outer form: chains that melt into a palm and into each finger."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .body import Body
from .skeleton import Ray
from .solids import Chain, Packed, cord, pack

PALM_BLEND = 12.0
"""Width over which parts of the palm and forearm melt together, mm."""

FINGER_BLEND = 6.0
"""The same of fingers and the palm: the webs between them."""


def palm_of(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return what makes forearm, wrist, palm and the balls of thumb and little finger."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    more = 1.6 * (body.fat - 1)
    bulk = (body.muscle - 1) * 8

    def part(nodes: ArrayLike, half: ArrayLike, grown: float = 0.0) -> Chain:
        widths = np.asarray(half, np.float64) * body.size + more + grown
        return cord(np.asarray(nodes, np.float64) * scale, widths, 0, pieces=3)

    forearm = part(
        [(1, 2, -140), (1, 2, -90), (0.5, 1.5, -55), (0.5, 1, -25), (0, 1.5, 0), (-1, 2.5, 20)],
        [(32, 19.5), (30.5, 19.3), (28.5, 18.3), (27.0, 16.5), (26.0, 15.0), (24.0, 12.5)],
        bulk * 0.4,
    )
    found = [forearm]
    for finger, ray in enumerate(rays[1:], start=1):
        nodes = [ray.at(0, share, above=above) for share, above in
                 ((0.0, 1.5), (0.35, 1.4), (0.7, 1.0), (1.0, 0.4))]  # fmt: skip
        wide = (10.5, 9.5, 10.2, 10.6) if finger < 4 else (9.5, 9.0, 9.6, 9.6)
        half = np.stack([wide, (11.4, 10.6, 10.4, 10.0)], axis=1) * body.size + more
        found.append(cord(nodes, half, 0, pieces=3))
    ball = [(-12, 10, 8), (-20, 12, 22), (-29, 15, 38), rays[0].at(0, 0.85, 0, 3)]
    ball[:3] = [tuple(np.array(each) * scale) for each in ball[:3]]
    found.append(
        cord(ball, np.array([(8, 6), (10, 8), (11.5, 9), (9.5, 9)]) * body.size + more + bulk, 0)
    )
    found.append(part([(14, 8, 8), (20, 8, 26), (25, 7, 46), (29, 6, 66)],
                      [(7, 6), (8.5, 7.5), (9, 7.5), (7, 6)], bulk * 0.7))  # fmt: skip
    web = [rays[1].at(0, 0.45, -2, 4), rays[0].at(0, 0.72, 2, 0)]
    found.append(cord(web, np.full((2, 2), 6.5) * body.size + more, 0, lateral=(0, 0, 1)))
    return found


def fingers_of(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return what makes each finger from its metacarpal's head on."""
    more = 1.0 * (body.fat - 1)
    found = []
    for finger, ray in enumerate(rays):
        thin = ray.width
        if finger == 0:
            places = [(0, -0.1, 1.0), (0, 0.1, 0.5), (0, 0.5, 0.5), (0, 0.95, 0.5),
                      (1, 0.5, 0.8), (1, 0.95, 0.5), (2, 0.35, 1.2), (2, 0.75, 1.4),
                      (2, 1.0, 0.8)]  # fmt: skip
            half = [(10.8, 11.2), (11.4, 11.6), (9.4, 9.8), (10.4, 10.4), (9.2, 9.2),
                    (10.0, 8.8), (9.8, 8.3), (9.0, 7.2), (7.0, 5.4)]  # fmt: skip
        else:
            places = [(0, 0.92, 1.0), (1, 0.12, 1.0), (1, 0.5, 1.4), (1, 0.98, 0.3), (2, 0.5, 1.0),
                      (2, 0.98, 0.3), (3, 0.35, 0.9), (3, 0.75, 1.0), (3, 0.98, 0.6)]  # fmt: skip
            half = [(9.6, 9.6), (9.8, 9.4), (9.0, 8.9), (9.2, 8.5), (8.3, 7.8), (8.0, 7.0),
                    (7.8, 6.5), (7.2, 5.8), (5.6, 4.4)]  # fmt: skip
        nodes = [ray.at(bone, share, above=above * thin) for bone, share, above in places]
        lateral = tuple(ray.lateral[-1].tolist())
        widths = np.array(half) * thin + more
        found.append(cord(nodes, widths, 0, pieces=3, lateral=lateral))
    return found


class Surface:
    """The outer form, to ask where its points lie.

    Parameters
    ----------
    body : Body
    rays : list of Ray
    """

    def __init__(self, body: Body, rays: list[Ray]) -> None:
        self.palm: Packed = pack(palm_of(body, rays))
        self.fingers: Packed = pack(fingers_of(body, rays))

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far outside points lie, mm, float64 (point,) of (point, 3)."""
        from .surface_kernels import distances

        return distances(
            np.ascontiguousarray(points), self.palm.segments, self.palm.starts,
            self.fingers.segments, self.fingers.starts, PALM_BLEND, FINGER_BLEND,
        )  # fmt: skip

    def below(self, places: NDArray[np.float64], depth: float, side: int) -> NDArray[np.float64]:
        """Return the points a depth below the skin of the back (-1) or the palm (1), mm.

        Parameters
        ----------
        places : float64 array of shape (point, 3)
            Inside the hand; of each, y is changed.
        depth : float
        side : {-1, 1}
        """
        inside, outside = places.copy(), places.copy()
        outside[:, 1] = side * 60.0
        for _ in range(24):
            middle = (inside + outside) / 2
            deep = self.distance(middle) < -depth
            inside[deep] = middle[deep]
            outside[~deep] = middle[~deep]
        return inside
