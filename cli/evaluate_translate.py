"""``musim evaluate translate``."""

import time
from dataclasses import asdict

import click

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option

UNPAIRED, PAIRED = "translation", "pairs"
"""Folders that are written to where none is named."""


@click.command(
    short_help="Score translated sequences, or what runs make of paired slices.",
    epilog="""\b
Examples:
  musim evaluate translate translated.zarr --b recorded.zarr
  musim evaluate translate one.zarr two.zarr --b recorded.zarr --out models
  musim evaluate translate pix2pix cyclegan unit --paired --data right.zarr
""",
)
@click.argument("translated", metavar="STORE...|RUN...", nargs=-1, required=True)
@click.option("--a", "simulated", default=None, metavar="STORE",
              help="What they were translated from.  [default: as they say]")  # fmt: skip
@click.option("--b", "experimental", default=None, metavar="STORE",
              help="Experimental sequences.")  # fmt: skip
@click.option("--paired", is_flag=True,
              help="Score what each RUN makes of paired slices, against the actual ones.",
              )  # fmt: skip
@click.option("--data", default=None, metavar="STORE",
              help="Paired slices that the runs have not seen.")  # fmt: skip
@click.option("-o", "--out", "target", default=None, metavar="FOLDER",
              help="Where tables and figures are written.  [default: translation; pairs]",
              )  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True,
              help="Go on with an evaluation of pairs; also with other runs.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@json_option
@config_option
def translate(translated, simulated, experimental, paired, data, target, workers, resume,
              overwrite, as_json) -> None:  # fmt: skip
    """Score translated sequences against experimental ones, as Table 1 of Ali et al. 2022 does.

    Every sequence of a STORE is compared with every experimental one, and with the simulated one it
    was made of. The folder gets the table, a row for each sequence and unit, and figures.

    With --paired, what each RUN makes of slices is compared with the actual ones, as Tables 1 and 2
    of Grant-Jacob et al. 2021 do: NRMSE, PSNR and SSIM as they are defined there and as is usual,
    by plane, beside what a map of intensities reaches; and grids are looked for in the spectrum.
    """
    if paired:
        from .paired_tables import score_pairs

        if data is None:
            raise InputError("--data: found none, wanted a store of paired slices")
        if simulated is not None or experimental is not None:
            raise InputError("--paired: found --a or --b with it, wanted --data alone")
        score_pairs(translated, target or PAIRED, as_json, data=data, workers=workers,
                    resume=resume, overwrite=overwrite)  # fmt: skip
        return
    if experimental is None:
        raise InputError(
            "--b: found none, wanted experimental sequences, or --paired with --data to score runs "
            "on paired slices; see musim evaluate translate --help"
        )
    if data is not None or resume:
        raise InputError(
            "--data, --resume: found one of them without --paired, wanted both or none"
        )
    _score_sequences(translated, simulated, experimental, target or UNPAIRED, workers, overwrite,
                     as_json)  # fmt: skip


def _score_sequences(translated, simulated, experimental, target, workers, overwrite,
                     as_json) -> None:  # fmt: skip
    from ..training.translation.evaluation import evaluate_translation
    from .translation_table import print_translation

    began = time.perf_counter()
    with progress("comparing", "sequences") as report:
        found = evaluate_translation(
            simulated, experimental, translated, target, workers=workers, overwrite=overwrite,
            on_progress=report,
        )  # fmt: skip
    if as_json:
        print_json(
            evaluation=target,
            rows=[asdict(row) for row in found.rows],
            survival={
                each.name: {name: asdict(score) for name, score in each.survival.items()}
                for each in found.translations
            },
            alarms={each.name: each.alarms for each in found.translations},
        )
        return
    console = out()
    print_translation(found, console)
    console.print(f"{target}: table.csv, figures ({time.perf_counter() - began:.0f} s). Look at "
                  f"them: musim report {target}", soft_wrap=True, markup=False)  # fmt: skip
