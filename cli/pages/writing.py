"""Pages of a result: which there are, and writing them."""

import json
from collections.abc import Callable
from pathlib import Path

from ...datasets.location import Location
from ...datasets.store import open_sequences
from ...simulator.errors import FailureError, InputError
from ...training.evaluations import EvaluationFolder
from ...training.identification.evaluation import SETTINGS, UNITS, read_evaluation
from ...training.paired.explaining.files import FILES as WINDOWS_FILES
from ...training.paired.protocol.files import FILES as PAIRED_FILES
from ...training.sections.likeness.evaluation import SETTINGS as LIKENESS
from ...training.sections.protocol.files import FILES as THICKNESS_FILES
from ...training.state.explaining.files import FILES as EXPLANATION_FILES
from ...training.state.protocol.files import FILES as STATE_FILES
from ...training.translation.evaluation import SETTINGS as TRANSLATION
from ..targets import written_aside


def write_pages(
    result: str, path: Path, sequence: int | None, on_page: Callable[[int, int], None]
) -> tuple[Path, int]:
    """Write a page of an evaluation, or one of each recording in which units were sought.

    Parameters
    ----------
    result : str
        Path or URL of a store of found units, or of the folder of an evaluation.
    path : Path
        Of the page; several get the number of the recording at the end of its stem.
    sequence : int, optional
        The only recording of which there is to be a page.
    on_page : callable
        Called with the numbers of pages written and in all, where there are several.

    Returns
    -------
    (Path, int)
        The first page, and how many more there are.

    Raises
    ------
    InputError
        If there is no such result or recording, or an evaluation is asked for one recording.
    FailureError
        If the result is damaged, or a page cannot be written.
    """
    location = Location(result)
    for settings, page_of in (
        (SETTINGS, _of_identification),
        (TRANSLATION, _of_translation),
        (LIKENESS, _of_likeness),
        (THICKNESS_FILES.settings, _of_thickness),
        (STATE_FILES.settings, _of_state),
        (EXPLANATION_FILES.settings, _of_explanation),
        (PAIRED_FILES.settings, _of_pairs),
        (WINDOWS_FILES.settings, _of_windows),
    ):
        if location.is_local and location.exists(settings):
            if sequence is not None:
                raise InputError(
                    f"{result}: found an evaluation and `sequence`, wanted no `sequence`"
                )
            _write(path, page_of(location))
            return path, 0
    from .findings import read_findings
    from .recording import Links, recording_page

    store = open_sequences(result)
    if sequence is not None or len(store) == 1:
        _write(path, recording_page(read_findings(store, sequence or 0)))
        return path, 0
    pages = [path.with_name(f"{path.stem}-{index:06d}{path.suffix}") for index in range(len(store))]
    for index, page in enumerate(pages):
        links = Links(
            pages[index - 1].name if index else None,
            pages[index + 1].name if index + 1 < len(pages) else None,
        )
        _write(page, recording_page(read_findings(store, index), links))
        on_page(index + 1, len(pages))
    return pages[0], len(pages) - 1


def _of_translation(location: Location) -> str:
    from .translation import translation_page

    return translation_page(location)


def _of_likeness(location: Location) -> str:
    from .likeness import likeness_page

    return likeness_page(location)


def _of_thickness(location: Location) -> str:
    from .thickness import thickness_page

    EvaluationFolder(location.path, THICKNESS_FILES).check_finished()
    return thickness_page(location)


def _of_state(location: Location) -> str:
    from .state import state_page

    EvaluationFolder(location.path, STATE_FILES).check_finished()
    return state_page(location)


def _of_explanation(location: Location) -> str:
    from .explanation import explanation_page

    EvaluationFolder(location.path, EXPLANATION_FILES).check_finished()
    return explanation_page(location)


def _of_pairs(location: Location) -> str:
    from .paired import paired_page

    EvaluationFolder(location.path, PAIRED_FILES).check_finished()
    return paired_page(location)


def _of_windows(location: Location) -> str:
    from .windows import windows_page

    EvaluationFolder(location.path, WINDOWS_FILES).check_finished()
    return windows_page(location)


def _of_identification(location: Location) -> str:
    from .evaluation import evaluation_page

    if not location.exists(UNITS):
        read_evaluation(location.url)  # says that it is unfinished
    try:
        evaluation = read_evaluation(location.url)
        software = json.loads(json.loads(location.read(SETTINGS)).get("software", "{}"))
        return evaluation_page(evaluation, str(location), software)
    except (KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{location}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate; evaluate again"
        ) from error


def _write(path: Path, page: str) -> None:
    with written_aside(path) as aside:
        aside.write_text(page, encoding="utf-8", newline="\n")
