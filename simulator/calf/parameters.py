"""Who takes part in trials: parameters, and participants drawn by them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..annotations import Given
from ..declarations import Declared, declarations, declare
from ..errors import InputError
from ..ranges import Range
from ..section.anatomy import Anatomy, draw_anatomy
from ..section.curves import between
from ..section.parameters import SectionParameters
from ..seeds import Stream, generator

DRIVE, JOINT, MOTION, MEASUREMENT = "Drive", "Joint", "Motion", "Measurement"


@dataclass(frozen=True, kw_only=True)
class CalfParameters(Declared):
    """Parameters of participants and of what measures them.

    Ranges are uniform distributions, of one value a participant. Torque is of plantarflexion,
    angles are positive in dorsiflexion, 0 is a flat foot. Where no source is named, a value is an
    assumption within physiological bounds.

    How much participants differ in what ties EMG and torque to motion (``emg_gain``,
    ``tendon_toe``, ``shortening``) is bounded by what networks told of one whom they had never seen
    (Cunningham et al. 2017: R2 of 0.54, 0.51 and 0.71 for changes of EMG, torque and angle in the
    combined task). Who is told all motion of the section, without error, and learns from the others
    reaches 0.63, 0.84 and 0.97 here (median of 19 participants; a network of two hidden layers).

    Parameters
    ----------
    effort : Range
        Drive at the top of the signal to be followed, over that of a maximal contraction.
    tracking_delay : Range
        From what is seen to what is done, s.
    tracking_bandwidth : Range
        Frequency above which signals are followed less and less, Hz.
    tracking_noise : Range
        SD of the drive over the drive. Noise of motor commands grows with them (Jones, Hamilton and
        Wolpert 2002, doi:10.1152/jn.2002.88.3.1533).
    rise, fall : Range
        Time constants of activation where drive is above and below it, s: 0.015 and 0.05 of young
        adults (Thelen 2003, doi:10.1115/1.1531112).
    electromechanical_delay : Range
        From activation to force, s: 0.0116 (SD 0.0015) in the gastrocnemius medialis after
        electrical stimuli (Nordez et al. 2009, doi:10.1152/japplphysiol.00221.2009). That of
        voluntary contractions, some 0.05 s (Begovic et al. 2014, doi:10.3389/fphys.2014.00494),
        has the rise of activation in it.
    maximal_torque : Range
        Of a contraction at 0 deg, N m.
    force_length : Range
        Growth of active torque with the angle, 1/deg: the calf is on the ascending limb or the
        plateau (Holzer et al. 2020, doi:10.1038/s41598-020-76625-x).
    moment_arm : Range
        Of the Achilles tendon, mm.
    passive_stiffness : Range
        Of the relaxed ankle at 0 deg over long rotations, N m/deg: 13 to 19 % of what carries a
        standing body (Loram, Maganaris and Lakie 2007, doi:10.1113/jphysiol.2007.140046), some 12.
    passive_growth : Range
        Rotation in which that stiffness grows e-fold, deg.
    slack : Range
        Angle below which the relaxed muscle is slack, deg.
    short_range_stiffness : Range
        What the first part of a rotation adds to the stiffness, N m/deg: 67 % of what carries a
        body, less the 13 % of long rotations (Loram et al. 2007, as above).
    short_range : Range
        Rotation in which it falls e-fold, deg: it is high below 0.2 deg (ibid.).
    thixotropy : Range
        Share of the short-range stiffness that motion takes away and rest gives back (Lakie and
        Campbell 2019, doi:10.1152/japplphysiol.00788.2018).
    recovery : Range
        Time constant of what rest gives back, s.
    shortening : Range
        Of fascicles at maximal torque, mm: what their tendon gives way. Of the gastrocnemius
        medialis they shorten and steepen, in contraction and in plantarflexion (Maganaris,
        Baltzopoulos and Sargeant 1998, doi:10.1111/j.1469-7793.1998.603be.x).
    tendon_toe : Range
        Torque at which two thirds of that are reached, over the maximal one: most change in images
        is at small contractions (Hodges et al. 2003, doi:10.1002/mus.10375).
    bulging : Range
        Growth of thickness over shortening of fascicles by contraction, each as a share. It is
        little: that muscle was as thick in maximal contraction as at rest (Maganaris
        et al. 1998).
    incompressibility : Range
        Share of the change of the section's area that is taken out: 1 is muscle that keeps its
        volume in the image plane, 0 muscle that keeps it by getting thinner across that.
    pivot : Range
        Depth that stays where it is while the parts above and below shear, 0 superficial, 1 deep.
        Both move, in opposite directions (Cunningham et al. 2017, doi:10.1101/157479).
    fascicle_share : Range
        Share of the lengthening of muscle and tendon by rotation that fascicles take: half, at 7
        deg (Loram, Maganaris and Lakie 2007, doi:10.1113/jphysiol.2007.140053).
    passive_shear : Range
        Share of this that is shear, not stretch: passive motion is nearly a translation (Cunningham
        et al. 2017).
    sliding : Range
        Of the muscle along the probe, mm/deg.
    probe_drift : Range
        SD of the probe's slow motion along the skin, mm.
    out_of_plane : Range
        Motion across the image plane over that along the muscle.
    out_of_plane_drift : Range
        SD of slow motion across the image plane, mm.
    emg_gain : Range
        Of rectified EMG at maximal drive, V. The largest range recorded is 0.0481 V (Cunningham et
        al. 2017).
    emg_noise : Range
        SD of the EMG of a relaxed muscle, V.
    torque_noise : Range
        SD, N m.
    angle_noise : Range
        SD, deg. Isometric angles are told to 0.022 deg from frame to frame (ibid., Table 4).

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds.
    """

    noun: ClassVar[str] = "parameter"

    effort: Given[Range] = declare(
        Range(0.05, 0.25), "Drive at the top of the signal over the maximal.", "", (0, 1),
        group=DRIVE,
    )  # fmt: skip
    tracking_delay: Given[Range] = declare(
        Range(0.1, 0.25), "From what is seen to what is done.", "s", (0, 2), group=DRIVE
    )
    tracking_bandwidth: Given[Range] = declare(
        Range(1, 2), "Frequency up to which signals are followed.", "Hz", (0.05, 50), group=DRIVE
    )
    tracking_noise: Given[Range] = declare(
        Range(0.05, 0.15), "SD of drive over drive.", "", (0, 1), group=DRIVE
    )
    rise: Given[Range] = declare(
        Range(0.015, 0.04), "Time constant of rising activation.", "s", (0.001, 1), group=DRIVE
    )
    fall: Given[Range] = declare(
        Range(0.05, 0.08), "Time constant of falling activation.", "s", (0.001, 1), group=DRIVE
    )
    electromechanical_delay: Given[Range] = declare(
        Range(0.01, 0.03), "From activation to force.", "s", (0, 0.5), group=DRIVE
    )
    maximal_torque: Given[Range] = declare(
        Range(80, 160), "Torque of a maximal contraction.", "N m", (1, 500), group=JOINT
    )
    force_length: Given[Range] = declare(
        Range(0.01, 0.03), "Growth of active torque with the angle.", "1/deg", (-0.05, 0.05),
        group=JOINT,
    )  # fmt: skip
    moment_arm: Given[Range] = declare(
        Range(40, 60), "Moment arm of the Achilles tendon.", "mm", (10, 100), group=JOINT
    )
    passive_stiffness: Given[Range] = declare(
        Range(0.8, 2), "Stiffness of the relaxed ankle.", "N m/deg", (0, 20), group=JOINT
    )
    passive_growth: Given[Range] = declare(
        Range(8, 20), "Rotation in which stiffness grows e-fold.", "deg", (1, 1000), group=JOINT
    )
    slack: Given[Range] = declare(
        Range(-25, -12), "Angle below which muscle is slack.", "deg", (-60, 30), group=JOINT
    )
    short_range_stiffness: Given[Range] = declare(
        Range(3, 7), "Stiffness that a rotation begins with.", "N m/deg", (0, 50), group=JOINT
    )
    short_range: Given[Range] = declare(
        Range(0.1, 0.3), "Rotation in which that falls e-fold.", "deg", (0.001, 10), group=JOINT
    )
    thixotropy: Given[Range] = declare(
        Range(0.2, 0.6), "Share of it that motion takes away.", "", (0, 1), group=JOINT
    )
    recovery: Given[Range] = declare(
        Range(2, 10), "Time constant in which it comes back.", "s", (0.05, 1000), group=JOINT
    )
    shortening: Given[Range] = declare(
        Range(7, 11), "Of fascicles at maximal torque.", "mm", (0, 100), group=MOTION
    )
    tendon_toe: Given[Range] = declare(
        Range(0.2, 0.3), "Torque of two thirds of it over the maximal.", "", (0.01, 10),
        group=MOTION,
    )  # fmt: skip
    bulging: Given[Range] = declare(
        Range(0, 0.15), "Growth of thickness over shortening.", "", (0, 2), group=MOTION
    )
    incompressibility: Given[Range] = declare(
        Range(0.5, 1), "Share of the area's change taken out.", "", (0, 1), group=MOTION
    )
    pivot: Given[Range] = declare(
        Range(0.3, 0.6), "Depth that stays while parts shear.", "", (0, 1), group=MOTION
    )
    fascicle_share: Given[Range] = declare(
        Range(0.2, 0.5), "Share of lengthening that fascicles take.", "", (0, 1), group=MOTION
    )
    passive_shear: Given[Range] = declare(
        Range(0, 0.3), "Share of passive lengthening that is shear.", "", (0, 1), group=MOTION
    )
    sliding: Given[Range] = declare(
        Range(0.2, 0.5), "Of the muscle along the probe.", "mm/deg", (-5, 5), group=MOTION
    )
    probe_drift: Given[Range] = declare(
        Range(0, 0.3), "SD of the probe along the skin.", "mm", (0, 20), group=MOTION
    )
    out_of_plane: Given[Range] = declare(
        Range(0, 0.2), "Motion across the plane over that along.", "", (0, 10), group=MOTION
    )
    out_of_plane_drift: Given[Range] = declare(
        Range(0, 0.2), "SD of slow motion across the plane.", "mm", (0, 20), group=MOTION
    )
    emg_gain: Given[Range] = declare(
        Range(0.08, 0.12), "Rectified EMG at maximal drive.", "V", (0, 10), group=MEASUREMENT
    )
    emg_noise: Given[Range] = declare(
        Range(1e-4, 4e-4), "SD of a relaxed muscle's EMG.", "V", (0, 1), group=MEASUREMENT
    )
    torque_noise: Given[Range] = declare(
        Range(0.02, 0.1), "SD of measured torque.", "N m", (0, 10), group=MEASUREMENT
    )
    angle_noise: Given[Range] = declare(
        Range(0.005, 0.015), "SD of measured angles.", "deg", (0, 5), group=MEASUREMENT
    )

    def draw(self, seed: int, index: int) -> dict[str, float]:
        """Draw the values of one participant, by name.

        Each takes one number, whatever its range: so changing one leaves the others.
        """
        random = generator(seed, index, Stream.PARTICIPANT)
        return {name: getattr(self, name).draw_one(random) for name in declarations(type(self))}


@dataclass(frozen=True)
class Participant:
    """One participant: a gastrocnemius medialis with its anatomy, a joint, and a probe on it.

    Parameters
    ----------
    anatomy : Anatomy
        The section at 0 deg and at rest.
    drawn : mapping of str to float
        As :meth:`CalfParameters.draw` gives them.
    seed, index : int
    """

    anatomy: Anatomy
    drawn: Mapping[str, float]
    seed: int
    index: int

    @property
    def tilt(self) -> float:
        """Angle of the line midway between the aponeuroses in the image's middle, rad."""
        return math.atan(between(self.anatomy.superficial, self.anatomy.deep).slope)

    @property
    def thickness(self) -> float:
        """Of the muscle in the image's middle, across that line, mm."""
        return (self.anatomy.deep.depth - self.anatomy.superficial.depth) * math.cos(self.tilt)

    @property
    def pennation(self) -> float:
        """Of fascicles, rad."""
        return self.anatomy.fascicles[0].angle

    @property
    def fascicle_length(self) -> float:
        """Of straight fascicles between the aponeuroses, were these parallel, mm."""
        return self.thickness / math.sin(self.pennation)

    @property
    def distal(self) -> int:
        """Whether the foot lies to the right (1) or to the left (-1) of the image.

        Fascicles of the gastrocnemius go to the deep aponeurosis, which goes to the heel.
        """
        return -self.anatomy.fascicles[0].side


