"""``musim import``."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from ..datasets.importing.description import Description, meaning_of
from ..datasets.importing.quantities import QUANTITIES
from ..simulator.declarations import declarations
from ..simulator.errors import InputError
from ..simulator.imaging.chain import PRESETS, Chain
from ..simulator.kinds import short
from ..simulator.ranges import parse_pair
from . import import_images, import_videos, import_volumes
from .config import config_option
from .console import err, out, print_json, progress
from .options import CHAIN_OPTIONS, GroupedCommand, SectionOption, json_option
from .wording import as_options, counted

NONE = "none"
RENAMED = {"size": "image_size"}
"""Keys of a description whose option has another name, as the result has the shorter one."""

_WITHOUT_VALUE: dict[str, Any] = {
    "is_flag": False,
    "flag_value": import_volumes.ONTO_THE_FIRST,
}
"""Of an option that volumes have too, and need no value of."""

DESCRIBING = (
    "kind", "variable", "real", "imaginary", "axes", "velocity_unit", "sign", *QUANTITIES,
)  # fmt: skip


def describing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every key of a description; the command gets texts or None."""
    for key in reversed(DESCRIBING):
        name = RENAMED.get(key, key)
        command = click.option(
            "--" + name.replace("_", "-"),
            f"describe_{key}",
            cls=SectionOption,
            section="What the file holds (in place of its description)",
            metavar="VALUE",
            help=f"{meaning_of(key)}.",
        )(command)
    return command


def chain_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every step of the chain; the command gets texts or None."""
    for name, about in reversed(list(declarations(Chain).items())):
        unit = f" [{about.unit}]" if about.unit else ""
        none = f", or {NONE}" if about.optional else ""
        default = about.show(about.default, short)
        usual = f" Default: {default}." if default else ""
        command = click.option(
            "--" + CHAIN_OPTIONS.get(name, name).replace("_", "-"),
            name,
            cls=SectionOption,
            section="What is done with it",
            declaration=about,
            metavar=about.placeholder,
            help=f"{about.text.rstrip('.')}{unit}{none}.{usual}",
            **(_WITHOUT_VALUE if name == "frame_rate" else {}),
        )(command)
    return command


@click.command(
    "import",
    cls=GroupedCommand,
    epilog="""\b
Examples:
  musim import disk.mat --describe > disk.toml
  musim import disk.mat --description disk.toml --out disk.zarr
  musim import subject*.h5 --description iq.toml --preset ali-2022 --out biceps.zarr
  musim import scans --masks masks --sizes index.csv --crop auto --out images.zarr
  musim import trial.mp4 --signals trial.csv --pixel-size 0.12 --participant 1 --out videos.zarr
  musim import t1.nii.gz --pair t2.nii.gz --half left --resample --out left.zarr
  musim import tvi.npy --kind velocity --axes time,depth,width --frame-rate 512
    --image-size 40x40 --band 5-50 --median 1 --out tvi.zarr
""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    "target",
    default="imported.zarr",
    show_default=True,
    metavar="STORE",
    help="A path or an fsspec URL.",
)
@click.option(
    "-d",
    "--description",
    "descriptions",
    multiple=True,
    metavar="TOML",
    help="What the files' arrays mean; one for all files, or one for each.",
)
@click.option(
    "--describe", is_flag=True, help="List what the files hold, and print a description to edit."
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default=None,
    help="The chain of a paper; other options override it.  [default: velocity alone]",
)
@click.option(
    "--events",
    multiple=True,
    metavar="TABLE",
    help="Known firings, CSV or BIDS events.tsv: one table for each file.",
)
@click.option("--dtype", default="float32", show_default=True, metavar="float32|float16",
              help="Type of the voxels.")  # fmt: skip
