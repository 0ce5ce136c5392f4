"""Methods that find units in a recording, behind one interface.

A method takes a recording, and what else it says that it needs, and returns the units it finds. It
is a function that is registered by a name (:func:`register`), with what the truth is to it,
whether it takes runs of ``musim train`` or firings that are known, and its settings; nothing else
tells methods apart.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ..blind_pixels import unseen
from ..confidence.least import check_least, cut_below
from ..doubts import doubts
from ..explanation import explained
from ..firings import way_named, with_firings
from ..frame_faults import with_faults
from ..other_motion import without_other_motion
from ..remarks import joined
from ..units import Recording, Units, check, is_still, none
from .learned.description import PAGE as LEARNED
from .long_recordings import read_throughout
from .prepared import prepare
from .published import descriptions as published
from .settings import MethodSettings

LONGEST = 8.0
"""Duration that musim's own methods look at together, s: the time they take grows with the third
power of it, and the memory with the second."""

USUAL = "learned"
"""The method unless another is asked for."""

Find = Callable[..., Units]


@dataclass(frozen=True)
class Method:
    """A way to find units.

    Parameters
    ----------
    name : str
        As in ``musim identify --method NAME``.
    summary : str
        What it does.
    find : callable
        Takes a recording, and by their names ``truth``, ``runs``, ``settings`` and ``events`` if
        the method uses them; returns its units.
    truth : {"unused", "used", "needed"}
        Whether `find` is given the recording's truth: never, where it is known (else None), or
        always; recordings without truth are then refused.
    takes_runs : tuple of str
        Of which tasks of ``musim train`` `find` is given runs, a sequence of str that may be empty;
        of none, it is not.
    check_runs : callable, optional
        Of a method that takes runs: returns for the runs that were given those that will be used,
        by their absolute paths, and raises InputError if they cannot be.
    settings : subclass of MethodSettings, optional
        What can be set of it; `find` is given one of these.
    takes_events : bool
        Whether `find` is given firings that are known, float64 (unit, pulse) in s and padded with
        NaN, or None.
    firings_of_trains : bool
        Whether its firings are but those of its trains, so that other ways to find them take their
        place unasked.
    keeps_confidence : bool
        Whether its units keep the confidence and the order that it gives them, instead of those
        that all methods share (:mod:`..confidence`).
    longest : float
        Duration of what it looks at together, s; of a longer recording it is given a part, and
        trains are read in the rest (:mod:`.long_recordings`).
    page : str
        What it does and assumes, and where it was published, in paragraphs; as ``musim methods
        NAME`` shows it.
    """

    name: str
    summary: str
    find: Find
    truth: Literal["unused", "used", "needed"] = "unused"
    takes_runs: tuple[str, ...] = ()
    check_runs: Callable[[Sequence[str]], list[str]] = list
    settings: type[MethodSettings] | None = None
    takes_events: bool = False
    page: str = ""
    firings_of_trains: bool = False
    keeps_confidence: bool = False
    longest: float = math.inf

    def settings_of(self, given: Mapping[str, Any] | None = None) -> MethodSettings | None:
        """Return the method's settings, those that are given over their defaults.

        Parameters
        ----------
        given : mapping of str to object, optional
            Values, or texts as a user types them.

        Raises
        ------
        InputError
            If one is unknown or cannot be used, or if the method has none.
        """
        if self.settings is not None:
            return self.settings(**(given or {}))
        if given:
            having = ", ".join(each.name for each in METHODS.values() if each.settings)
            raise InputError(
                f"settings: found {next(iter(given))} for {self.name}, which has none, wanted a "
                f"method that has: {having}"
            )
        return None

    def check_events(self, has_truth: bool, has_events: bool) -> None:
        """Raise InputError unless it has the firings that it needs, and no others are given."""
        if has_events and not self.takes_events:
            takers = " or ".join(each.name for each in METHODS.values() if each.takes_events)
            raise InputError(
                f"method: found {self.name} with `events`, wanted {takers}; leave one out"
            )
        if self.takes_events and not has_events and not has_truth:
            raise InputError(
                f"method: found {self.name} without firings, wanted those that are known; give "
                "a table of them as `events`"
            )

    def check_epochs(self, epochs: int, frames: int, frame_rate: float) -> None:
        """Raise InputError unless its units can be found anew in so many epochs."""
        from ..confidence.epochs import spans_of

        if self.takes_events or self.truth == "needed":
            raise InputError(
                f"`epochs`: found {epochs} for {self.name}, which is told what to find, wanted a "
                "method that is not; leave it out"
            )
        spans_of(frames, frame_rate, epochs)

    def check(self, has_truth: bool, runs: Sequence[str] = ()) -> list[str]:
        """Return the runs that the method will use, each by its absolute path.

        Raises
        ------
        InputError
            Unless there is the truth if it needs it, and such runs.
        """
        if self.truth == "needed" and not has_truth:
            raise InputError(
                f"method: found {self.name} for a recording without truth, wanted a simulated one; "
                "use another method"
            )
        if self.takes_runs:
            return self.check_runs(runs)
        if runs:
            takers = " or ".join(each.name for each in METHODS.values() if each.takes_runs)
            raise InputError(
                f"method: found {self.name} with a run of musim train, wanted {takers}; leave one "
                "out"
            )
        return []

    def __call__(
        self,
        recording: Recording,
        truth: Truth | None = None,
        runs: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        events: NDArray[np.float64] | None = None,
    ) -> Units:
        """Find units in a recording, looking at what the method uses of the others alone.

        Raises
        ------
        InputError
            If what the method needs is missing, a setting cannot be used, or units cannot be
            sought.
        """
        self.check_events(truth is not None, events is not None)
        if self.truth == "needed" and truth is None:
            raise InputError(
                f"{self.name}: found no truth, wanted the recording's; give a simulated one"
            )
        given: dict[str, Any] = {}
        if self.truth != "unused":
            given["truth"] = truth
        if self.takes_runs:
            given["runs"] = runs
        chosen = self.settings_of(settings)
        if chosen is not None:
            given["settings"] = chosen
        if self.takes_events:
            given["events"] = events
        return self.find(recording, **given)


METHODS: dict[str, Method] = {}
"""The methods by name."""


def register(
    name: str,
    summary: str,
    *,
    truth: Literal["unused", "used", "needed"] = "unused",
    takes_runs: tuple[str, ...] = (),
    check_runs: Callable[[Sequence[str]], list[str]] = list,
    settings: type[MethodSettings] | None = None,
    takes_events: bool = False,
    page: str = "",
    firings_of_trains: bool = False,
    keeps_confidence: bool = False,
    longest: float = math.inf,
) -> Callable[[Find], Find]:
    """Let a function be one of the methods; for use as a decorator.

    Parameters are those of :class:`Method`. A script's and a notebook's methods go to worker
    processes whole; others are imported there from the module that registers them.

    Raises
    ------
    ValueError
        If there is another method of this name.
    """
    if name in METHODS:
        raise ValueError(f"found another method named {name!r}; choose another name")

    def decorate(find: Find) -> Find:
        METHODS[name] = Method(
            name,
            summary,
            find,
            truth,
            takes_runs,
            check_runs,
            settings,
            takes_events,
            page,
            firings_of_trains,
            keeps_confidence,
            longest,
        )
        return find

    return decorate


def method_named(name: str) -> Method:
    """Return a method by its name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in METHODS:
        raise InputError(f"method: found {name!r}, wanted one of {', '.join(METHODS)}")
    return METHODS[name]


