"""Every variable of a store, declared once: it writes, validates and documents.

A store is a Zarr version 3 group. Variables run over sequences first, are cut into parts along
them, and carry a CRC-32C in every chunk, so that any Zarr reader notices damage.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..simulator.declarations import declarations
from ..simulator.experiment.doses import Doses
from ..simulator.ranges import Range

FORMAT_VERSION = 1
"""Version of the store's layout. A reader refuses versions that it does not know."""

CHUNK_BYTES = 8 * 2**20
"""A chunk of ``tvi`` or of a video holds at most this many bytes, if one frame does."""

PART_BYTES = 64 * 2**20
"""A part's territories count at most this many values, if one sequence's do."""

MAP_VALUES = 2**21
"""A part's maps count at most this many values, if one sequence's do: readers keep some parts."""

DOSE = "dose_"
"""Beginning of the names of variables that hold the doses drawn by the virtual experiment."""

FLOAT_TYPES = ("float32", "float16")
SIMULATED_KINDS = ("dense", "rendered")
SECTION = "section"
"""Kind of the stores that hold images of the longitudinal section, in grey levels."""

IMAGE = "image"
"""What only those of them have that were not simulated: of each image its scale and its group."""

VIDEO = "video"
"""Kind of the stores that hold B-mode videos of muscle, with the signals of its state."""

TRIAL = "trial"
"""What only those of them have that were simulated."""

REGION = "region"
"""What only those of them have that were taken out of larger images."""

SLICES = "slices"
"""Kind of the stores that hold slices through volumes, each as two pictures of one anatomy."""

TISSUE = "tissue"
"""What only those of them have whose tissues are known."""

KINDS = (*SIMULATED_KINDS, "identified", SECTION, VIDEO, SLICES)
DENSE_PART = 16
RENDERED_PART = 128


