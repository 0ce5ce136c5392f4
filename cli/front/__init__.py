"""Simulate tissue-velocity image sequences of active motor units, and learn from them.

Make stores
    generate              simulate sequences and store them with their truth
    generate_sections     make images of the muscle's longitudinal section, with their truth
    sample_images         make images of muscle, with masks, out of noise
    import_recordings     bring recordings into a store, through the imaging chain
    translate             make simulated sequences look like recorded ones
    evaluate_translation  compare them with recorded ones

Read stores
    open_store            open a store: ``store[3]`` is a sequence, ``store.dataset`` all of them
    Store                 what open_store gives
    verify                prove a store whole, or make parts of it again

Find motor units
    identify, curate      find the units in recordings; make of them what people say they are
    evaluate              score a method on a store that knows its truth, or on a protocol
    evaluate_firings      score firings against others, of tables of events or of stores

Train networks (with ``pip install "musim[train]"``)
    train                 train a task on a store, or on new sequences without end
    DetectTask            the detector of territories
    TwitchTask            the estimator of twitch trains
    train_judge           train the judgement of the method learned
    TranslateTask         the translator to the likeness of recordings
    DiffuseTask           the diffusion model of images

Simulate without a store
    draw                  the truth of one sequence
    render                its velocities
    Truth                 what draw gives

Draw
    plot                  figures of stores, truths, units and evaluations: ``help(musim.plot)``

Say what is wanted
    Parameters, Range     of the simulation
    Doses                 of the virtual experiment
    SectionParameters     of images of the longitudinal section
    Description           what the arrays of a recording mean
    Chain                 what import_recordings does with them

Errors
    MusimError            all that are raised on purpose, each with one line for the user
    InputError            what was asked for cannot be used
    FailureError          the work could not be finished

Everything is imported when it is first used. What is here, and more, lies in ``musim.simulator``,
``musim.datasets`` and ``musim.training``; the command line is ``musim``, or ``python -m musim``.
"""

import importlib
from typing import TYPE_CHECKING, Any

# An installed musim has its packages within this one. A checkout has them elsewhere, where pyright
# does not find them.
# pyright: reportMissingImports=false

if TYPE_CHECKING:
    from musim import cli as cli
    from musim import datasets as datasets
    from musim import plot as plot
    from musim import simulator as simulator
    from musim import training as training
    from musim.datasets import Store as Store
    from musim.datasets import generate as generate
    from musim.datasets import open_store as open_store
    from musim.datasets.importing.description import Description as Description
    from musim.datasets.importing.stores import import_recordings as import_recordings
    from musim.datasets.sections import generate_sections as generate_sections
    from musim.simulator import FailureError as FailureError
    from musim.simulator import InputError as InputError
    from musim.simulator import MusimError as MusimError
    from musim.simulator import Parameters as Parameters
    from musim.simulator import Range as Range
    from musim.simulator import Truth as Truth
    from musim.simulator import draw as draw
    from musim.simulator import render as render
    from musim.simulator.experiment.doses import Doses as Doses
    from musim.simulator.imaging.chain import Chain as Chain
    from musim.simulator.section.parameters import SectionParameters as SectionParameters
    from musim.training.identification.curation.curating import curate_store
    from musim.training.identification.evaluation import evaluate as evaluate
    from musim.training.identification.firing_evaluation import (
        evaluate_firings as evaluate_firings,
    )
    from musim.training.identification.learning.run import train_judge as train_judge
    from musim.training.identification.networks.detection_task import DetectTask as DetectTask
    from musim.training.identification.networks.twitch_task import TwitchTask as TwitchTask
    from musim.training.identification.results import identify_stores
    from musim.training.sections.diffusion.diffuse_task import DiffuseTask as DiffuseTask
    from musim.training.sections.diffusion.sampled import sample_images as sample_images
    from musim.training.tasks import train as train
    from musim.training.translation.evaluation import evaluate_translation as evaluate_translation
    from musim.training.translation.translating import translate_store
    from musim.training.translation.translation_task import TranslateTask as TranslateTask
    from musim.training.verifying import verify as verify

    curate = curate_store
    identify = identify_stores
    translate = translate_store
    __version__: str

