"""What is worth a word about the units of a recording: one table, extended at its end.

A method names what it saw; a store keeps the names as bits; the command line says the sentences.
"""

from collections.abc import Iterable
from dataclasses import dataclass

UNEXPLAINED_BELOW = 0.5
"""Units that explain a smaller share of the velocity's energy leave motion unexplained."""


@dataclass(frozen=True)
class Remark:
    """Something worth a word about what was found in a recording.

    Parameters
    ----------
    name : str
        Short words joined by hyphens.
    sentence : str
        What was seen, and what was done about it.
    advice : str
        What to try.
    """

    name: str
    sentence: str
    advice: str

    @property
    def words(self) -> str:
        """Its name, to be read."""
        return self.name.replace("-", " ")


REMARKS: dict[str, Remark] = {
    remark.name: remark
    for remark in (
        # The place of a remark is its bit in stores: add at the end, never reorder or remove.
        Remark(
            "slow-motion-removed",
            "Motion below 5 Hz was larger than all else and was taken off before units were "
            "sought.",
            "Keep limb and probe still, or choose the band of twitches when importing: musim "
            "import --band 5-100.",
        ),
        Remark(
            "no-motion",
            "No motion stands out from the noise.",
            "Lower the noise or record for longer; check with musim preview that the muscle is "
            "active and in the image.",
        ),
        Remark(
            "motion-unexplained",
            f"The units explain less than {100 * UNEXPLAINED_BELOW:g} % of the velocity's energy "
            "above noise: there is motion that they do not account for.",
            "Try another method, a longer recording or less noise; where the motion is not "
            "twitches, choose their band when importing: musim import --band 5-100.",
        ),
        Remark(
            "copies-left-out",
            "Inverted or delayed copies of units were seen and were not counted as units.",
            "Where several of them look like units of their own, compare with another method.",
        ),
        Remark(
            "pulsation-left-out",
            "Motion that repeats at the rate of a heart was seen and was not counted as a unit.",
            "Where there is no artery in the image, compare with another method.",
        ),
        Remark(
            "nothing-recorded",
            "Every frame is the same: nothing was recorded.",
            "Check what the recording was read from.",
        ),
        Remark(
            "blind-pixels",
            "Pixels that never change, or that stand far out of those about them, show no tissue: "
            "they were given to no unit.",
            "Check with musim preview that they are those outside the sector or the mask.",
        ),
        Remark(
            "frames-lost",
            "Frames are empty or repeat the one before: they were filled in from those about them, "
            "and tell of no motion.",
            "Check what the recording was read from; firings within long gaps are not known.",
        ),
        Remark(
            "frames-spoilt",
            "Frames stand far out of those about them for a moment: they were filled in from "
            "those, and tell of no motion.",
            "Check with musim preview what they hold.",
        ),
        Remark(
            "too-short",
            "Too little was recorded to tell a twitch: no unit was sought.",
            "Record for a second or longer.",
        ),
        Remark(
            "saturated",
            "Many velocities stand at the largest or smallest value that the recording can hold; "
            "what was cut off was put back from how pixels move together.",
            "Record or import with a wider range of velocities; where units overlap, some that are "
            "found may be products of others.",
        ),
        Remark(
            "too-wide",
            "Some of what was found is wider than any motor unit.",
            "It may be the whole muscle or the probe that moves: keep both still, and compare with "
            "another method.",
        ),
        Remark(
            "unlike-firings",
            "Most of what was found fires more steadily, or more wildly, than motor units do.",
            "It may be other motion, such as vibration or waves: check the trains, and choose the "
            "band of twitches when importing: musim import --band 5-100.",
        ),
        Remark(
            "too-short-to-repeat",
            "Half of the recording is shorter than a twitch: whether units repeat is not known, "
            "and their confidence is what the method says.",
            "Record for a second or longer.",
        ),
        Remark(
            "whole-motion-left-out",
            "Motion of most of the image at once was seen, as of tremor or of the whole muscle, "
            "and was not counted as a unit.",
            "Keep limb and probe still; where one unit fills the image, record a wider one.",
        ),
        Remark(
            "searched-in-part",
            "The recording is long: units were sought in those seconds of it that move most, and "
            "their trains were read in the rest.",
            "Units that are active in the rest alone are not found: cut the recording into parts "
            "and identify each.",
        ),
    )
}
"""The remarks by name, in the order of their bits."""


def to_bits(names: Iterable[str]) -> int:
    """Return the number whose bits are these remarks, the first of :data:`REMARKS` the lowest.

    Raises
    ------
    ValueError
        If there is no such remark.
    """
    known = list(REMARKS)
    return sum(1 << known.index(name) for name in set(names))


def from_bits(bits: int) -> tuple[str, ...]:
    """Return the remarks that :func:`to_bits` joined, in the order of :data:`REMARKS`.

    Bits that a later musim has set are passed over.
    """
    return tuple(name for place, name in enumerate(REMARKS) if int(bits) >> place & 1)


def joined(*names: str) -> tuple[str, ...]:
    """Return remarks without repetition, in the order of :data:`REMARKS`."""
    return from_bits(to_bits(names))
