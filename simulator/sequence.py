"""The drawn truth of one sequence: everything about it but its voxels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .experiment.anatomy import artery_of, places_of
from .firing import draw_firings
from .parameters import Parameters
from .seeds import Stream, check_integer, check_seed, generator, noise_key
from .territory import boxes_of, draw_territories, fat_thickness, overlap_of
from .twitch import Variation, draw_twitches, draw_variation, twitch_length, twitch_trains

if TYPE_CHECKING:
    from .experiment.doses import Doses
    from .experiment.own_maps import OwnMaps


@dataclass(frozen=True)
class Truth:
    """The latent truth of one sequence.

    Arrays run over units first. Names, units and dtypes are those of the store's variables.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
        Membership of each pixel, 0..1.
    twitch_train : float32 array of shape (unit, time)
        The unit's velocity signal, mm/s.
    firing : float64 array of shape (unit, firing)
        Firing instants, s, rising; padded with NaN. Those before 0 are firings whose twitches
        may still be under way when the sequence starts.
    centre_depth, centre_width : float64 arrays of shape (unit,)
        Territory centres, mm.
    diameter : float64 array of shape (unit,)
        Diameter of the disc of the outline's area, mm.
    axis_ratio : float64 array of shape (unit,)
        Long over short axis of the outline, before it is bent or split.
    orientation : float64 array of shape (unit,)
        Angle of the long axis to the depth axis, rad.
    visible_share : float64 array of shape (unit,)
        Share of the outline's area inside image and muscle.
    overlap : float64 array of shape (unit,)
        Share of the unit's membership in pixels where another unit is too.
    firing_rate : float64 array of shape (unit,)
        Mean rate, Hz.
    interval_variation : float64 array of shape (unit,)
        SD over mean of the intervals that was asked for.
    synchronised_share : float64 array of shape (unit,)
        Share of the unit's firings in the sequence that were moved onto other units' firings.
    displacement : float64 array of shape (unit,)
        Peak displacement, um.
    contraction_time : float64 array of shape (unit,)
        Time from onset to peak displacement, ms.
    relaxation_ratio : float64 array of shape (unit,)
        Half-relaxation time over contraction time.
    synchrony : float
        Share of firings that were to be moved.
    snr : float
        Mean signal power over noise power, dB; inf is no noise.
    noise_sd : float
        SD of the noise, mm/s; 0 where no unit fires, whatever the SNR.
    noise_key : uint32 array of shape (4,)
        Key of the noise.
    fat : float
        Thickness of skin and fat above the muscle, mm.
    noise : str
        Model of the noise, one of :data:`.noise.NOISES`.
    strength_ratio : float
        Of the strongest unit that could be drawn over the weakest.
    amplitude_variation, duration_variation : float
        SD over mean of a unit's displacement and duration from firing to firing.
    firing_amplitude, firing_duration : float64 arrays of shape (unit, firing), optional
        Displacement and duration of each firing's twitch over its unit's, padded with NaN; none
        where parameters let twitches of a unit be alike.
    artery_depth, artery_width, artery_radius : float
        Centre and radius of the virtual experiment's artery, mm; NaN where there is none.
    doses : mapping of str to float, optional
        What the virtual experiment's doses that are ranges came out as; none for analytic ones.
    own_maps : OwnMaps, optional
        What each unit moves where, if it was asked for with
        :func:`.experiment.own_maps.with_own_maps`; stores do not hold it.
    """

    territory: NDArray[np.float32]
    twitch_train: NDArray[np.float32]
    firing: NDArray[np.float64]
    centre_depth: NDArray[np.float64]
    centre_width: NDArray[np.float64]
    diameter: NDArray[np.float64]
    axis_ratio: NDArray[np.float64]
    orientation: NDArray[np.float64]
    visible_share: NDArray[np.float64]
    overlap: NDArray[np.float64]
    firing_rate: NDArray[np.float64]
    interval_variation: NDArray[np.float64]
    synchronised_share: NDArray[np.float64]
    displacement: NDArray[np.float64]
    contraction_time: NDArray[np.float64]
    relaxation_ratio: NDArray[np.float64]
    synchrony: float
    snr: float
    noise_sd: float
    noise_key: NDArray[np.uint32]
    fat: float = 0.0
    noise: str = "white"
    strength_ratio: float = 1.0
    amplitude_variation: float = 0.0
    duration_variation: float = 0.0
    firing_amplitude: NDArray[np.float64] | None = None
    firing_duration: NDArray[np.float64] | None = None
    artery_depth: float = math.nan
    artery_width: float = math.nan
    artery_radius: float = math.nan
    doses: Mapping[str, float] | None = None
    own_maps: "OwnMaps | None" = None

    @property
    def unit_count(self) -> int:
        """Number of units."""
        return len(self.territory)

    @property
    def variation(self) -> Variation | None:
        """How twitches differ from firing to firing; none where a unit's are alike."""
        amplitude, duration = self.firing_amplitude, self.firing_duration
        if amplitude is None or duration is None:
            return None
        sds = self.amplitude_variation, self.duration_variation
        return Variation(amplitude, duration, *sds)


