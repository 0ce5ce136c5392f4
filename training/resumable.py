"""An evaluation that is made in parts, in parallel, and goes on where it was interrupted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..datasets.parallel import open_workers
from ..simulator.errors import InputError
from .evaluations import EvaluationFolder


@contextmanager
def evaluation_in_parts(
    folder: EvaluationFolder,
    settings: Mapping[str, Any],
    software: Any,
    tasks: Mapping[str, tuple[Any, ...]],
    work: Callable[..., None],
    total: int,
    *,
    workers: int | None,
    resume: bool,
    overwrite: bool,
    on_progress: Callable[[int, int], None],
) -> Iterator[tuple[EvaluationFolder, list[Any]]]:
    """Make all parts of an evaluation, and of one that is resumed those that lack.

    Parameters
    ----------
    folder : EvaluationFolder
    settings : mapping
        Plain values; what is resumed has to have the same.
    software : str or mapping
        Versions, written beside the settings; they may differ.
    tasks : mapping of str to tuple
        The parts by name, in order, each with what `work` is called with after the folder's
        address.
    work : callable
        Writes a part; of a module, for it runs wherever dask puts it.
    total : int
        Sequences in all.
    workers, resume, overwrite, on_progress
        As every evaluation takes them.

    Yields
    ------
    EvaluationFolder
        The folder in which to finish the evaluation; one that it replaces is exchanged for it
        afterwards.
    list
        What the parts hold, in the order of `tasks`.

    Raises
    ------
    InputError
        If something is there already, or of wrong input. What this call began to write is then
        removed again.
    FailureError
        If the folder cannot be written, or a worker dies.
    """
    with (
        open_workers(workers=workers) as run,
        folder.at_work(resume=resume, overwrite=overwrite) as place,
    ):
        place.check(settings, resume=resume, overwrite=overwrite)
        begun = overwrite or not place.exists
        if overwrite and place.exists:
            place.remove()
        if not begun and folder.files.changeable:
            place.reopen(tasks)
        place.write_settings({**settings, "software": software})
        done = place.parts()
        todo = {name: arguments for name, arguments in tasks.items() if name not in done}
        finished = len(tasks) - len(todo)

        def report() -> None:
            on_progress(round(total * finished / len(tasks)), total)

        def on_done() -> None:
            nonlocal finished
            finished += 1
            report()

        report()
        try:
            if todo:
                address = place.location.address
                run(work, [(address, *arguments) for arguments in todo.values()], on_done)
        except InputError:
            # What is wrong with the input stays wrong: there is nothing to resume.
            if begun:
                place.remove()
            raise
        yield place, [place.read_part(name) for name in tasks]
