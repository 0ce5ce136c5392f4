"""The section moves as its modes say: where, how far, at which area, and with which fascicles."""

import math

import numpy as np
import pytest

from musim.simulator.calf.motion import (
    FADING,
    MODES,
    active_motion,
    displacement,
    fascicle,
    fields,
    joined,
    passive_motion,
    place,
)

BENT = {"tilt": 3, "taper": 5, "bow": 1.2}


def courses_of(**given):
    return np.array([[given.get(name, 0.0)] for name in MODES])


def at(participant, share, along, **given):
    """Return displacement of one place towards the probe, and towards the foot."""
    axial, lateral = displacement(participant, share, along, courses_of(**given))[:, 0]
    return axial, lateral * participant.distal


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_a_level_muscle_moves_as_modes_say(participant_of, index):
    participant = participant_of(index, pivot=0.4)
    for share, along in ((0.0, -10.0), (0.25, 5.0), (1.0, 20.0)):
        assert at(participant, share, along, sliding=2) == pytest.approx((0, 2))
        assert at(participant, share, along, stretch=0.1) == pytest.approx((0, 0.1 * along))
        assert at(participant, share, along, shear=3) == pytest.approx((0, -3 * (share - 0.4)))
        assert at(participant, share, along, bulging=0.1) == pytest.approx((-1.8 * share, 0))
        assert at(participant, share, along, probe_shift=0.5) == pytest.approx((0, -0.5))


def test_a_tilted_muscle_slides_along_itself(participant_of):
    participant = participant_of(section={"tilt": 10})
    axial, lateral = displacement(participant, 0.5, 3.0, courses_of(sliding=1))[:, 0]
    assert math.hypot(axial, lateral) == pytest.approx(1)
    assert -axial / lateral == pytest.approx(participant.anatomy.deep.slope)


def test_places_lie_between_the_aponeuroses(participant_of):
    participant = participant_of(section=BENT)
    anatomy = participant.anatomy
    depth, width = place(participant, np.array([0, 0.5, 1]), np.array([-20, 0, 15.0]))
    assert depth[0] == anatomy.superficial.at(width[0])
    assert depth[2] == pytest.approx(anatomy.deep.at(width[2]))
    assert width[1] == anatomy.superficial.middle
    assert np.sign(width[2] - width[1]) == participant.distal


@pytest.mark.parametrize("bent", [{}, BENT])
def test_area_grows_by_stretch_and_bulging_everywhere(participant_of, bent):
    participant = participant_of(3, section=bent)
    given = {"sliding": 3, "stretch": 0.08, "shear": 6, "bulging": -0.05, "probe_shift": 1}
    depth, width = place(participant, *np.meshgrid([0.2, 0.5, 0.8], [-20, 0, 20.0]))

    def moved(depth, width):
        found = np.tensordot(fields(participant, depth, width), courses_of(**given), (0, 0))
        return np.stack([depth - found[0, ..., 0], width + found[1, ..., 0]])

    tiny = 1e-4
    by_depth = (moved(depth + tiny, width) - moved(depth - tiny, width)) / (2 * tiny)
    by_width = (moved(depth, width + tiny) - moved(depth, width - tiny)) / (2 * tiny)
    area = by_depth[0] * by_width[1] - by_depth[1] * by_width[0]
    np.testing.assert_allclose(area, 1.08 * 0.95, rtol=1e-6)


def test_motion_is_continuous_from_skin_to_bone(participant_of):
    participant = participant_of(1, section=BENT)
    width = np.linspace(0, 50, 11)
    anatomy = participant.anatomy
    for curve in (anatomy.superficial, anatomy.deep):
        above, below = (fields(participant, curve.at(width) + off, width) for off in (-1e-9, 1e-9))
        np.testing.assert_allclose(above, below, atol=1e-6)
    skin = fields(participant, np.zeros(11), width)
    assert not skin[:-1].any()
    np.testing.assert_array_equal(skin[-1, 1], -participant.distal)
    deep = fields(participant, anatomy.deep.at(width), width)
    faded = fields(participant, anatomy.deep.at(width) + FADING, width)
    np.testing.assert_allclose(faded[:-1], deep[:-1] / math.e)
    np.testing.assert_array_equal(faded[-1], deep[-1])


