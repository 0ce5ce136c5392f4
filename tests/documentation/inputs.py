"""Small files and stores by the names that pages give to what their readers have."""

import functools
import shutil
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from musim.datasets import generate
from musim.datasets.sections import generate_sections
from musim.datasets.videos.generation import generate_trials
from musim.datasets.volumes.hands import generate_hands
from musim.simulator import Parameters
from musim.simulator.calf.study import Study
from musim.simulator.resonance.parameters import Phantom
from musim.simulator.section.parameters import SectionParameters
from musim.training.identification.results import identify_stores
from tests.datasets.importing.image_writers import write_dicom
from tests.datasets.videos.films import FRAMES, SIGNALS, write_film, write_table
from tests.volumes import marked, write_series, write_stack, write_volume

ONE_THREAD = {"workers": 1, "pool": "threads"}


def _sequences(path, count=1, kind="dense"):
    parameters = Parameters(units=(2, 3), pixels=(24, 24), frames=400, frame_rate=500)
    generate(parameters, path, sequences=count, seed=1, kind=kind, **ONE_THREAD)


def _units(path):
    _sequences(path.with_name("recording.zarr"))
    identify_stores(path.with_name("recording.zarr"), path, method="ica", **ONE_THREAD)


def _velocity(path):
    t, z, x = np.ogrid[:256, :16, :16]
    np.save(path, np.sin(0.2 * t) * np.exp(-((z - 8) ** 2 + (x - 5) ** 2) / 9))


def _iq(frames=1100):
    random = np.random.default_rng(4)
    speckle = random.normal(size=(2, 64, 16))
    moved = np.cumsum(np.sin(np.arange(frames) * 0.05))
    turned = np.exp(0.02j * moved)[None, None] * (speckle[0] + 1j * speckle[1])[:, :, None]
    return turned.astype(np.complex64)


def _matlab(path):
    scipy.io.savemat(path, {"IQData": _iq()})


def _hdf5(folder):
    import h5py

    folder.mkdir()
    for name in ("morning.h5", "noon.h5"):
        with h5py.File(folder / name, "w") as file:
            file["IQData"] = _iq()


def _events(path):
    rows = [
        f"{0.05 + 0.1 * firing + 0.03 * unit:g}\t{unit}" for unit in (0, 1) for firing in range(7)
    ]
    path.write_text("\n".join(["onset\tunit", *rows, ""]), encoding="utf-8")


def _pictures(folder):
    folder.mkdir()
    for number, section in enumerate(_sections()):
        Image.fromarray(section.image).save(folder / f"{number}.png")


def _masks(folder):
    folder.mkdir()
    for number, section in enumerate(_sections()):
        drawn = section.aponeurosis.any(axis=0)
        Image.fromarray(np.uint8(255) * drawn).save(folder / f"{number}.png")


def _scans(folder):
    _pictures(folder)
    _masks(folder / "masks")


@functools.cache
def _sections(count=6):
    from musim.simulator.section.scene import draw_section

    parameters = SectionParameters.of("gastrocnemius-medialis", looks=1)
    return [draw_section(parameters, seed=2, index=index) for index in range(count)]


def _sizes(path):
    lines = [f"{number},0.15,0.15" for number in range(6)]
    text = "\n".join(["name,pixel_depth_mm,pixel_width_mm", *lines])
    path.write_text(text + "\n", encoding="utf-8")


def _film(path, rate="25"):
    if path.suffix == ".avi":
        write_film(path, rate=rate)
    else:
        write_film(path, codec="libx264", pixels="yuv420p", rate=rate, more=["-qp", "0"])


def _film_with_signals(path, rate="25"):
    _film(path, rate)
    write_table(path.with_suffix(".csv"), SIGNALS)


def _films(folder):
    folder.mkdir()
    for name in ("first.avi", "second.avi"):
        _film_with_signals(folder / name)


def _trials(path):
    generate_trials(Study().changed(TRIALS), path, sequences=6, seed=5, **ONE_THREAD)


def _videos(path):
    whole = Study().changed({**TRIALS, "view": "whole", "pixels": "164x248"})
    generate_trials(whole, path, sequences=2, seed=5, **ONE_THREAD)


def _store_of_images(path):
    generate_sections(SectionParameters(looks=1), path, sequences=6, seed=3, **ONE_THREAD)


def _hands(path):
    generate_hands(Phantom().changed({"voxel": "6", "samples": "1"}), path, half=path.stem,
                   seed=1, **ONE_THREAD)  # fmt: skip


def _brain(path):
    grey = np.round(np.kron(np.eye(4), np.ones((8, 8))) * 255 / 11 * 3)
    scipy.io.savemat(path, {"axial": grey, "coronal": grey})


VOLUME = marked(dtype=np.float32)
TRIALS = {"rest": 0.2, "duration": 1, "looks": 1}

MAKERS = {
    "a.avi": _film,
    "a.dcm": lambda path: write_dicom(path, FRAMES[:1], NumberOfFrames=None),
    "a.zarr": lambda path: _sequences(path, 4),
    "b.mp4": lambda path: _film_with_signals(path, "30000/1001"),
    "b.zarr": lambda path: _sequences(path, 4),
    "biceps.zarr": _sequences,
    "brain2D.mat": _brain,
    "day1": _hdf5,
    "emg_events.tsv": _events,
    "generated": _pictures,
    "images": _pictures,
    "images.zarr": _store_of_images,
    "index.csv": _sizes,
    "left.zarr": _hands,
    "masks": _masks,
    "musim.zarr": _sequences,
    "recorded": _pictures,
    "recording.mat": _matlab,
    "recording_events.tsv": _events,
    "right.zarr": _hands,
    "sampled.zarr": _store_of_images,
    "scans": _scans,
    "sections.zarr": _store_of_images,
    "simulated.zarr": _store_of_images,
    "sizes.csv": _sizes,
    "t1": lambda path: write_series(path, marked()),
    "t1.nii.gz": lambda path: write_volume(path, VOLUME),
    "t1.tif": lambda path: write_stack(path, VOLUME),
    "t2": lambda path: write_series(path, -marked()),
    "t2.nii.gz": lambda path: write_volume(path, -VOLUME),
    "t2.tif": lambda path: write_stack(path, -VOLUME),
    "torque.csv": lambda path: write_table(path, {"torque": SIGNALS["torque"]}),
    "training": _pictures,
    "training.zarr": lambda path: _sequences(path, 12, "rendered"),
    "trial.mp4": _film_with_signals,
    "trials.csv": lambda path: path.write_text(
        "name,participant,task\nfirst,1,passive\nsecond,2,combined\n"
    ),
    "trials.zarr": _trials,
    "tvi.npy": _velocity,
    "units.zarr": _units,
    "videos": _films,
    "videos.zarr": _videos,
}
"""What makes each."""


def provide(name, kept):
    """Put what has a name into the working folder, unless it is there.

    Parameters
    ----------
    name : str
    kept : Path
        Folder in which everything is made once, and copied from.
    """
    place = Path(name)
    if name not in MAKERS or place.exists():
        return
    if name == "images":
        provide("masks", kept)
    if not (kept / name).exists():
        MAKERS[name](kept / name)
    beside = (kept / name).with_suffix(".csv")  # signals of a film
    if name.endswith((".mp4", ".avi")) and beside.exists():
        shutil.copy(beside, beside.name)
    if (kept / name).is_dir():
        shutil.copytree(kept / name, place, dirs_exist_ok=True)
    else:
        shutil.copy(kept / name, place)