def draw(
    parameters: Parameters, *, doses: "Doses | None" = None, seed: int = 0, index: int = 0
) -> Truth:
    """Draw the truth of sequence `index`; it depends on these arguments alone.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses, optional
        Of the virtual experiment, if that is to be simulated. All else is the same without them.
    seed : int
        Seed of the set of sequences, 0 or more.
    index : int
        The sequence's place in the set, 0 or more.

    Returns
    -------
    Truth

    Raises
    ------
    InputError
        If seed or index is negative, or no unit can show in the image.

    Examples
    --------
    >>> from musim.simulator import Parameters, Range, draw
    >>> truth = draw(Parameters(units=Range(3, 3)), seed=1)
    >>> truth.territory.shape, truth.twitch_train.shape
    ((3, 64, 64), (3, 400))
    """
    from .firing_kernels import share_inside

    seed, index = check_seed(seed), check_integer("index", index, 0, 2**63 - 1)
    subject = parameters.subject(index)
    units = parameters.units.draw_integer(generator(seed, subject, Stream.UNIT_COUNT))
    territories = draw_territories(parameters, units, seed, subject)
    firings = draw_firings(parameters, units, twitch_length(parameters), seed, index)
    twitches = draw_twitches(parameters, units, seed, subject)
    variation = draw_variation(parameters, firings.times, seed, index)
    trains = twitch_trains(parameters, twitches, firings.times, variation)
    snr = parameters.snr.draw_one(generator(seed, index, Stream.SNR))
    synchronised_share = np.empty(units)
    share_inside(firings.times, firings.synchronised, parameters.duration, synchronised_share)
    drawn = None if doses is None else doses.draw(seed, subject)
    return Truth(
        territory=territories.membership,
        twitch_train=trains,
        firing=firings.times,
        centre_depth=territories.centre_depth,
        centre_width=territories.centre_width,
        diameter=territories.diameter,
        axis_ratio=territories.axis_ratio,
        orientation=territories.orientation,
        visible_share=territories.visible_share,
        overlap=overlap_of(territories.membership, territories.boxes),
        firing_rate=firings.firing_rate,
        interval_variation=firings.interval_variation,
        synchronised_share=synchronised_share,
        displacement=twitches.displacement,
        contraction_time=twitches.contraction_time,
        relaxation_ratio=twitches.relaxation_ratio,
        synchrony=firings.synchrony,
        snr=snr,
        noise_sd=noise_sd(territories.membership, trains, snr, territories.boxes),
        noise_key=noise_key(seed, index),
        fat=fat_thickness(parameters, seed, subject),
        doses=drawn,
        noise=parameters.noise,
        strength_ratio=twitches.strength_ratio,
        amplitude_variation=0.0 if variation is None else variation.amplitude_sd,
        duration_variation=0.0 if variation is None else variation.duration_sd,
        firing_amplitude=None if variation is None else variation.amplitude,
        firing_duration=None if variation is None else variation.duration,
        **places_of(artery_of(parameters, drawn, seed, subject)),
    )


def signal_power(
    territory: NDArray[np.float32],
    twitch_train: NDArray[np.float32],
    boxes: NDArray[np.int64] | None = None,
) -> float:
    """Return the mean squared velocity of a noise-free sequence, without rendering it.

    The mean of (sum_k territory_k train_k)^2 is the sum over pairs of units of the product of their
    territories' and their trains' mean products.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
    twitch_train : float32 array of shape (unit, time)
    boxes : int64 array of shape (unit, 4), optional
        Those of :func:`.territory.boxes_of`, where they are known.

    Returns
    -------
    float
        (mm/s)^2, over all voxels.
    """
    from .rendering_kernels import sum_of_squares

    if boxes is None:
        boxes = boxes_of(territory)
    voxels = twitch_train.shape[1] * territory.shape[1] * territory.shape[2]
    return float(sum_of_squares(territory, boxes, twitch_train)) / voxels


def noise_sd(
    territory: NDArray[np.float32],
    twitch_train: NDArray[np.float32],
    snr: float,
    boxes: NDArray[np.int64] | None = None,
) -> float:
    """Return the SD of the noise, mm/s, that gives `snr` dB over the whole sequence.

    SNR is mean signal power over noise power (Ali et al. 2020, section IV.B); inf dB is 0.
    """
    power = signal_power(territory, twitch_train, boxes)
    return float(np.sqrt(power / 10 ** (snr / 10)))