def known_in(work: Callable[..., None], name: str) -> Callable[..., None]:
    """Return `work` for other processes, in which a method that a script registered is known too.

    Raises
    ------
    InputError
        If there is no such method.
    """
    return functools.partial(_work_with, method_named(name), work)


def _work_with(method: Method, work: Callable[..., None], *arguments: Any) -> None:
    METHODS.setdefault(method.name, method)
    work(*arguments)


def usual_method(runs: Sequence[str] = ()) -> str:
    """Return the name of the method unless another is asked for: with runs, one that takes them.

    Raises
    ------
    InputError
        If there is none that takes them all, or one is no run.
    """
    if not runs:
        return USUAL
    tasks = {run: task_of(run) for run in runs}
    for method in METHODS.values():
        if set(tasks.values()) <= set(method.takes_runs):
            return method.name
    found = ", ".join(dict.fromkeys(tasks.values()))
    takers = "; or ".join(
        f"{' and '.join(each.takes_runs)} (for {each.name})"
        for each in METHODS.values()
        if each.takes_runs
    )
    raise InputError(f"`runs`: found those of musim train {found}, wanted those of {takers}")


def task_of(run: str) -> str:
    """Return the task of ``musim train`` that a run is of; raise InputError if it is no run."""
    from ...runs.folder import RunFolder

    return str(RunFolder(run).describe()["task"])


