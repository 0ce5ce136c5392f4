"""The two sequences and the scanner: everything pictures depend on besides what is scanned."""

from dataclasses import dataclass
from typing import ClassVar

from ..annotations import Given
from ..declarations import Declared, declare
from ..errors import InputError
from ..ranges import Range

SEQUENCES, SCANNER = "Sequences", "Scanner"

MOST_VOXELS = 2**28
"""Of a volume: some 3 GB while it is made."""


@dataclass(frozen=True, kw_only=True)
class Scan(Declared):
    """The two sequences and the scanner.

    Ranges are uniform distributions, of one value a scanned volume. The defaults are those of
    Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8) at 3 T, and assumptions where it says
    nothing: these were chosen by eye.

    Parameters
    ----------
    tr, te, flip : float
        Of the gradient echo (T1): 13.5 ms, 6 ms and 10 deg there.
    excitation : {"water", "all"}
        Whether a binomial pulse leaves fat alone, as there, or all protons are excited.
    tr_b, te_b : float
        Of the fast spin echo (T2), ms: 1500 and 127 there.
    refocusing : float
        Flip angle of its refocusing pulses, deg: one in place of the scanner's schedule, whose
        smallest angles are those of tissue contrast (Busse et al. 2006, doi:10.1002/mrm.20863).
    echo_spacing : float
        Between its echoes, ms (an assumption).
    train : float
        Length of its echo train, ms (an assumption).
    field : float
        T: that of the relaxation times, and of chemical shifts.
    bandwidth, bandwidth_b : float
        Of a pixel in the direction of reading, along the fingers, Hz: fat is shifted by its
        frequency over it (assumptions).
    inhomogeneity : Range
        SD of the field over the volume after shimming, Hz (an assumption).
    coils : int
        Elements of the receiving array, around the volume.
    coil_radius : float
        Of each, mm.
    shading : Range
        How much of the array's sensitivity is left in pictures: 0 where the scanner divides by all
        of it, 1 where by none (an assumption).
    snr : Range
        Of muscle in the gradient echo, over the noise's SD in each channel, where the array is as
        sensitive as on average (an assumption); ``inf`` is without noise.
    snr_b : Range
        Of fat in the fast spin echo, likewise.
    turn, shift : Range
        Motion between the two: angle about each axis, deg, and way along each, mm, either way
        (assumptions; small movements are named in Grant-Jacob et al. 2021).
    samples : int
        Points along each edge of a voxel that are looked at, for partial volume.
    voxel : float
        Edge of a voxel, mm: 0.6 there.
    extent : three of float
        Of the volume across the hand, through it and along it, mm: that of the 223 sagittal, 76
        coronal and 491 axial slices there.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds or does not go with another.
    """

    noun: ClassVar[str] = "parameter"

    tr: float = declare(13.5, "Repetition time of T1.", "ms", (1, 10000), group=SEQUENCES)
    te: float = declare(6.0, "Echo time of T1.", "ms", (0, 1000), group=SEQUENCES)
    flip: float = declare(10.0, "Flip angle of T1.", "deg", (0.1, 180), group=SEQUENCES)
    excitation: str = declare(
        "water", "What T1 excites.", choices=("water", "all"), group=SEQUENCES
    )
    tr_b: float = declare(1500.0, "Repetition time of T2.", "ms", (1, 100000), group=SEQUENCES)
    te_b: float = declare(127.0, "Effective echo time of T2.", "ms", (0, 2000), group=SEQUENCES)
    refocusing: float = declare(
        60.0, "Flip angle of T2's refocusing pulses.", "deg", (10, 180), group=SEQUENCES
    )
    echo_spacing: float = declare(4.0, "Between echoes of T2.", "ms", (1, 1000), group=SEQUENCES)
    train: float = declare(250.0, "Length of T2's echo train.", "ms", (0, 10000), group=SEQUENCES)
    field: float = declare(3.0, "Field of the scanner.", "T", (0.1, 20), group=SCANNER)
    bandwidth: float = declare(320.0, "Of a pixel of T1.", "Hz", (10, 1e5), group=SCANNER)
    bandwidth_b: float = declare(600.0, "Of a pixel of T2.", "Hz", (10, 1e5), group=SCANNER)
    inhomogeneity: Given[Range] = declare(
        Range(8, 20), "SD of the field.", "Hz", (0, 500), group=SCANNER
    )
    coils: int = declare(8, "Elements of the receiving array.", "", (1, 64), group=SCANNER)
    coil_radius: float = declare(50.0, "Radius of an element.", "mm", (5, 500), group=SCANNER)
    shading: Given[Range] = declare(
        Range(0.15, 0.4), "How much sensitivities show.", "", (0, 1), group=SCANNER
    )
    snr: Given[Range] = declare(
        Range(22, 28), "Of muscle in T1.", "", (0.5, 1e6), group=SCANNER, infinite=True
    )
    snr_b: Given[Range] = declare(
        Range(40, 55), "Of fat in T2.", "", (0.5, 1e6), group=SCANNER, infinite=True
    )
    turn: Given[Range] = declare(
        Range(0, 0.4), "Turn between T1 and T2.", "deg", (0, 45), group=SCANNER
    )
    shift: Given[Range] = declare(
        Range(0, 0.4), "Way between T1 and T2.", "mm", (0, 100), group=SCANNER
    )
    samples: int = declare(3, "Points along a voxel's edge.", "", (1, 9), group=SCANNER)
    voxel: float = declare(1.2, "Edge of a voxel.", "mm", (0.1, 20), group=SCANNER)
    extent: tuple[float, ...] = declare(
        (133.8, 45.6, 294.6), "Across, through and along the hand.", "mm", (1, 1000),
        group=SCANNER,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check every value, then those that go together."""
        super().__post_init__()
        if len(self.extent) != 3:
            raise InputError(
                f"extent: found {len(self.extent)} numbers, wanted three: across, through and along"
            )
        if self.te >= self.tr:
            raise InputError(
                f"te: found {self.te:g} ms, wanted less than the {self.tr:g} ms of tr; use a "
                "shorter te or a longer tr"
            )
        if max(self.te_b, self.train) >= self.tr_b:
            raise InputError(
                f"tr_b: found {self.tr_b:g} ms, wanted more than te_b and train, "
                f"{max(self.te_b, self.train):g} ms; use a longer tr_b"
            )
        if min(self.shape) < 1 or self.voxels > MOST_VOXELS:
            raise InputError(
                f"voxel: found {self.voxel:g} mm in {' x '.join(f'{n:g}' for n in self.extent)} "
                f"mm, wanted 1 to {MOST_VOXELS} voxels; use another voxel or extent"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels across, through and along the hand."""
        across, through, along = (round(each / self.voxel) for each in self.extent)
        return across, through, along

    @property
    def voxels(self) -> int:
        """Of a volume."""
        across, through, along = self.shape
        return across * through * along