def draw_participant(
    parameters: CalfParameters, section: SectionParameters, seed: int, index: int
) -> Participant:
    """Draw participant `index`, a function of the arguments alone.

    Parameters
    ----------
    parameters : CalfParameters
    section : SectionParameters
        Of the images; the anatomy is that of section `index`.
    seed, index : int

    Raises
    ------
    InputError
        If the muscle has more than one compartment, aponeuroses have no place in the image, or
        fascicles cannot shorten so much.
    """
    if section.compartments != 1:
        raise InputError(
            f"compartments: found {section.compartments}, wanted 1, as the gastrocnemius medialis "
            "has; take that muscle's section"
        )
    anatomy, drawn = draw_anatomy(section, seed, index), parameters.draw(seed, index)
    participant = Participant(anatomy, drawn, seed, index)
    # Of a triangle of the shortest fascicle and the largest thickness, one side must be left.
    thicker = 1 + drawn["bulging"] * math.sin(participant.pennation)
    room = (participant.fascicle_length - participant.thickness) / thicker
    if drawn["shortening"] >= room:
        raise InputError(
            f"shortening: found {drawn['shortening']:.3g} mm, wanted less than {room:.3g} mm at "
            f"{math.degrees(participant.pennation):.3g} deg; use less, or less pennation"
        )
    return participant