def identify(
    recording: Recording,
    method: str = USUAL,
    *,
    truth: Truth | None = None,
    runs: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    events: NDArray[np.float64] | None = None,
    firings: str | None = None,
    min_confidence: float = 0.0,
    epochs: int = 0,
) -> Units:
    """Find the units in a recording.

    Parameters
    ----------
    recording : Recording
    method : str
        One of :data:`METHODS`.
    truth : Truth, optional
        What oracles are given.
    runs : sequence of str
        Runs of ``musim train`` that ``network`` or ``learned`` takes in place of what comes with
        musim.
    settings : mapping of str to object, optional
        Of the method, by their names in ``METHODS[method].settings``.
    events : float64 array of shape (unit, pulse), optional
        Firings that are known, s after the first frame, padded with NaN; for ``sta``.
    firings : str, optional
        How firings are found in trains, one of :data:`..firings.FIRINGS`. Firings that were given
        stay as they are, and those that a method finds otherwise unless this is asked for.
    min_confidence : float
        Units of less confidence are left out and counted (``cut``), 0..1.
    epochs : int
        In how many overlapping epochs units are found anew, to tell how they come back
        (``parts.epoch_jaccard``, ``parts.epoch_agreement``); in none, unless asked for.

    Returns
    -------
    Units
        The most certain first, with the numbers that their confidence is joined from (``parts``);
        none where there is nothing but noise.

    Raises
    ------
    InputError
        If the method is unknown, lacks the truth, does not take runs that are given, or units
        cannot be sought in the recording.
    """
    chosen = method_named(method)
    if runs and not chosen.takes_runs:
        chosen.check(truth is not None, runs)
    chosen.settings_of(settings)
    chosen.check_events(truth is not None, events is not None)
    way_named(firings)
    least = check_least(min_confidence)
    check(recording, still=True)
    if epochs:
        chosen.check_epochs(epochs, len(recording.tvi), recording.frame_rate)
    if is_still(recording):
        return none(recording, ("nothing-recorded",))
    ready, faults = prepare(recording, chosen.longest)
    if ready is None:
        return with_faults(none(recording, ("too-short",)), faults)
    recording, blind = ready.recording, ready.blind

    def find(recording: Recording) -> Units:
        units = chosen(recording, truth, runs, settings, events)
        if chosen.truth == "unused":
            units = without_other_motion(recording, units)
        if not chosen.takes_events and (chosen.firings_of_trains or firings is not None):
            units = with_firings(recording, units, firings)
        return units

    units = find(recording)
    seen = [
        ("saturated", ready.clipped), ("slow-motion-removed", ready.slow),
        ("searched-in-part", ready.in_part),
    ]  # fmt: skip
    more = [name for name, is_so in seen if is_so]
    units = dataclasses.replace(units, remarks=(*more, *units.remarks))
    if units.count:
        from ..confidence.joint import with_confidence  # where there is something to believe

        units = with_confidence(recording, units, keep=chosen.keeps_confidence)
        if epochs:
            from ..confidence.epochs import with_epochs

            units = with_epochs(recording, units, find, epochs)
    units = cut_below(units, least)
    units = explained(recording, units)
    if ready.in_part:
        units = read_throughout(ready.whole, units, ready.span, ready.slow)
        units = with_firings(ready.whole, units, firings) if chosen.firings_of_trains else units
    units = unseen(units, blind) if blind.any() else units
    remarks = joined(*units.remarks, *doubts(units, recording.pixel_size))
    units = dataclasses.replace(units, remarks=remarks)
    return with_faults(units, faults)


# The methods that come with musim. Their modules are imported when they are used: they bring SciPy,
# or torch.


@register(
    "ica",
    "Independent components that both halves of the recording hold, an outline for each from its "
    "own map, whatever the tissue does; where units are seen to move as they are, independent "
    "components of the image's gradients.",
    firings_of_trains=True,
    longest=LONGEST,
)
def _ica(recording: Recording) -> Units:
    from .ica import ica

    return ica(recording)


@register(
    "ica+refine",
    "The same, but where units are seen to move as they are, trains and those seen across the "
    "edges of territories are fitted in turn with territories until they agree with the recording, "
    "and the better explanation is kept.",
    firings_of_trains=True,
    longest=LONGEST,
)
@register("refine", "The same as ica+refine.", firings_of_trains=True, longest=LONGEST)
def _refine(recording: Recording) -> Units:
    from .refine import ica_and_refine

    return ica_and_refine(recording)


def _judging(runs: Sequence[str]) -> list[str]:
    from .learned.weights import resolve

    return resolve(runs)