def test_fascicles_are_as_long_as_their_moved_ends_are_apart(participant_of):
    participant = participant_of(2)
    run = participant.thickness / math.tan(participant.pennation)
    given = {"sliding": 3, "stretch": 0.05, "shear": 4, "bulging": 0.1, "probe_shift": 1}
    top, foot = (at(participant, share, along, **given) for share, along in ((0, -run), (1, 0)))
    down = participant.thickness + float(top[0] - foot[0])
    along = run + float(foot[1] - top[1])
    length, pennation = fascicle(participant, courses_of(**given))
    assert length == pytest.approx(math.hypot(down, along))
    assert pennation == pytest.approx(math.degrees(math.atan2(down, along)))


def test_contraction_shortens_fascicles_by_what_is_asked(participant_of):
    participant = participant_of(
        shortening=12, tendon_toe=0.25, bulging=0.2, incompressibility=1, maximal_torque=100
    )
    torque = np.array([0, 25.0, 100, 120])
    active = active_motion(participant, torque)
    courses = joined(active, passive_motion(participant, np.zeros(4)), np.zeros(4))
    length, pennation = fascicle(participant, courses)
    mm = 12 * (1 - np.exp(-np.minimum(torque, 100) / 25)) / (1 - math.exp(-4))
    asked = mm / participant.fascicle_length
    np.testing.assert_allclose(length / participant.fascicle_length, 1 - asked)
    np.testing.assert_allclose(active["bulging"], 0.2 * asked)
    np.testing.assert_allclose((1 + active["stretch"]) * (1 + active["bulging"]), 1)
    sine = participant.thickness * (1 + active["bulging"]) / length
    np.testing.assert_allclose(np.sin(np.radians(pennation)), sine)
    assert (np.diff(active["shear"][:3]) > 0).all()  # the deep aponeurosis goes to the knee
    assert not courses[list(MODES).index("sliding")].any()


def test_rotation_lengthens_fascicles_by_their_share_of_the_arc(participant_of):
    participant = participant_of(
        fascicle_share=0.4, moment_arm=50, passive_shear=0.25, sliding=0.3, slack=-15
    )
    angle = np.array([-20.0, -15, 0, 3])
    passive = passive_motion(participant, angle)
    np.testing.assert_allclose(passive["sliding"], 0.3 * angle)
    for name in ("stretch", "shear", "bulging"):  # nothing is stretched that is slack
        assert passive[name][0] == passive[name][1]
        assert passive[name][2] == 0
    nothing = active_motion(participant, np.zeros(4))
    length, _ = fascicle(participant, joined(nothing, passive, np.zeros(4)))
    longer = length[3] - participant.fascicle_length
    assert longer == pytest.approx(0.4 * 50 * math.radians(3), rel=0.1)  # to the first order
    run = 0.4 * 50 * math.radians(3) / math.cos(participant.pennation)
    assert passive["shear"][3] == pytest.approx(-0.25 * run)
    rest = participant.fascicle_length * math.cos(participant.pennation)
    assert passive["stretch"][3] == pytest.approx(0.75 * run / rest)


@pytest.mark.parametrize("incompressibility", [0, 0.6, 1])
def test_area_is_kept_to_the_share_that_is_asked(participant_of, incompressibility):
    participant = participant_of(incompressibility=incompressibility, passive_shear=0)
    active = active_motion(participant, np.array([40.0]))
    passive = passive_motion(participant, np.array([3.0]))
    stretch, bulging = (
        joined(active, passive, np.zeros(1))[list(MODES).index(name)]
        for name in ("stretch", "bulging")
    )
    alone = (1 + active["bulging"]) * (1 + passive["stretch"])
    np.testing.assert_allclose((1 + stretch) * (1 + bulging), alone ** (1 - incompressibility))
