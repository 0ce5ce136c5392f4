"""Finding out where the answer of a run on pairs comes from, with figures in a folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....datasets.location import Location
from ....datasets.origin import software_versions
from ....datasets.store import open_slices
from ....datasets.volumes.slices import Slice, StoredSlices, cut, padded, slices_of
from ....simulator.errors import InputError
from ....simulator.seeds import check_seed
from ...evaluations import EvaluationFolder
from ...runs.folder import RunFolder
from ...tasks import digest_of
from ..protocol.predictions import TASK
from ..protocol.survey import Survey, body_in, survey_of
from .explanation import Mapped, Marked, Pointed, Seen, Structured, WindowExplanation
from .features import structures_of
from .files import CURVE, FILES, MAP, POINTS, SIZES, STRUCTURES
from .tables import curve_rows, map_rows, point_rows, size_rows, structure_rows, summary
from .windows import (
    WIDTHS,
    Translator,
    WindowAnswers,
    answers_at,
    drawn_points,
    even_points,
    windowed,
)

LEAST_BODY = 100
"""Pixels of the body without which a slice is not looked at."""

SHOWN_WIDTHS = (5, 25, 51, 75)
"""Of windows that are drawn with what comes of them, px; the paper's are 5, 25, 50 and 75."""


@dataclass(frozen=True)
class _Asked:
    """A network and the slices that it is asked about."""

    translator: Translator
    slices: StoredSlices
    survey: Survey

    def canvas(self, one: Slice) -> tuple[int, int]:
        """Return depth and width of what the network is given of a slice, px."""
        alone = getattr(self.translator, "alone", False)
        depth, width = one.image.shape if alone else self.slices.store.layout.shape[1:]
        return depth, width

    def answers(
        self, one: Slice, points: NDArray[np.int64], widths: Sequence[int],
        done: Callable[[], None],
    ) -> WindowAnswers:  # fmt: skip
        """Ask about points of a slice; answers are in levels."""
        size = one.image.shape
        offset = [(whole - side) // 2 for whole, side in zip(self.canvas(one), size, strict=True)]
        found = answers_at(
            self.translator, padded(one.image, self.canvas(one)), points + offset, widths, done
        )
        levels = self.survey.second
        return WindowAnswers(points, found.widths, levels.of(found.answers), levels.of(found.whole))

    def generated(self, one: Slice) -> NDArray[np.float64]:
        """Return what the network makes of a whole slice, in levels, without what is around it."""
        image = self.translator.batch(padded(one.image, self.canvas(one))[None])[0]
        return self.survey.second.of(cut(image, one.image.shape))


def explain_pairs(
    run: str | Path,
    data: str,
    out: str | Path | None = None,
    *,
    points: int = 60,
    slices: int = 24,
    mapped: int = 80,
    widths: Sequence[int] = WIDTHS,
    seed: int = 0,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> WindowExplanation:
    """Tell how far a network looks about a point, and how small a structure may be for it.

    The window analysis of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8, Fig. 13), at many
    points, and the contrast of structures that generated slices keep, by width.

    Parameters
    ----------
    run : path
        Of ``musim train translate`` on pairs.
    data : str
        Store of paired slices that the run has not seen.
    out : path, optional
        A local folder for tables and figures; without it nothing is written.
    points : int
        Drawn at random in the body, over all slices that are looked at.
    slices : int
        That are looked at, evenly over those of the store that show the body.
    mapped : int
        Points of each of the maps, one a plane; about as many.
    widths : sequence of int
        Of windows, px; growing.
    seed : int
        Of the points, 0 or more.
    overwrite : bool
        Whether to replace an explanation that is there.
    on_progress : callable
        Called with the numbers of points and slices done and in all.

    Returns
    -------
    WindowExplanation

    Raises
    ------
    InputError
        If there is no such run, the store holds no paired slices, or something is at `out`.
    """
    check_seed(seed)
    for name, number in (("points", points), ("slices", slices), ("mapped", mapped)):
        if number < 1:
            raise InputError(f"`{name}`: found {number}, wanted 1 or more")
    folder = None if out is None else EvaluationFolder(out, FILES)
    if folder is not None:
        folder.check(overwrite=overwrite)
    RunFolder(run).describe(TASK)
    opened = open_slices(data)
    survey = survey_of(opened)
    from ..applying import load  # which brings torch

    asked = _Asked(load(str(run)), slices_of(opened), survey)
    chosen = _chosen(survey, slices)
    found = _explain(asked, chosen, points, mapped, tuple(widths), seed, on_progress)
    if folder is not None:
        from .figures import draw_charts  # matplotlib is imported where something is drawn

        with folder.at_work(overwrite=overwrite) as place:
            place.write_settings(
                {
                    "run": Location(str(run)).address,
                    "weights": digest_of(run),
                    "data": opened.location.address,
                    "seed": seed,
                    "explanation": summary(found),
                    "software": software_versions(),
                }
            )
            place.write_charts(draw_charts(found))
            place.write_table(POINTS, point_rows(found))
            place.write_table(CURVE, curve_rows(found))
            place.write_table(MAP, map_rows(found))
            place.write_table(STRUCTURES, structure_rows(found))
            place.write_table(SIZES, size_rows(found))
    return found


def _chosen(survey: Survey, count: int) -> list[int]:
    """Return slices at even distances among those of each plane that show the body."""
    shown = [index for index, size in enumerate(survey.body) if size >= LEAST_BODY]
    if not shown:
        shown = list(survey.examples)
    count = min(count, len(shown))
    places = (2 * np.arange(count) + 1) * len(shown) // (2 * count)
    # In the order of planes, so that each has its share.
    ordered = sorted(shown, key=lambda index: (survey.planes[index], index))
    return [ordered[place] for place in places]


def _explain(
    asked: _Asked, chosen: Sequence[int], points: int, mapped: int, widths: tuple[int, ...],
    seed: int, on_progress: Callable[[int, int], None],
) -> WindowExplanation:  # fmt: skip
    survey = asked.survey
    maps = {
        index: even_points(body_in(asked.slices[index], survey.first, survey.second), mapped)
        for index in survey.examples
    }
    shares = dict(zip(chosen, _shares(points, len(chosen)), strict=True))
    total = sum(shares.values()) + len(chosen) + sum(len(each) for each in maps.values())
    steps: Iterator[int] = iter(range(1, total + 1))

    def done() -> None:
        on_progress(min(next(steps, total), total), total)

    pointed, structures = [], []
    for index in chosen:
        one = asked.slices[index]
        body = body_in(one, survey.first, survey.second)
        actual = survey.second.of(one.image_b)
        if shares[index]:
            places = drawn_points(body, shares[index], seed, index)
            answers = asked.answers(one, places, widths, done)
            pointed.append(Pointed(one, answers, actual[places[:, 0], places[:, 1]]))
        seen = structures_of(actual, asked.generated(one), body)
        structures.append(Structured(one, seen))
        done()
    drawn = [
        Mapped(one, survey.first.of(one.image), asked.answers(one, places, widths, done))
        for index, places in maps.items()
        for one in (asked.slices[index],)
    ]
    return WindowExplanation(
        widths, tuple(pointed), tuple(drawn), tuple(structures), _seen(asked), _marked(asked)
    )


def _shares(count: int, parts: int) -> list[int]:
    """Return whole numbers of that sum that differ by 1 at most."""
    ends = np.arange(parts + 1) * count // parts
    return np.diff(ends).tolist()


def _seen(asked: _Asked) -> Seen:
    """Return what the network makes of windows about the middle of a slice, as in Fig. 13."""
    survey = asked.survey
    sagittal = [index for index in survey.examples if survey.planes[index] == "sagittal"]
    one = asked.slices[(sagittal or list(survey.examples))[0]]
    body = body_in(one, survey.first, survey.second)
    places = np.argwhere(body) if body.any() else np.argwhere(np.ones_like(body))
    middle = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    size = one.image.shape
    offset = [(whole - side) // 2 for whole, side in zip(asked.canvas(one), size, strict=True)]
    shown = windowed(padded(one.image, asked.canvas(one)), middle + offset, SHOWN_WIDTHS)
    made = asked.translator.batch(shown)
    return Seen(
        one, SHOWN_WIDTHS,
        np.stack([cut(survey.first.of(image), size) for image in shown]),
        np.stack([cut(survey.second.of(image), size) for image in made]),
    )  # fmt: skip


def _marked(asked: _Asked) -> Marked:
    """Return the first example with its structures, to be marked in a picture."""
    survey = asked.survey
    one = asked.slices[survey.examples[0]]
    actual, generated = survey.second.of(one.image_b), asked.generated(one)
    body = body_in(one, survey.first, survey.second)
    return Marked(one, actual, generated, structures_of(actual, generated, body))
