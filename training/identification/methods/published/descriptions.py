"""Settings of published methods, and what each does and assumes."""

from dataclasses import dataclass

from .....simulator.declarations import declare
from ..settings import MethodSettings


@dataclass(frozen=True, kw_only=True)
class BandSettings(MethodSettings):
    """The band of frequencies in which a method looks."""

    lowest: float = declare(5.0, "Lowest frequency that is kept; 0: all.", "Hz", (0, 1e5))
    highest: float = declare(100.0, "Highest frequency that is kept.", "Hz", (1, 1e6))


@dataclass(frozen=True, kw_only=True)
class StIcaSettings(BandSettings):
    """Of spatio-temporal independent component analysis."""

    window: int = declare(20, "Side of the square windows; 0: the whole image.", "px", (0, 10**5))
    components: int = declare(25, "Components of a window.", bounds=(1, 1000))
    spatial_weight: float = declare(
        0.5, "Share of the independence of images; the rest is that of courses.", bounds=(0, 1)
    )
    agreement: float = declare(
        0.7, "Least correlation of courses that are one unit's.", bounds=(0, 1)
    )
    repeats: int = declare(
        2, "Windows that have to hold a unit, where so many are.", bounds=(1, 1000)
    )


@dataclass(frozen=True, kw_only=True)
class VelBssSettings(BandSettings):
    """Of the fast separation of velocity."""

    window: int = declare(0, "Side of the square windows; 0: the whole image.", "px", (0, 10**5))
    components: int = declare(50, "Components of a window.", bounds=(1, 1000))
    contrast: str = declare(
        "kurtosis", "How far from normal a source is.", choices=("logcosh", "kurtosis", "skewness")
    )
    agreement: float = declare(
        0.7, "Least correlation of courses that are one unit's.", bounds=(0, 1)
    )
    repeats: int = declare(
        2, "Windows that have to hold a unit, where so many are.", bounds=(1, 1000)
    )


@dataclass(frozen=True, kw_only=True)
class StaSettings(MethodSettings):
    """Of spike-triggered averages."""

    before: float = declare(25.0, "Span averaged before a firing.", "ms", (0, 1000))
    after: float = declare(250.0, "Span averaged after a firing.", "ms", (10, 2000))
    triggers: int = declare(5, "Firings that a unit must have.", bounds=(2, 10**6))


@dataclass(frozen=True, kw_only=True)
class CbssSettings(BandSettings):
    """Of convolutive blind source separation."""

    source: str = declare(
        "trains", "What is separated: velbss's trains, each by itself, or velocity.",
        choices=("trains", "velocity"),
    )  # fmt: skip
    extension: float = declare(
        50.0, "Span of the copies of a channel, each a frame later.", "ms", (1, 1000)
    )
    window: int = declare(
        16, "Side of the square windows of velocity; 0: the whole image.", "px", (0, 10**5)
    )
    components: int = declare(25, "Channels of a window, its strongest directions.",
                              bounds=(1, 1000))  # fmt: skip
    sources: int = declare(10, "Sources of a window that are looked for.", bounds=(1, 1000))
    silhouette: float = declare(0.85, "Least silhouette of a source of velocity.", bounds=(0, 1))
    deviation: float = declare(
        25.0, "Most that intervals of a source of velocity deviate from their mean, on average.",
        "ms", (0, 10**4),
    )  # fmt: skip
    peel_off: bool = declare(True, "Take away from velocity what a source explains.")
    agreement: float = declare(
        0.7, "Least correlation of courses that are one unit's.", bounds=(0, 1)
    )


@dataclass(frozen=True, kw_only=True)
class NmfSettings(BandSettings):
    """Of non-negative factors."""

    components: int = declare(25, "Factors of the image.", bounds=(1, 1000))
    agreement: float = declare(
        0.7, "Least correlation of courses that are one unit's.", bounds=(0, 1)
    )


ST_ICA = """\
Spatio-temporal independent component analysis of velocity (Rohlén et al. 2020, IEEE Access 8, \
50299-50311).

What it does: velocity is filtered to 5-100 Hz. The image is cut into windows of 20 x 20 px, \
each half over the next (19 x 19 of them in doi:10.1038/s41598-022-12999-4). In each the 25 \
strongest singular directions are kept (25 to 50 there), and turned until images and courses \
are as independent as can be, in equal parts, with sech^2 as the density of sources (Stone et \
al. 2002, doi:10.1006/nimg.2001.0986). Components of windows that overlap and move alike are \
one unit.

What it assumes: a unit moves its pixels by one course, in proportion; no more units in a \
window than components; that units differ in where they are and in when they fire, and that \
each fills a small part of a window: one that fills half of it is not sparse, and is lost. \
Units that always fire together are one. It wants as many frames as there are components, and \
more are better: the papers' recordings are of 10 s and more.

What publications leave open, and what is chosen here: of the papers abstracts and published \
code were at hand, not their full texts. They match components with firings of an \
electromyogram, so they need not tell units from noise. Here a component counts if it is \
1.2 times as strong as the strongest direction that the recording's noise has in such a \
window, by its colour over time and over pixels, and a unit if two windows hold it, where \
there are two (repeats). Maps are means over windows. Trains are what a component's weights \
make of the recording as it is, before the filter. spatial_weight 1 looks at images alone: \
doi:10.1186/s13104-022-06093-1 finds that best in muscle; on simulated seconds, equal parts \
find more.

Ranges: images from 20 x 20 px on (window), any frame rate above 10 Hz, recordings from 0.35 \
s on."""


