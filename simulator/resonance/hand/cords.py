"""Tendons, ligaments, nerves and vessels, in the order in which they lie over one another."""

import numpy as np

from ..tissues import ARTERY, FASCIA, FLUID, LIGAMENT, NERVE, TENDON, VEIN
from .body import VEIN_NODES, Body
from .skeleton import Ray
from .solids import Chain, cord
from .surface import Surface

TUNNEL = ((-6.5, 10.0), (-3.0, 11.0), (0.5, 11.5), (4.5, 11.2), (7.5, 10.5))
"""Where the flexor tendons of the thumb and the fingers pass the carpal tunnel, x and y, mm."""


def flexors(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return the flexor tendons with their sheaths, from the forearm to the last bones."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    found: list[Chain] = []
    for finger, ray in enumerate(rays):
        thin = ray.width
        x, y = TUNNEL[finger]
        start = [np.array(at) * scale for at in ((x * 0.9, y - 0.5, -40), (x, y, -8), (x, y, 18))]
        if finger == 0:
            path = [*start, ray.at(0, 0.45, 5, 8.5), ray.at(0, 0.9, 1, 9.2),
                    ray.at(1, 0.35, 0, 7.2), ray.at(1, 0.9, 0, 7.4),
                    ray.at(2, 0.28, 0, 5.2)]  # fmt: skip
            half = [(1.7, 1.5)] * 3 + [(2.0, 1.6)] * 3 + [(2.4, 1.2), (2.6, 0.7)]
            found.append(_sheathed(path, half, thin, ray))
            continue
        deep = [*start, ray.at(0, 0.45, 0, 8.8), ray.at(0, 0.85, 0, 10.0), ray.at(1, 0.1, 0, 8.6),
                ray.at(1, 0.55, 0, 6.6), ray.at(1, 0.97, 0, 6.6), ray.at(2, 0.5, 0, 5.3),
                ray.at(2, 0.97, 0, 5.3), ray.at(3, 0.25, 0, 3.8)]  # fmt: skip
        half = [(1.6, 1.4)] * 3 + [(2.2, 1.5)] * 2 + [(2.7, 1.7)] * 2 + [(2.6, 1.5)] * 2 + [
            (2.3, 1.1), (2.4, 0.6)]  # fmt: skip
        found.append(_sheathed(deep, half, thin, ray))
        above = [np.array([x * 0.8, y + 3.4, z]) * scale for z in (-40, -8, 18)]
        shallow = [*above, ray.at(0, 0.45, 0.3, 11.8), ray.at(0, 0.85, 0.2, 13.0),
                   ray.at(1, 0.1, 0, 11.3), ray.at(1, 0.45, 0, 9.0)]  # fmt: skip
        half = [(1.6, 1.3)] * 3 + [(2.2, 1.2)] * 2 + [(2.6, 1.0), (2.8, 0.8)]
        found.append(_sheathed(shallow, half, thin, ray))
    sheaths = [one.grown(0.45, FASCIA) for one in found]
    # Fluid collects where sheaths are wide, before the joints.
    films = [
        cord([ray.at(0, 0.92, 0, 11.5), ray.at(1, 0.0, 0, 10.5), ray.at(1, 0.2, 0, 9.2)],
             np.array([(2.2, 2.4), (3.4, 2.8), (2.0, 1.6)]) * ray.width * body.fluid / 0.5, FLUID)
        for ray in rays[1:]
    ]  # fmt: skip
    return [*sheaths, *films, *found]


def _sheathed(path: list, half: list, thin: float, ray: Ray) -> Chain:
    lateral = tuple(ray.lateral[-1].tolist())
    return cord(np.array(path), np.array(half) * thin, TENDON, lateral=lateral)


def extensors(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return the tendons of the back of the hand, and those of the wrist."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    found = []
    for finger, ray in enumerate(rays[1:], start=1):
        x = (-5.0, -1.0, 3.0, 7.0)[finger - 1]
        thin = ray.width
        path = [np.array([x, -11.5, -40]) * scale, np.array([x, -12.2, -6]) * scale,
                np.array([x * 1.1, -11.5, 16]) * scale, ray.at(0, 0.25, 0, -7.2),
                ray.at(0, 0.7, 0, -7.2), ray.at(0, 1.0, 0, -8.6), ray.at(1, 0.4, 0, -5.4),
                ray.at(1, 0.98, 0, -5.2), ray.at(2, 0.5, 0, -4.2), ray.at(2, 0.98, 0, -4.0),
                ray.at(3, 0.18, 0, -3.4)]  # fmt: skip
        half = [(1.8, 1.1)] * 3 + [(2.3, 0.8)] * 2 + [
                (3.4, 0.8), (3.6, 0.6), (3.4, 0.6), (2.8, 0.5), (2.4, 0.5), (2.2, 0.4)]  # fmt: skip
        found.append(cord(np.array(path), np.array(half) * thin, TENDON))
    thumb = rays[0]
    ends = [thumb.at(0, 0.4, -1, -7), thumb.at(0, 1.0, 0, -8), thumb.at(1, 0.6, 0, -5.6),
            thumb.at(1, 1.0, 0, -5.2), thumb.at(2, 0.2, 0, -4.4)]  # fmt: skip
    start = [np.array(at) * scale for at in ((-6, -11, -30), (-11, -11.5, -4), (-18, -6, 14))]
    half = [(1.5, 1.2)] * 3 + [(1.8, 1.0)] * 5
    found.append(cord(np.array([*start, *ends]), np.array(half), TENDON, lateral=(0, 1, 0)))
    second, third, fifth = rays[1], rays[2], rays[4]
    wrist = [
        ([(-19, -8, -45), (-20, -7, -15), (-23.5, -1, 8), (-26, 4, 25)], (2.0, 1.6)),
        ([(-15, -8.5, -45), (-15, -10.5, -8), second.at(0, 0.08, -2, -7.5)], (2.0, 1.3)),
        ([(-11, -9.5, -45), (-10.5, -11.5, -8), third.at(0, 0.06, -3, -7.5)], (2.0, 1.4)),
        ([(18, -9, -24), (20.5, -7.5, -6), (20.5, -5, 12), fifth.at(0, 0.06, 3, -5)], (2.0, 1.6)),
        ([(17, 12, -14), (15.5, 11.5, 4), (14.5, 10.5, 11)], (2.0, 2.0)),
        ([(-12, 13.8, -34), (-14.5, 13, -5), (-17, 10.5, 15), (-13, 5, 31)], (2.2, 1.7)),
        ([(-3, 15.4, -44), (-3, 15.6, -10), (-2.5, 16.2, 14)], (1.8, 0.9)),
    ]
    for path, size in wrist:
        nodes = [np.array(at) * scale if isinstance(at, tuple) else np.array(at) for at in path]
        found.append(cord(np.array(nodes), np.array(size) * body.size, TENDON))
    return found


def ligaments(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return the roof of the carpal tunnel, the palm's aponeurosis and what holds finger joints."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    roof = np.array([(-20, 9.5, 20), (-10, 14.5, 19), (-1, 15.8, 19), (8, 15, 19), (13, 12, 19)])
    palm = np.array([(-2.5, 16.4, 20), (-1, 15.6, 45), (1, 14.4, 72), (2, 13.5, 86)])
    found = [
        cord(roof * scale, np.array((7.5, 0.8)) * body.size, LIGAMENT, lateral=(0, 0, 1)),
        cord(palm * scale, np.array([(3, 0.5), (9, 0.5), (17, 0.45), (22, 0.35)]) * body.size,
             FASCIA),
        # Fibrocartilage between ulna and wrist.
        cord(np.array([(4, -1.5, 0.5), (11, -2, 2.2), (19, -2.5, 3.5)]) * scale,
             np.array((4.5, 1.1)) * body.size, LIGAMENT, lateral=(0, 1, 0)),
    ]  # fmt: skip
    for finger, ray in enumerate(rays):
        thin = ray.width
        for bone in range(len(ray.joints) - 2):
            wide = (7.6, 5.6, 4.8)[bone] * thin
            deep = (7.4, 4.8, 3.9)[bone] * thin
            for side in (-1, 1):
                path = [ray.at(bone, 0.9, side * wide, -1), ray.at(bone + 1, 0.12, side * wide, 1)]
                found.append(cord(np.array(path), np.array((1.0, 2.4)) * thin, LIGAMENT))
            plate = [ray.at(bone, 0.93, 0, deep), ray.at(bone + 1, 0.1, 0, deep * 0.95)]
            found.append(cord(np.array(plate), np.array((4.2, 1.2)) * thin, LIGAMENT))
            if finger or bone:
                # What fluid there is beside the cartilage lies under the extensor's hood.
                pouch = [ray.at(bone, 0.93, 0, -deep * 0.86), ray.at(bone, 1.0, 0, -deep * 0.8)]
                film = np.array((2.6, 0.9)) * thin * body.fluid / 0.5
                found.append(cord(np.array(pouch), film, FLUID))
    return found


def nerves_and_arteries(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return what supplies the palm and both sides of each finger."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])

    def path(*points: tuple[float, float, float]) -> np.ndarray:
        return np.array(points) * scale

    size = body.size
    found = [
        cord(path((-1, 9.5, -130), (-1, 9.5, -60), (-4, 13, -20), (-4.5, 14.2, 8), (-5, 14, 28),
                  (-6, 12.5, 42)), np.array([(2.6, 1.8)] * 4 + [(2.6, 1.2), (1.6, 0.8)]) * size,
             NERVE),
        cord(path((14, 7, -130), (14, 8, -40), (11, 14, 2), (9, 14, 18), (12, 12, 36)),
             np.array([(1.8, 1.6)] * 4 + [(1, 0.8)]) * size, NERVE),
        cord(path((-17, 8, -130), (-18, 9.5, -50), (-19, 11, -12), (-24, 2, 6), (-20, -6, 22),
                  (-14, 0, 38), (-4, 6, 42), (8, 6, 40)), np.array((1.25, 1.25)) * size, ARTERY),
        cord(path((12, 9, -130), (12.5, 10, -40), (13, 13.5, 0), (10, 14.5, 22), (9, 13, 46),
                  (2, 13, 60), (-8, 13, 62), (-17, 14, 52)), np.array((1.2, 1.2)) * size, ARTERY),
    ]  # fmt: skip
    for finger, ray in enumerate(rays):
        thin = ray.width
        for side in (-1, 1):
            shares = [(0, 0.75, 8.5, 9), (1, 0.1, 8.2, 6), (1, 0.55, 6.8, 5.2), (1, 1.0, 6.9, 4.4)]
            last = len(ray.joints) - 2
            if last == 3:
                shares += [(2, 0.5, 5.8, 4), (2, 1.0, 5.9, 3.2)]
            shares += [(last, 0.5, 4.6, 2.6)]
            if finger == 0:
                shares[0] = (0, 0.9, 7.5, 7.5)
            for label, aside, above, half in ((ARTERY, 0.0, 0.0, 0.62), (NERVE, -1.2, 0.9, 0.7)):
                nodes = [ray.at(bone, share, side * (across + aside) * thin, (high + above) * thin)
                         for bone, share, across, high in shares]  # fmt: skip
                found.append(cord(np.array(nodes), np.full(2, half * thin), label, pieces=4))
    return found


def veins(body: Body, rays: list[Ray], surface: Surface) -> list[Chain]:
    """Return the veins under the skin: of forearm and back of the hand, joined by arches."""
    size, found = body.size * body.veins, []
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    shares = np.linspace(0, 1, VEIN_NODES)
    ends = [(-28, -24), (-20, -26), (-12, -14), (-4, -12), (2, -2), (10, 8), (18, 20), (24, 24),
            (27, 30)]  # fmt: skip
    for number, (first, last) in enumerate(ends):
        wander = body.wander[number]
        palm = number in {1, 6}
        z = np.linspace(-130, 8 if palm else 82, VEIN_NODES) + 3 * wander[:, 1]
        x = first + (last - first) * shares + 2.2 * wander[:, 0]
        nodes = np.column_stack([x, np.zeros(VEIN_NODES), z]) * scale
        nodes = surface.below(nodes, body.skin + 1.7 * size, 1 if palm else -1)
        thick = np.linspace(1.5, 0.95, VEIN_NODES)[:, None] * size * [1.15, 0.85]
        found.append(cord(nodes, thick, VEIN, pieces=4))
    for number, z in enumerate((66.0, 44.0)):
        x = np.linspace(-22, 26, VEIN_NODES)
        wander = body.wander[7 + number]
        nodes = np.column_stack([x, np.zeros(VEIN_NODES), z + 4 * wander[:, 1]]) * scale
        nodes = surface.below(nodes, body.skin + 1.6 * size, -1)
        found.append(cord(nodes, np.array((0.9, 0.8)) * size, VEIN, pieces=4))
    for finger, ray in enumerate(rays[1:], start=1):
        for side in (-1, 1):
            shift = 0.4 * float(body.wander[finger, 0, 0])
            nodes = np.array([
                ray.at(bone, share, side * across + shift, -4)
                for bone, share, across in ((0, 0.8, 5), (1, 0.3, 4.6), (1, 0.9, 4.8), (2, 0.6, 4))
            ])  # fmt: skip
            nodes = surface.below(nodes, body.skin + 0.9 * size, -1)
            found.append(cord(nodes, np.array((0.75, 0.65)) * size, VEIN, pieces=4))
    return found