@dataclass(frozen=True)
class Variable:
    """One variable of a store.

    Parameters
    ----------
    name : str
    dims : tuple of str
        Names of its dimensions.
    dtype : str
    units : str
        UDUNITS text; empty for a number without unit.
    meaning : str
        One sentence.
    truth : bool
        Whether only simulated sequences have it.
    compressed : bool
        Whether its chunks are compressed (Blosc: shuffled LZ4).
    only : {"", "experiment", "quick", "strengths", "variation", "section", "image", "video",
        "trial", "region", "slices", "tissue"}
        Which simulated sequences have it; all but images, videos and slices, where it is empty. See
        :func:`variables_of`.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    meaning: str
    truth: bool = True
    compressed: bool = True
    only: str = ""

    @property
    def fill_value(self) -> float:
        """What stands where nothing was written: NaN for parameters, 0 for counts and images."""
        floating = self.dtype.startswith("float")
        return math.nan if floating and self.name not in _ZERO_WHERE_NO_UNIT else 0


_ZERO_WHERE_NO_UNIT = (
    "territory", "twitch_train", "motion_map", "motion_course", "image", "image_b",
)  # fmt: skip
_SEQUENCE = ("sequence",)
_UNIT = ("sequence", "unit")
_SAMPLE = ("sequence", "sample")
_FRAME = ("sequence", "time")

_DOSES = tuple(
    Variable(DOSE + one.name, _SEQUENCE, "float64", one.unit, one.text, only="experiment")
    for one in declarations(Doses).values()
    if isinstance(one.default, Range)
)

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "tvi", ("sequence", "time", "depth", "width"), "float32", "mm/s",
        "Tissue velocity, positive towards the transducer.", truth=False, compressed=False,
    ),
    Variable(
        "territory", ("sequence", "unit", "depth", "width"), "float32", "",
        "Share of each pixel that belongs to the unit, 0..1 (uint8 where masks are hard).",
    ),
    Variable(
        "twitch_train", ("sequence", "unit", "time"), "float32", "mm/s",
        "Velocity signal of the unit.",
    ),
    Variable(
        "firing", ("sequence", "unit", "pulse"), "float64", "s",
        "Firing instants, rising; before 0 where a twitch is under way at the start.",
    ),
    Variable("unit_count", _SEQUENCE, "int32", "", "Number of units; those beyond are padding."),
    Variable("centre_depth", _UNIT, "float64", "mm", "Depth of the territory's centre."),
    Variable("centre_width", _UNIT, "float64", "mm", "Width coordinate of the territory's centre."),
    Variable("diameter", _UNIT, "float64", "mm", "Diameter of the disc of the outline's area."),
    Variable(
        "axis_ratio", _UNIT, "float64", "",
        "Long over short axis of the outline, before it is bent or split.",
    ),
    Variable("orientation", _UNIT, "float64", "rad", "Angle of the long axis to the depth axis."),
    Variable(
        "visible_share", _UNIT, "float64", "", "Share of the outline inside image and muscle.",
    ),
    Variable(
        "overlap", _UNIT, "float64", "", "Share of the membership in pixels with other units.",
    ),
    Variable("firing_rate", _UNIT, "float64", "Hz", "Mean firing rate."),
    Variable("interval_variation", _UNIT, "float64", "", "SD over mean asked of the intervals."),
    Variable(
        "synchronised_share", _UNIT, "float64", "",
        "Share of the unit's firings in the sequence that were moved onto other units'.",
    ),
    Variable("displacement", _UNIT, "float64", "um", "Peak displacement of the twitch."),
    Variable("contraction_time", _UNIT, "float64", "ms", "Time from onset to peak displacement."),
    Variable(
        "relaxation_ratio", _UNIT, "float64", "", "Half-relaxation time over contraction time.",
    ),
    Variable(
        "strength_ratio", _SEQUENCE, "float64", "", "Strength of the strongest unit over the "
        "weakest that could be drawn.", only="strengths",
    ),
    Variable(
        "amplitude_variation", _SEQUENCE, "float64", "",
        "SD over mean of a unit's displacement from firing to firing.", only="variation",
    ),
    Variable(
        "duration_variation", _SEQUENCE, "float64", "",
        "SD over mean of a unit's twitch duration from firing to firing.", only="variation",
    ),
    Variable(
        "firing_amplitude", ("sequence", "unit", "pulse"), "float64", "",
        "Displacement of the firing's twitch over its unit's.", only="variation",
    ),
    Variable(
        "firing_duration", ("sequence", "unit", "pulse"), "float64", "",
        "Contraction and relaxation times of the firing's twitch over its unit's.",
        only="variation",
    ),
    Variable("synchrony", _SEQUENCE, "float64", "", "Share of firings that were to be moved."),
    Variable("snr", _SEQUENCE, "float64", "dB", "Signal power over noise power; inf: no noise."),
    Variable("noise_sd", _SEQUENCE, "float64", "mm/s", "SD of the noise."),
    Variable("noise_key", ("sequence", "word"), "uint32", "", "Key of the counter-based noise."),
    Variable("fat", _SEQUENCE, "float64", "mm", "Thickness of skin and fat above the muscle."),
    Variable(
        "artery_depth", _SEQUENCE, "float64", "mm", "Depth of the artery's centre; NaN: none.",
        only="experiment",
    ),
    Variable(
        "artery_width", _SEQUENCE, "float64", "mm", "Width coordinate of the artery's centre.",
        only="experiment",
    ),
    Variable(
        "artery_radius", _SEQUENCE, "float64", "mm", "Radius of the artery.", only="experiment",
    ),
    *_DOSES,
    Variable(
        "motion_map", ("sequence", "component", "depth", "width"), "float32", "",
        "What a scanner shows of a component of motion: its velocity for a velocity of 1.",
        only="quick",
    ),
    Variable(
        "motion_course", ("sequence", "component", "time"), "float32", "mm/s",
        "Velocity of the component.", only="quick",
    ),
    Variable(
        "component_count", _SEQUENCE, "int32", "", "Number of components; those beyond are "
        "padding.", only="quick",
    ),
    Variable(
        "noise_map", ("sequence", "order", "depth", "width"), "float32", "mm/s",
        "SD of the scanner's noise that adds to displacement (mm), and to velocity.", only="quick",
    ),
    Variable(
        "scanner_noise_key", ("sequence", "word"), "uint32", "", "Key of the scanner's noise.",
        only="quick",
    ),
    Variable(
        "confidence", _UNIT, "float64", "",
        "How probably an identified unit is true, 0..1.", truth=False,
    ),
    Variable(
        "velocity_sd", ("sequence", "depth", "width"), "float32", "mm/s",
        "SD over time of the velocity in which units were identified.", truth=False,
    ),
    Variable(
        "outline_confidence", _UNIT, "float64", "",
        "Certainty of an identified unit's outline alone, 0..1; below 0.5 it is uncertain.",
        truth=False,
    ),
    Variable(
        "explained_share", _SEQUENCE, "float64", "",
        "Share of the energy of the velocity above noise that the identified units explain.",
        truth=False,
    ),
    Variable(
        "residual_sd", ("sequence", "depth", "width"), "float32", "mm/s",
        "SD over time of the velocity above noise that they leave unexplained; NaN where pixels "
        "show no tissue.", truth=False,
    ),
    Variable(
        "remarks", _SEQUENCE, "int32", "",
        "Bits of what is worth a word, the lowest first in the order of the origin's remarks.",
        truth=False,
    ),
    Variable(
        "frame_fault", ("sequence", "time"), "uint8", "",
        "0: a frame holds an image; 1: it is empty, 2: it repeats the one before, 3: it is spoilt, "
        "and was filled in.", truth=False,
    ),
    Variable(
        "method_confidence", _UNIT, "float64", "",
        "Certainty of an identified unit as the method says it, 0..1.", truth=False,
    ),
    Variable(
        "map_repeatability", _UNIT, "float64", "",
        "Jaccard index of its map between epochs of half the recording.", truth=False,
    ),
    Variable(
        "train_repeatability", _UNIT, "float64", "",
        "Correlation of its train as interleaved sets of pixels tell it, by maps of the other half "
        "of the recording.", truth=False,
    ),
    Variable(
        "firing_repeatability", _UNIT, "float64", "",
        "Agreement of its firings with those found in the train read by maps of the other half.",
        truth=False,
    ),
    Variable(
        "pulse_to_noise", _UNIT, "float64", "dB",
        "Energy of the twitches at its firings over what they leave of that train.", truth=False,
    ),
    Variable(
        "local_share", _UNIT, "float64", "",
        "Share of the energy of motion in its territory that it explains.", truth=False,
    ),
    Variable(
        "local_share_of_all", _UNIT, "float64", "",
        "Share of the energy of motion in its territory that all units explain.", truth=False,
    ),
    Variable(
        "mixture_share", _UNIT, "float64", "",
        "Share of its train, beyond chance, that is a mixture of other units' trains.",
        truth=False,
    ),
    Variable(
        "stronger_likeness", _UNIT, "float64", "",
        "Correlation of its train with that of a stronger unit at any lag within 50 ms.",
        truth=False,
    ),
    Variable(
        "epoch_jaccard", _UNIT, "float64", "",
        "Mean Jaccard index of its territory with that of its match in epochs identified anew.",
        truth=False,
    ),
    Variable(
        "epoch_agreement", _UNIT, "float64", "",
        "Mean agreement of its firings with those of its match in epochs identified anew.",
        truth=False,
    ),
    Variable(
        "cut_count", _SEQUENCE, "int32", "",
        "Identified units that were left out, less certain than was asked for.", truth=False,
    ),
    Variable(
        "other_motion", ("sequence", "depth", "width"), "uint8", "",
        "Motion that is no unit's and was left out of them; 0: none, from 1 on: an artery each, "
        "from 101 on: of the whole muscle.", truth=False,
    ),
    Variable(
        "way", _SEQUENCE, "uint8", "",
        "Way that the method took by how motion ends beside units; 0: it has one alone, 1: sharply "
        "(trains and territories fitted together), 2: too little was found to tell (likewise), 3: "
        "it spreads (an outline for each unit), 4, 5: sharp territories make up units or repeat "
        "them (likewise).", truth=False,
    ),
    Variable(
        "way_found", _SEQUENCE, "float64", "",
        "The number that decided the way: share of motion explained by sharp territories, number "
        "of units (4), or share of them that repeat others (5).", truth=False,
    ),
    Variable("way_wanted", _SEQUENCE, "float64", "", "What it was compared with.", truth=False),
    Variable(
        "by_hand", _UNIT, "uint8", "",
        "What people did with an identified unit, added up; 1: accepted, 2: outlined (merged, "
        "split or drawn), 4: moved, added or took away firings.", truth=False,
    ),
    Variable(
        "bmode", ("sequence", "time", "depth", "width"), "uint8", "",
        "Grey level of an ultrasound image of the longitudinal section.", truth=False,
        only=SECTION,
    ),
    Variable(
        "aponeurosis_mask", ("sequence", "aponeurosis", "depth", "width"), "uint8", "",
        "1 where the superficial aponeurosis (0) or the deep one (1) lies; where either does, if "
        "they were drawn together.",
        only=SECTION,
    ),
    Variable(
        "muscle_thickness", _SEQUENCE, "float64", "mm",
        "Mean of five chords between the aponeuroses' middle lines, perpendicular to the line "
        "midway.", only=SECTION,
    ),
    Variable(
        "pennation", _SEQUENCE, "float64", "rad",
        "Angle between the fascicle in the image's middle and the aponeurosis that it leaves, both "
        "as straight lines.",
        only=SECTION,
    ),
    Variable(
        "fascicle_length", _SEQUENCE, "float64", "mm",
        "Its length from aponeurosis to aponeurosis; NaN: it does not meet both near the image.",
        only=SECTION,
    ),
    Variable(
        "aponeurosis_drawn", _SEQUENCE, "uint8", "",
        "1 where somebody drew aponeuroses on the image, 0 where nobody did.", truth=False,
        only=IMAGE,
    ),
    Variable(
        "pixel_depth", _SEQUENCE, "float64", "mm", "Depth of the image's pixels; NaN: not known.",
        truth=False, only=IMAGE,
    ),
    Variable(
        "pixel_shape", _SEQUENCE, "float64", "", "Width of the image's pixels over their depth.",
        truth=False, only=IMAGE,
    ),
    Variable(
        "image_group", _SEQUENCE, "int64", "",
        "Number of the group of images that belong together; no split parts them.", truth=False,
        only=IMAGE,
    ),
    Variable(
        "frame_count", _SEQUENCE, "int32", "", "Number of frames; those beyond are padding.",
        truth=False, only=VIDEO,
    ),
    Variable(
        "participant", _SEQUENCE, "int32", "", "Number of who takes part; no split parts theirs.",
        truth=False, only=VIDEO,
    ),
    Variable(
        "task", _SEQUENCE, "int8", "", "Index into the origin's names of tasks; -1: not known.",
        truth=False, only=VIDEO,
    ),
    Variable(
        "emg", _SAMPLE, "float32", "V", "Electromyogram; NaN: not recorded, or padding.",
        truth=False, only=VIDEO,
    ),
    Variable(
        "emg_amplitude", _SAMPLE, "float32", "V", "That rectified and low-passed.", truth=False,
        only=VIDEO,
    ),
    Variable(
        "torque", _SAMPLE, "float32", "N m", "Torque of plantarflexion, as measured.", truth=False,
        only=VIDEO,
    ),
    Variable(
        "angle", _SAMPLE, "float32", "degree", "Angle of the ankle, positive in dorsiflexion, as "
        "measured.", truth=False, only=VIDEO,
    ),
    Variable(
        "region_depth", _SEQUENCE, "float64", "mm",
        "Depth of the region's centre in the image that it was taken out of.", truth=False,
        only=REGION,
    ),
    Variable(
        "region_width", _SEQUENCE, "float64", "mm", "Width coordinate of that centre.",
        truth=False, only=REGION,
    ),
    Variable(
        "region_angle", _SEQUENCE, "float64", "rad",
        "Angle of the region's long side in that image; above 0 where it goes deeper to the right.",
        truth=False, only=REGION,
    ),
    Variable(
        "first_row", _SEQUENCE, "int32", "", "Row of the whole image that is the first one here.",
        only=TRIAL,
    ),
    Variable(
        "distal", _SEQUENCE, "int8", "", "Side of the image where the foot lies; 1: right, -1: "
        "left.", only=TRIAL,
    ),
    Variable(
        "shown", _SAMPLE, "float32", "", "Signal that is to be followed, -1..1; NaN: none.",
        only=TRIAL,
    ),
    Variable(
        "excitation", _SAMPLE, "float32", "", "Neural drive over that of a maximal contraction.",
        only=TRIAL,
    ),
    Variable(
        "activation", _SAMPLE, "float32", "", "What drive makes of the muscle, over the maximal.",
        only=TRIAL,
    ),
    Variable(
        "active_torque", _SAMPLE, "float32", "N m", "Torque of the contraction.", only=TRIAL,
    ),
    Variable(
        "passive_torque", _SAMPLE, "float32", "N m", "Torque of what is stretched.", only=TRIAL,
    ),
    Variable("true_angle", _SAMPLE, "float32", "degree", "Angle of the ankle.", only=TRIAL),
    Variable(
        "mode_course", ("sequence", "mode", "time"), "float32", "",
        "Courses by which the section moves: sliding (mm), stretch, shear (mm), bulging, probe "
        "shift (mm).", only=TRIAL,
    ),
    Variable(
        "out_of_plane", _FRAME, "float32", "mm", "Motion across the image's plane.", only=TRIAL,
    ),
    Variable(
        "fascicle_length_course", _FRAME, "float32", "mm",
        "Length of a straight fascicle in the image's middle.", only=TRIAL,
    ),
    Variable(
        "pennation_course", _FRAME, "float32", "degree", "Its angle with the aponeuroses.",
        only=TRIAL,
    ),
    Variable(
        "thickness_course", _FRAME, "float32", "mm", "Thickness of the muscle there.", only=TRIAL,
    ),
    Variable(
        "image", ("sequence", "time", "depth", "width"), "float32", "",
        "Intensity of a slice in the first of two volumes, such as T1; 0 around it.", truth=False,
        only=SLICES,
    ),
    Variable(
        "image_b", ("sequence", "time", "depth", "width"), "float32", "",
        "Intensity of the same slice in the other volume, such as T2; 0 around it.", truth=False,
        only=SLICES,
    ),
    Variable(
        "plane", _SEQUENCE, "uint8", "", "Plane of the slice: 0 axial, 1 coronal, 2 sagittal.",
        truth=False, only=SLICES,
    ),
    Variable(
        "slice_position", _SEQUENCE, "float64", "mm",
        "Where the slice lies along its plane's normal: towards the head, the front, the right.",
        truth=False, only=SLICES,
    ),
    Variable(
        "slice_size", ("sequence", "side"), "int32", "",
        "Rows and columns of the slice, in the middle of its image; what is around it is padding.",
        truth=False, only=SLICES,
    ),
    Variable(
        "pixel_width", _SEQUENCE, "float64", "mm", "Width of the slice's pixels.", truth=False,
        only=SLICES,
    ),
    Variable(
        "tissue", ("sequence", "depth", "width"), "uint8", "",
        "Number of the tissue that fills most of a pixel of a slice; 0: air, or around it.",
        only=TISSUE,
    ),
)  # fmt: skip

COORDINATES: tuple[Variable, ...] = (
    Variable("sequence", ("sequence",), "int64", "", "Index of the sequence.", truth=False),
    Variable("time", ("time",), "float64", "s", "Time since the sequence's start.", truth=False),
    Variable("depth", ("depth",), "float64", "mm", "Depth of the pixel's centre.", truth=False),
    Variable("width", ("width",), "float64", "mm", "Width coordinate of its centre.", truth=False),
)

SAMPLES = Variable(
    "sample", ("sample",), "float64", "s", "Time of a signal's sample since the sequence's start.",
    truth=False,
)  # fmt: skip
"""A coordinate that videos have beside the others."""


def coordinates_of(kind: str) -> tuple[Variable, ...]:
    """Return the coordinates of a store of `kind`."""
    return (*COORDINATES, SAMPLES) if kind == VIDEO else COORDINATES


def variables_of(
    kind: str,
    *,
    experiment: bool = False,
    quick: bool = False,
    strengths: bool = False,
    variation: bool = False,
) -> tuple[Variable, ...]:
    """Return the variables that a simulated store of `kind` writes for each part.

    Parameters
    ----------
    kind : {"dense", "rendered", "section", "video", "slices"}
        Images of the longitudinal section, videos and slices have variables of their own, whatever
        else is said. Of videos ``bmode`` is left out, which is written or rendered.
    experiment : bool
        Whether it holds recordings of the virtual experiment, and the doses that they had.
    quick : bool
        Whether they are quick ones, whose maps and courses are written where voxels are not.
    strengths : bool
        Whether units differ in strength by a ratio that is drawn.
    variation : bool
        Whether a unit's twitches differ from firing to firing.
    """
    if kind == SECTION:
        return tuple(v for v in VARIABLES if v.only == SECTION)
    if kind == VIDEO:
        return tuple(v for v in VARIABLES if v.only in {VIDEO, TRIAL})
    if kind == SLICES:
        shared = (v for v in VARIABLES if v.name == "pixel_depth")  # images have it too
        return (*(v for v in VARIABLES if v.only in {SLICES, TISSUE}), *shared)
    had = {
        SECTION: False, VIDEO: False, TRIAL: False, TISSUE: False, "": True,
        "experiment": experiment, "quick": quick and kind == "rendered", "strengths": strengths,
        "variation": variation,
    }  # fmt: skip
    return tuple(
        v for v in VARIABLES if (v.truth and had[v.only]) or (v.name == "tvi" and kind == "dense")
    )


def is_cut_in_time(variable: Variable, sizes: Mapping[str, int]) -> bool:
    """Return whether a variable holds the pictures of sequences, of which windows are read."""
    return variable.name == "tvi" or (variable.name == "bmode" and "sample" in sizes)


def chunks_of(variable: Variable, sizes: Mapping[str, int], part_size: int) -> tuple[int, ...]:
    """Return the chunk shape of a variable.

    ``tvi``, and ``bmode`` of videos, are cut into single sequences and, where these are large, in
    time, so that a window of a sequence is read alone; every other variable holds a whole part in
    one chunk.

    Parameters
    ----------
    variable : Variable
    sizes : mapping of dimension name to length
    part_size : int
        Sequences in a part.
    """
    shape = [sizes[dim] for dim in variable.dims]
    if is_cut_in_time(variable, sizes):
        value = {"uint8": 1, "float16": 2}.get(variable.dtype, 4)
        frame = sizes["depth"] * sizes["width"] * value
        return 1, min(sizes["time"], max(1, CHUNK_BYTES // frame)), shape[2], shape[3]
    if variable.dims != (variable.name,):  # no coordinate
        shape[0] = part_size
    return tuple(shape)


def default_part_size(kind: str, sizes: Mapping[str, int]) -> int:
    """Return how many sequences a part of a store of `kind` holds, if nothing else is asked for."""
    pixels = sizes["depth"] * sizes["width"]
    most = DENSE_PART if kind == "dense" else RENDERED_PART
    most = min(most, PART_BYTES // (sizes["unit"] * pixels))
    if "component" in sizes:
        most = min(most, MAP_VALUES // (sizes["component"] * pixels))
    return max(1, most)


def describe() -> str:
    """Return the schema as a Markdown table, for the documentation."""
    lines = ["| variable | dimensions | type | unit | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{v.name}` | {', '.join(v.dims)} | {v.dtype} | {v.units or '-'} | {v.meaning} |"
        for v in (*VARIABLES, *COORDINATES, SAMPLES)
    ]
    return "\n".join(lines)