VEL_BSS = """\
Fast separation of velocity into courses and maps (Rohlén, Lundsberg, Malesevic and Antfolk \
2023, doi:10.1088/1741-2552/acd4e9).

What it does: velocity is filtered to 5-100 Hz and reduced to its strongest directions, which \
are turned by the fixed-point algorithm (Hyvärinen 1999, doi:10.1109/72.761722), all at once, \
not by the optimiser of spatio-temporal independent component analysis. Courses are the image \
times a component's map. The paper reports 20 times less computing time, twitches that \
correlate by 0.96 with those of stica, and maps by 0.81.

What it assumes: a unit moves its pixels by one course, in proportion; maps of units do not \
correlate over the image. Where units overlap much that does not hold, and they mix. Units \
that always fire together are one.

What publications leave open, and what is chosen here: of the paper its abstract and figures \
of merit were at hand, not its equations. That images are independent, rather than courses, \
agrees with the maps and twitches that it shares with stica; in recordings of a second, the \
few independent samples of courses separate nothing. The whole image is separated at once, as \
50 components, or as many as stand out from noise; which of them are units is decided as in \
stica.

Ranges: any image from 2 x 2 px on, any frame rate above 10 Hz, recordings from 0.35 s on."""


STA = """\
Spike-triggered averages for firings that are given, as of an electromyogram, in a table.

What it does: of each unit's firings the velocity of all pixels around them is averaged. Its \
strongest direction over pixels and time is the unit's map and its twitch; the train is that \
twitch at each firing. The confidence compares the average with those of the same firings \
shifted in time by 1 to 8 ninths of the recording.

What it assumes: that a twitch is over when the next one begins, that other units fire at \
random beside it, and that a unit's twitches are alike. Where twitches fuse, the average is \
too small and too short (Andreassen and Bar-On 1983, doi:10.1109/TBME.1983.325189), and units \
that fire together are seen in one another's maps.

What publications leave open, and what is chosen here: the span, 25 ms before to 250 ms after \
a firing; the map as a singular direction in place of peaks. A simulated recording's own \
firings are taken where none are given: then it tells how far averages go if all firings are \
known.

Ranges: any image from 2 x 2 px on, any frame rate, recordings from 0.35 s on; five firings a \
unit or more (triggers), and far more for weak units."""


CBSS = """\
Convolutive blind source separation, as of electromyograms (Negro et al. 2016, \
doi:10.1088/1741-2560/13/2/026027), of trains as in doi:10.1186/s12938-023-01076-0, or \
straight of velocity (source).

What it does: channels are extended by copies that are delayed by one frame each, and \
whitened. A fixed-point iteration looks for the most skewed direction, at right angles to \
those before. Its peaks are told from noise by two classes of their squares; the filter is \
made again from the pulses as long as their intervals become more regular. The silhouette says \
how far pulses stand out. Of trains, units are those of velbss. Of velocity, the channels are \
the directions of windows that are stronger than noise, extended by half the span; what a \
source explains is peeled off. Each source is then undone as a train is, and counts if its \
silhouette is 0.85 or more and its intervals deviate by 25 ms or less on average; its map is \
the spike-triggered average of its window, and sources that move alike in windows that overlap \
are one unit. Firings are found in each unit's train by itself.

What it assumes: that responses to firings are alike, that a filter of extension frames \
undoes them, that units fire regularly, and many firings: in a recording of a second half of \
the firings may be wrong where twitches fuse.

What publications leave open, and what is chosen here: of the paper on trains its abstract was \
at hand (97.5 % of simulated and 98.0 % of real firings), not its constants. 20 copies are \
used by published code at 2 kHz; at 400 Hz that is 50 ms. That velocity is separated in \
windows of 8 to 16 px, with half as many copies, each source undone once more, and that 25 ms, \
is published code's too; that only directions stronger than noise are channels, in place of \
those with 70 % of the energy, and how windows are pooled, is chosen here. Published code also \
asks for a fifth of a source's energy at 6-14 Hz, which is left out: it holds for slow units. \
Pulses lie where the filter is, a constant time from the firing. They stay unless another way \
of finding firings is asked for.

Ranges: images from 16 x 16 px on (window), or any of trains, any frame rate above 10 Hz, \
recordings from 0.35 s on."""


NMF = """\
Non-negative factors of velocity, combined to independent images (NMF-stICA: Yin et al. 2025, \
Science China Technological Sciences 68 (5)).

What it does: velocity is filtered to 5-100 Hz, lifted to 0 to 1 and factored into images and \
courses that are not negative, one at a time (Cichocki and Phan 2009, \
doi:10.1587/transfun.E92.A.708). Images are then combined so that they are likeliest under a \
skewed density: mostly nothing, and positive where a unit is. The paper reports 87 % accuracy \
of maps and 85 % of courses in its own simulations.

What it assumes: what stica does, and that factors that are not negative hold all units. \
Velocity has both signs: lifted, most of its energy is the lift, which costs weak units.

What publications leave open, and what is chosen here: of the paper its abstract was at hand. \
It fits a density to each component; here one is taken for all, that of published code, with \
its mode where a map's median is. That code weighs the independence of images by 0.8 and that \
of courses by 0.2, for 12 factors; here images alone count, of 25. Courses are least squares \
with the images. Which components are units is decided as in stica.

Ranges: any image from 2 x 2 px on, any frame rate above 10 Hz, recordings from 0.35 s on."""