_PLACES = {
    "Chain": ("simulator.imaging.chain", "Chain"),
    "Description": ("datasets.importing.description", "Description"),
    "DetectTask": ("training.identification.networks.detection_task", "DetectTask"),
    "DiffuseTask": ("training.sections.diffusion.diffuse_task", "DiffuseTask"),
    "Doses": ("simulator.experiment.doses", "Doses"),
    "FailureError": ("simulator", "FailureError"),
    "InputError": ("simulator", "InputError"),
    "MusimError": ("simulator", "MusimError"),
    "Parameters": ("simulator", "Parameters"),
    "Range": ("simulator", "Range"),
    "SectionParameters": ("simulator.section.parameters", "SectionParameters"),
    "Store": ("datasets", "Store"),
    "TranslateTask": ("training.translation.translation_task", "TranslateTask"),
    "Truth": ("simulator", "Truth"),
    "TwitchTask": ("training.identification.networks.twitch_task", "TwitchTask"),
    "curate": ("training.identification.curation.curating", "curate_store"),
    "draw": ("simulator", "draw"),
    "evaluate": ("training.identification.evaluation", "evaluate"),
    "evaluate_firings": ("training.identification.firing_evaluation", "evaluate_firings"),
    "evaluate_translation": ("training.translation.evaluation", "evaluate_translation"),
    "generate": ("datasets", "generate"),
    "generate_sections": ("datasets.sections", "generate_sections"),
    "identify": ("training.identification.results", "identify_stores"),
    "import_recordings": ("datasets.importing.stores", "import_recordings"),
    "open_store": ("datasets", "open_store"),
    "render": ("simulator", "render"),
    "sample_images": ("training.sections.diffusion.sampled", "sample_images"),
    "train": ("training.tasks", "train"),
    "train_judge": ("training.identification.learning.run", "train_judge"),
    "translate": ("training.translation.translating", "translate_store"),
    "verify": ("training.verifying", "verify"),
}
"""Where each name lies: its module below musim, and what it is called there."""

_PACKAGES = ("cli", "datasets", "plot", "simulator", "training")


# No __all__: help() would print each of the names at full length below the table of contents.
def __dir__() -> list[str]:
    """Return what people use, imported already or not, and what Python asks of every module."""
    own = [name for name in globals() if name.startswith("__")]
    return sorted({*own, *_PLACES, *_PACKAGES, "__version__"})


if not TYPE_CHECKING:  # a checker would take every name for one that is here

    def __getattr__(name: str) -> Any:
        """Import what is asked for, once."""
        if name == "__version__":
            from importlib.metadata import version

            found = version("musim")
        elif name in _PLACES:
            module, attribute = _PLACES[name]
            try:
                found = getattr(importlib.import_module(f"musim.{module}"), attribute)
            except ModuleNotFoundError as error:
                # Not here, as far as hasattr() and help() are concerned.
                raise AttributeError(
                    f"musim.{name}: found {error.name} missing, wanted the libraries for training; "
                    'pip install "musim[train]"'
                ) from error
        elif name in _PACKAGES:
            return importlib.import_module(f"musim.{name}")
        else:
            raise AttributeError(f"module 'musim' has no attribute {name!r}{_hint(name)}")
        globals()[name] = found
        return found


def _hint(name: str) -> str:
    if name.startswith("_"):  # what Python and its tools ask for, with no one to read the answer
        return ""
    from difflib import get_close_matches

    known = {known.lower(): known for known in [*_PLACES, *_PACKAGES]}
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {known[close[0]]!r}?" if close else "; help(musim) lists what it has"