@click.option("--workers", type=int, default=1, show_default=True, metavar="NUMBER",
              help="Recordings worked on side by side, 0.5 to 1 GB each.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
@import_images.image_options
@import_videos.video_options
@import_volumes.volume_options
@describing_options
@chain_options
def import_recordings(files, target, descriptions, describe, preset, events, dtype, workers,
                      resume, overwrite, as_json, images, masks, sizes, pixel_size, crop,
                      videos, signals, trials, participant, task, sample_rate, emg_cutoff,
                      pair, planes, half, voxel, stacked, **texts) -> None:  # fmt: skip
    """Bring recordings into a store: RF, IQ, velocity; or images, videos, or pairs of volumes.

    MATLAB, HDF5, NetCDF, NumPy, Zarr and TIFF are read, and with musim[formats] NIfTI and DICOM.

    RF is beamformed, IQ turned into velocity by 2-D autocorrelation, velocity filtered and
    resampled as asked. The store has no truth; every command takes it as it takes a simulated one.

    A folder of pictures, or single ones, becomes a store of B-mode images of the longitudinal
    section, all of one size, with the aponeuroses that were drawn on them.

    Films (MP4, AVI) and DICOM of several frames become a store of B-mode videos, with the signals
    of a table beside each: EMG, torque and angle at their own rate, a multiple of the frame rate.

    Two volumes of one anatomy, such as T1 and T2, become a store of paired slices.
    """
    from ..datasets.importing.planning import plan
    from ..datasets.importing.stores import carry_out
    from ..datasets.production import Work

    of_images = {
        "images": images, "masks": masks, "sizes": sizes, "pixel_size": pixel_size, "crop": crop,
    }  # fmt: skip
    of_recordings = {
        "--describe": describe, "--description": descriptions, "--preset": preset,
        "--events": events,
        **{_option_of(key): text for key, text in texts.items() if key != "pixels"},
    }  # fmt: skip
    of_videos = {
        "videos": videos, "signals": signals, "trials": trials, "participant": participant,
        "task": task, "sample_rate": sample_rate, "emg_cutoff": emg_cutoff,
    }  # fmt: skip
    of_volumes = {
        "pair": pair, "planes": planes, "half": half, "voxel": voxel, "stacked": stacked,
    }  # fmt: skip
    options = {**of_recordings, **_as_options({**of_images, **of_videos})}
    work = {"workers": workers, "resume": resume, "overwrite": overwrite}
    if import_volumes.are_asked_for(files, of_volumes, options):
        onto = texts["frame_rate"] is not None
        import_volumes.bring_in(
            files, target, of_volumes, work, resample=onto, as_json=as_json
        )  # fmt: skip
        return
    if import_videos.are_asked_for(files, of_videos, of_images, of_recordings):
        rates = {"frame_rate": texts["describe_frame_rate"], "resample": texts["frame_rate"]}
        given = {**of_videos, **rates, "pixel_size": pixel_size, "crop": crop}
        import_videos.bring_in(files, target, given, work, as_json=as_json)
        return
    if import_images.are_asked_for(files, of_images, of_recordings):
        import_images.bring_in(files, target, of_images, texts["pixels"], work, as_json=as_json)
        return
    if describe:
        if len(files) > 1:
            raise InputError(f"describe: found {len(files)} files, wanted one; describe one by one")
        _describe(files[0])
        return
    given = {key.removeprefix("describe_"): text for key, text in texts.items()
             if key.startswith("describe_") and text is not None}  # fmt: skip
    if "size" in given:
        given["size"] = ",".join(f"{side:g}" for side in _pair("image-size", given["size"]))
    described = _descriptions(files, descriptions, given)
    chain = _chain(preset, {name: texts[name] for name in declarations(Chain)})
    began = time.perf_counter()
    planned = plan(files, described, chain, events=events, dtype=dtype)
    layout = planned.layout
    err().print(
        f"{counted(layout.sequences, 'sequence')} of {layout.grid}, from "
        f"{counted(len(files), 'file')} -> {target}", soft_wrap=True, markup=False,
    )  # fmt: skip
    for path, seconds in planned.left_out.items():
        err().print(f"{path}: the last {seconds:.3g} s fill no sequence and are left out",
                    soft_wrap=True, markup=False)  # fmt: skip
    for text in planned.remarks:
        err().print(as_options(text), soft_wrap=True, markup=False)
    with progress("importing", "sequences") as report:
        work = Work(workers=workers, resume=resume, overwrite=overwrite, on_progress=report)
        carry_out(planned, target, work)
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            store=target, sequences=layout.sequences, frames=layout.shape[0],
            frame_rate=layout.frame_rate, image=layout.shape[1:], pixel_size=layout.pixel_size,
            left_out=planned.left_out, remarks=[*map(as_options, planned.remarks)], seconds=seconds,
        )  # fmt: skip
        return
    out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                soft_wrap=True, markup=False)  # fmt: skip


def _option_of(key: str) -> str:
    """Return the option of a key of a description, or of a step of the chain."""
    name = key.removeprefix("describe_")
    named = RENAMED if name != key else CHAIN_OPTIONS
    return f"--{named.get(name, name).replace('_', '-')}"


def _as_options(given: dict[str, Any]) -> dict[str, Any]:
    return {f"--{name.replace('_', '-')}": value for name, value in given.items()}


def _descriptions(
    files: tuple[str, ...], descriptions: tuple[str, ...], given: dict[str, str]
) -> list[Description]:
    if len(descriptions) not in {0, 1, len(files)}:
        raise InputError(
            f"description: found {len(descriptions)} for {len(files)} files, wanted one for all or "
            "one for each"
        )
    if not descriptions and "kind" not in given:
        raise InputError(
            "kind: found none, wanted what the arrays hold: give --kind rf, iq or velocity, and "
            "what else the file does not say; or let musim import "
            f"{files[0]} --describe > recording.toml guess it, and give that as --description"
        )
    if not descriptions:
        return [Description.parse(given, "options")] * len(files)
    loaded = [Description.load(path, given) for path in descriptions]
    return loaded * len(files) if len(loaded) == 1 else loaded


def _chain(preset: str | None, texts: dict[str, str | None]) -> Chain:
    """Return a preset's chain with what options change in it."""
    changed: dict[str, Any] = {}
    for name, text in texts.items():
        if text is not None:
            none = text.strip().lower() == NONE and declarations(Chain)[name].optional
            changed[name] = None if none else text
    try:
        return dataclasses.replace(PRESETS[preset] if preset else Chain(), **changed)
    except InputError as error:
        # The option has a name of its own.
        raise InputError(str(error).replace("frame_rate: ", "resample: ", 1)) from None


def _pair(name: str, text: str) -> tuple[float, float]:
    try:
        return parse_pair(text)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _describe(path: str) -> None:
    """List a file's variables on standard error and print the guessed description."""
    from ..datasets.importing.formats import open_file
    from ..datasets.importing.survey import describe as guess

    with open_file(Path(path)) as file:
        survey = guess(file)
    table = Table("variable", "shape", "type", "", title=escape(f"{path}: {file.format}"),
                  title_justify="left")  # fmt: skip
    for info in survey.variables:
        shape = " x ".join(str(n) for n in info.shape) or "one value"
        packed = f", packed as {info.stored}" if info.stored != info.dtype else ""
        cells = info.name, shape, f"{info.dtype or ''}{packed}", info.refusal or info.units
        table.add_row(*(escape(cell) for cell in cells))
    err().print(table)
    if file.mismatch:
        err().print(file.mismatch, soft_wrap=True, markup=False)
    for text in survey.remarks:
        err().print(f"{path}: {text}", soft_wrap=True, markup=False)
    click.echo(survey.to_toml(), nl=False)
