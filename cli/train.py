"""``musim train``."""

from dataclasses import fields

import click

from ..simulator.errors import InputError
from ..simulator.experiment.doses import PRESETS as DOSE_PRESETS
from ..simulator.experiment.doses import Doses
from .image_options import image_options, image_source
from .options import (
    GroupedCommand,
    dose_options,
    doses_from_options,
    parameter_options,
    parameters_from_options,
)
from .run_options import run_options, translate_options
from .train_judge import judge
from .train_state import state
from .training import run_training

TRIALS = 10
"""Of each subject of endless quick recordings: most of the time goes into its maps."""

GRID = {"pixels": "64x64", "frames": "400", "frame_rate": "400"}
"""That of Ali et al. 2020, on which networks of identification work."""

DOSE_NAMES = tuple(dose.name for dose in fields(Doses))


@click.group(
    no_args_is_help=False,
    epilog="""\b
Examples:
  musim train detect --endless --out detector
  musim train detect --endless --domain quick --preset typical --out detector
  musim train twitch --data training.zarr --model paper --precision bf16-mixed --out twitches
  musim train judge --out judge
  musim train segment --data images.zarr --also simulated.zarr --out segmenter
  musim train state --data trials.zarr --test 0 --validation 1 --out states
  musim train detect --data training.zarr --out detector --dry-run
  musim train detect --out detector --resume
""",
)
def train() -> None:
    """Train networks on simulated sequences, on images, and on videos of muscle."""


train.add_command(judge)
train.add_command(state)


def source_options(command):
    """Add the options that say what is trained on."""
    command = parameter_options(dose_options(command))
    text = (
        "What endless sequences are: the model itself, or quick recordings of the virtual "
        f"experiment, of which each subject has {TRIALS} trials unless --trials says otherwise."
    )
    domain = click.option("--domain", type=click.Choice(["analytic", "quick"]), default=None,
                          help=f"{text}  [default: analytic]")  # fmt: skip
    text = "Subjects of endless quick recordings, on the grid of Ali et al. 2020.  [default: easy]"
    preset = click.option("--preset", type=click.Choice(list(DOSE_PRESETS)), default=None,
                          help=text)  # fmt: skip
    text = "Draw new sequences for ever; the parameters below shape them."
    command = click.option("--endless", is_flag=True, help=text)(domain(preset(command)))
    return click.option("--data", "store", default=None, metavar="STORE",
                        help="A store of musim generate.")(command)  # fmt: skip


@train.command(
    cls=GroupedCommand,
    short_help="Train the detector of territories.",
    epilog="""\b
Examples:
  musim train detect --endless --out detector
  musim train detect --data training.zarr --model paper --pretrained coco --out detector
""",
)
@click.option("--pretrained", default=None, metavar="none|coco",
              help="Weights to begin with.  [default: the model's]")  # fmt: skip
@run_options
@source_options
def detect(pretrained, **options) -> None:
    """Train the network that detects motor units and outlines their territories."""
    from ..training.identification.networks.detection_task import DetectTask

    run_training(DetectTask, options, {"pretrained": pretrained}, _source)


@train.command(
    cls=GroupedCommand,
    short_help="Train the estimator of twitch trains.",
    epilog="""\b
Examples:
  musim train twitch --endless --out twitches
  musim train twitch --data training.zarr --model paper --out twitches
""",
)
@run_options
@source_options
def twitch(**options) -> None:
    """Train the network that estimates the twitch train of a unit that was found."""
    from ..training.identification.networks.twitch_task import TwitchTask

    run_training(TwitchTask, options, {}, _source)


@train.command(
    short_help="Train a translator, with or without pairs.",
    epilog="""\b
Examples:
  musim train translate --a simulated.zarr --b recorded.zarr --out translator
  musim train translate --a simulated.zarr --b recorded.zarr --model cyclegan-3d-noise \\
    --precision bf16-mixed --out translator
  musim train translate --paired --data left.zarr --out translator
  musim train translate --paired --data left.zarr --model small-unit --out unit
  musim train translate --paired --a analytic.zarr --b recorded.zarr --set frames=4 --out ceiling
  musim train translate --out translator --resume
""",
)
@click.option("--paired", is_flag=True,
              help="Learn from pairs: slices of --data, or sequences of --a and --b that show the "
              "same (musim generate --paired).")  # fmt: skip
@click.option("--data", default=None, metavar="STORE",
              help="With --paired: a store of paired slices.")  # fmt: skip
@click.option("--a", default=None, metavar="STORE", help="Simulated sequences.")
@click.option("--b", default=None, metavar="STORE",
              help="Recorded ones, of the same frame rate, image and pixels.")  # fmt: skip
