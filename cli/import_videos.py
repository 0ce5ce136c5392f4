"""``musim import`` of videos: B-mode videos with signals, in place of recordings and images."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..simulator.errors import InputError
from .console import err, out, print_json, progress
from .measure import pixel_size_of
from .options import SectionOption
from .wording import as_options, counted

SECTION = "Videos (MP4, AVI and other films, DICOM of several frames, or a folder of them)"

OPTIONS = ("videos", "signals", "trials", "participant", "task", "sample_rate", "emg_cutoff")
"""Options of videos alone."""

SHARED = ("--frame-rate", "--resample")
"""Options of recordings that videos have too."""


def video_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of videos."""
    options = [
        click.option(
            "--videos", is_flag=True, cls=SectionOption, section=SECTION,
            help="Take files for videos: needed of DICOM with more than 8 bits, which may be "
            "recordings.",
        ),
        click.option(
            "--signals", default=None, metavar="CSV", cls=SectionOption, section=SECTION,
            help="Columns time [s] and any of emg [V], emg_amplitude [V], torque [N m], angle "
            "[deg]; or a folder of such tables.  [default: NAME.csv beside each video]",
        ),
        click.option(
            "--trials", default=None, metavar="CSV", cls=SectionOption, section=SECTION,
            help="A table of each video's name, and its participant, task and signals (a file).",
        ),
        click.option(
            "--participant", default=None, metavar="NAME", cls=SectionOption, section=SECTION,
            help="Who takes part, if the table of trials does not say.",
        ),
        click.option(
            "--task", default=None, metavar="NAME", cls=SectionOption, section=SECTION,
            help="What is done, such as isometric, passive or combined, likewise.",
        ),
        click.option(
            "--sample-rate", type=float, default=None, metavar="HZ", cls=SectionOption,
            section=SECTION,
            help="Of signals without a column time, from the first frame on. --resample has "
            "signals interpolated, --frame-rate says that of frames.",
        ),
        click.option(
            "--emg-cutoff", type=float, default=None, metavar="HZ", cls=SectionOption,
            section=SECTION,
            help="Of the low-pass of rectified EMG, where there is no emg_amplitude.  [default: 3]",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def are_asked_for(
    files: tuple[str, ...], given: Mapping[str, Any], images: Mapping[str, Any],
    recording: Mapping[str, Any],
) -> bool:  # fmt: skip
    """Return whether files are to become videos, and neither recordings nor images.

    Parameters
    ----------
    files : tuple of str
    given : mapping
        What the options of videos were given.
    images : mapping
        What the options of images were given; videos have some of them too.
    recording : mapping
        What was given that only recordings have, by option; videos have some of that too.

    Raises
    ------
    InputError
        If options of videos and of others were given.
    """
    others = [option for option, value in recording.items() if value and option not in SHARED]
    others += [f"--{name}" for name in ("images", "masks", "sizes") if images[name]]
    own = [f"--{name.replace('_', '-')}" for name in OPTIONS if given[name] not in {None, False}]
    if given["videos"] or any(_is_certain(Path(path)) for path in files):
        wanted = True
    else:
        wanted = not others and all(_is_likely(Path(path), bool(own)) for path in files)
    if wanted and others:
        raise InputError(f"found {others[0]} for videos, wanted it without; leave it out")
    if not wanted and own:
        raise InputError(
            f"found {own[0]}, wanted it for videos alone; leave it out, or add --videos"
        )
    return wanted


def _is_certain(path: Path) -> bool:
    """Return whether a file is a film, or a folder holds one."""
    from ..datasets.videos.finding import videos_in
    from ..datasets.videos.reading import FILMS, is_film

    if path.is_dir():
        return any(is_film(one) for one in videos_in(path))
    return path.suffix.lower() in FILMS or (path.is_file() and is_film(path))


def _is_likely(path: Path, described: bool) -> bool:
    """Return whether a file, or all of a folder, is DICOM of several frames that are pictures."""
    from ..datasets.videos.cine import is_cine
    from ..datasets.videos.finding import videos_in

    several = videos_in(path) if path.is_dir() else [path]
    return bool(several) and all(
        one.is_file() and is_cine(one, any_bits=described) for one in several
    )


def bring_in(
    files: tuple[str, ...], target: str, given: Mapping[str, Any], work: Mapping[str, Any], *,
    as_json: bool,
) -> None:  # fmt: skip
    """Make a store of videos, and say what it holds."""
    from ..datasets.images.cropping import parse_crop
    from ..datasets.production import Work
    from ..datasets.videos.importing import carry_out
    from ..datasets.videos.planning import plan_videos

    began = time.perf_counter()
    crop = None if given["crop"] is None else parse_crop(given["crop"])
    chosen = {
        name: given[name]
        for name in ("participant", "task", "emg_cutoff")
        if given[name] is not None
    }
    with progress("reading", "videos") as report:
        planned = plan_videos(
            files, signals=given["signals"], trials=given["trials"], crop=crop,
            frame_rate=_hertz("--frame-rate", given["frame_rate"]),
            resample=_hertz("--resample", given["resample"]), sample_rate=given["sample_rate"],
            pixel_size=pixel_size_of(given["pixel_size"]), on_progress=report, **chosen,
        )  # fmt: skip
    layout = planned.layout
    frames = [one.video.frames for one in planned.prepared]
    long = str(frames[0]) if len(set(frames)) == 1 else f"{min(frames)} to {max(frames)}"
    tables = [one.signals for one in planned.prepared if one.signals is not None]
    named = sorted({name for table in tables for name in table.values})
    signals = f"{', '.join(named)} at {layout.sample_rate:g} Hz" if named else "no signals"
    err().print(
        f"{counted(len(frames), 'video')} of {layout.image}, {long} frames at "
        f"{layout.frame_rate:g} Hz, with {signals} -> {target}", soft_wrap=True, markup=False,
    )  # fmt: skip
    remarks = [as_options(text) for text in planned.remarks]
    for text in remarks:
        err().print(text, soft_wrap=True, markup=False)
    with progress("importing", "videos") as report:
        carry_out(planned, target, Work(**work, on_progress=report))
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            store=target, videos=len(frames), frames=frames, image=layout.shape[1:],
            frame_rate=layout.frame_rate, sample_rate=layout.sample_rate, signals=named,
            participants=planned.participants, tasks=planned.layout.origin.tasks,  # type: ignore[union-attr]
            remarks=remarks, seconds=seconds,
        )  # fmt: skip
        return
    out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                soft_wrap=True, markup=False)  # fmt: skip


def _hertz(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text.removesuffix("Hz"))
    except ValueError:
        raise InputError(f"{option}: found {text!r}, wanted a rate in Hz, such as 25") from None