@register(
    "learned",
    "Trains that windows of the image hold, judged by a network that learned from simulated "
    "recordings what units look like; where units are seen to move as they are, refined as by "
    "refine.",
    page=LEARNED,
    firings_of_trains=True,
    longest=LONGEST,
    # Its judgement was learned as such a probability, from more than is seen of its units later.
    keeps_confidence=True,
    takes_runs=("judge",),
    check_runs=_judging,
)
def _judged(recording: Recording, runs: Sequence[str]) -> Units:
    from .learned.weights import learned_of, resolve
    from .refine import judged_and_refine

    return judged_and_refine(recording, learned_of(*resolve(runs)))


@register(
    "edges+refine",
    "The last step of ica+refine alone, from edges.",
    firings_of_trains=True,
    longest=LONGEST,
)
def _edges(recording: Recording) -> Units:
    from .refine import edges_and_refine

    return edges_and_refine(recording)


def _resolved(runs: Sequence[str]) -> list[str]:
    from .network import resolve

    return list(resolve(runs).to_json().values())


@register(
    "network",
    "A trained detector and a trained estimator of twitch trains (Ali et al. 2020).",
    takes_runs=("detect", "twitch"),
    check_runs=_resolved,
    firings_of_trains=True,
)
def _network(recording: Recording, runs: Sequence[str]) -> Units:
    from .network import network, resolve

    return network(recording, resolve(runs))


@register(
    "oracle-territories",
    "The true territories are given, trains are fitted: the most that methods of this family could "
    "reach.",
    truth="needed",
    firings_of_trains=True,
)
def _oracle_of_territories(recording: Recording, truth: Truth) -> Units:
    from .oracle import with_territories

    return with_territories(recording, truth)


@register(
    "oracle-trains",
    "The true trains are given, territories are fitted.",
    truth="needed",
    firings_of_trains=True,
)
def _oracle_of_trains(recording: Recording, truth: Truth) -> Units:
    from .oracle import with_true_trains

    return with_true_trains(recording, truth)


@register(
    "oracle-maps",
    "What each true unit moves where is given, whatever the tissue does, and trains are read: the "
    "most that can be seen of units. Of recordings that musim did not simulate, fitted to the true "
    "trains in every other quarter of a second.",
    truth="needed",
    firings_of_trains=True,
)
def _oracle_of_maps(recording: Recording, truth: Truth) -> Units:
    from .oracle import with_maps

    return with_maps(recording, truth)


@register(
    "stica",
    "Spatio-temporal independent components of windows of 20 x 20 px (Rohlén et al. 2020).",
    settings=published.StIcaSettings,
    page=published.ST_ICA,
    firings_of_trains=True,
)
def _stica(recording: Recording, settings: published.StIcaSettings) -> Units:
    from .published.stica import stica

    return stica(recording, settings)


@register(
    "velbss",
    "Velocity, separated by a fast fixed-point algorithm (Rohlén et al. 2023).",
    settings=published.VelBssSettings,
    page=published.VEL_BSS,
    firings_of_trains=True,
)
def _velbss(recording: Recording, settings: published.VelBssSettings) -> Units:
    from .published.velbss import velbss

    return velbss(recording, settings)


@register(
    "sta",
    "Spike-triggered averages for firings that a table gives, else the true ones.",
    truth="used",
    settings=published.StaSettings,
    takes_events=True,
    page=published.STA,
    # It says whether motion follows these firings; whether it is one unit's is another question.
    keeps_confidence=True,
)
def _sta(
    recording: Recording,
    truth: Truth | None,
    settings: published.StaSettings,
    events: NDArray[np.float64] | None,
) -> Units:
    from .published.sta import sta

    if events is None and truth is not None:
        events = truth.firing
    return sta(recording, settings, np.zeros((0, 0)) if events is None else events)


@register(
    "cbss",
    "Convolutive blind source separation, as of electromyograms, of trains or of velocity.",
    settings=published.CbssSettings,
    page=published.CBSS,
)
def _cbss(recording: Recording, settings: published.CbssSettings) -> Units:
    from .published.cbss import cbss

    return cbss(recording, settings)


@register(
    "nmf",
    "Non-negative factors, combined to independent images of skewed density (Yin et al. 2025).",
    settings=published.NmfSettings,
    page=published.NMF,
    firings_of_trains=True,
)
def _nmf(recording: Recording, settings: published.NmfSettings) -> Units:
    from .published.nmf import nmf

    return nmf(recording, settings)