@translate_options
def translate(paired, **options) -> None:
    """Train networks that make simulated sequences look like recorded ones, without pairs of them.

    The models are those of Ali et al. 2022; small is cyclegan-3d-noise with fewer maps and blocks.

    With --paired they learn from images of two kinds that belong together, such as T1 and T2 of
    one anatomy. The models then are those of Grant-Jacob et al. 2021, pix2pix, cyclegan and unit,
    and for one processor small (pix2pix), small-cyclegan and small-unit. Slices of any size are
    filled up with zeros to what the networks take.
    """
    from ..training.runs.folder import RunFolder

    run = RunFolder(options["target"])
    if options["resume"] and not paired and run.exists:
        paired = run.describe()["task"] == "translate-paired"
    if paired:
        from ..training.paired.paired_task import PairedTask

        run_training(PairedTask, options, {}, _pairs)
        return
    if options.pop("data") is not None:
        raise InputError("--data: found without --paired, wanted both; or name --a and --b")
    if not options["resume"] and None in (options["a"], options["b"]):
        missing = " and no ".join(f"--{name}" for name in "ab" if options[name] is None)
        raise InputError(f"found no {missing}, wanted two stores to train on; name them")
    from ..training.translation.translation_task import TranslateTask

    run_training(TranslateTask, options, {}, _domains)


@train.command(
    short_help="Train a diffusion model of images.",
    epilog="""\b
Examples:
  musim train diffuse --data images --out diffusion
  musim train diffuse --data images --sizes sizes.csv --also sections.zarr --out diffusion
  musim train diffuse --data images --model paper --accelerator cuda --out diffusion
  musim train diffuse --out diffusion --resume
""",
)
@image_options
@run_options
def diffuse(**options) -> None:
    """Train a network that makes images of muscle together with masks of their aponeuroses.

    The model paper is that of Katakis et al. 2023; small makes smaller images, on one processor.
    """
    from ..training.sections.diffusion.diffuse_task import DiffuseTask

    run_training(DiffuseTask, options, {}, image_source)


@train.command(
    short_help="Train the network that finds aponeuroses in images.",
    epilog="""\b
Examples:
  musim train segment --data images --masks masks --out segmenter
  musim train segment --data images --also simulated.zarr --model paper --out segmenter
  musim train segment --data simulated.zarr --shares 0.8,0.2,0 --out simulated
  musim train segment --data images --start simulated --out segmenter
  musim measure images --run segmenter
""",
)
@click.option("--start", default=None, metavar="RUN",
              help="Begin with the weights of another run: of simulated images, say.")  # fmt: skip
@image_options
@run_options
def segment(start, **options) -> None:
    """Train the Attention U-Net of Katakis et al. 2023 to find aponeuroses in B-mode images.

    Images that are nearly the same, as those of one video are, are never on both sides of a split.
    """
    from ..training.sections.segmentation.segment_task import SegmentTask

    run_training(SegmentTask, options, {"start": start}, image_source)


def _domains(options):
    from ..training.translation.domains import Domains

    a, b = options.pop("a"), options.pop("b")
    if a is None and b is None:
        return None
    if a is None or b is None:
        raise InputError("found one of --a and --b, wanted both, or with --resume neither")
    return Domains(a, b)


def _pairs(options):
    from ..training.paired.source import Pairs

    data, a, b = (options.pop(name) for name in ("data", "a", "b"))
    if data is not None and (a is not None or b is not None):
        raise InputError("found --data and one of --a and --b, wanted slices, or two stores")
    if (a is None) != (b is None):
        raise InputError("found one of --a and --b, wanted both: twins of musim generate --paired")
    if a is not None and b is not None:
        return Pairs(a, b)
    return None if data is None else Pairs(data)


def _source(options):
    from ..training.runs.sources import Source

    store, endless = options.pop("store"), options.pop("endless")
    domain, preset = options.pop("domain"), options.pop("preset")
    if domain is not None and not endless:
        raise InputError("found --domain without --endless, wanted both; a store has its own")
    texts = {name: text for name, text in options.items() if text is not None}
    if store is not None and endless:
        raise InputError("found both --data and --endless, wanted one of them")
    given = {name: texts.pop(name) for name in DOSE_NAMES if name in texts}
    if (given or preset) and domain != "quick":
        option = next(iter(given), "preset").replace("_", "-")
        what = "doses of the virtual experiment" if given else "a preset of subjects"
        raise InputError(f"--{option}: found {what} without --domain quick, wanted both or neither")
    if texts and not endless:
        option = next(iter(texts)).replace("_", "-")
        raise InputError(
            f"--{option}: found a parameter of simulation without --endless, wanted --endless with "
            "it; a store has its own"
        )
    if domain == "quick":
        subjects = preset or "easy"
        asked = {**GRID, "trials": str(TRIALS), **texts}
        return Source(
            parameters=parameters_from_options(subjects, asked),
            doses=doses_from_options(given, subjects),
        )
    if endless:
        return Source(parameters=parameters_from_options("ali-2020", texts))
    return None if store is None else Source(store=store)
