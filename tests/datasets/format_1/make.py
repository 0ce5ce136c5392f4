"""Makes the stores of this folder, and the digests of what some settings and a seed give.

``python -m tests.datasets.format_1.make`` says what differs from what is kept. With names of stores
behind it, what is kept of these is made anew: when a revision gives other values (see
CONTRIBUTING). The store of the one before stays, as ``NAME_revision_NUMBER.zip``.
"""

import hashlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from musim.datasets import Store, generate
from musim.datasets.importing.description import Description
from musim.datasets.importing.stores import import_recordings
from musim.simulator import Parameters
from musim.simulator.experiment.doses import Doses
from musim.simulator.imaging.chain import Chain

FOLDER = Path(__file__).parent

SMALL = {"pixels": "16x16", "frames": "24", "size": "20x20", "units": "2-3"}

ANALYTIC = {
    "disc": {},
    "ellipse": {"territory": "ellipse", "mask": "soft", "synchrony": "0.3", "doublets": "0.1"},
    "fibres": {"territory": "fibres", "mask": "soft", "relaxation_ratio": "1.2-2.5", "fat": "2-4"},
    "waveform": {"waveform": "0,0\n0.03,2\n0.1,-1\n0.2,0\n", "snr": "inf"},
}

EXPERIMENT = {"pixels": "16x8", "frames": "32", "size": "16x10", "units": "2-3", "diameter": "3-5"}

DOSES = {"image": (128, 32), "pulse_repetition": 512.0}


def digests(store: Store) -> dict[str, str]:
    """Return the SHA-256 of each variable's values."""
    return {
        name: hashlib.sha256(
            np.ascontiguousarray(
                [store.read(name, index) for index in range(len(store))]
                if name != "tvi"
                else [store.tvi(index) for index in range(len(store))]
            ).tobytes()
        ).hexdigest()
        for name in store.layout.variables
    }


def imported(folder: Path) -> Store:
    """Import IQ images through the whole chain."""
    random = np.random.default_rng(13)
    parts = random.integers(-1000, 1000, (2, 40, 24, 16)).astype(np.float32)
    iq = np.repeat(parts[:1, :1], 40, axis=1)[0] + 0.1 * parts[0]
    np.save(folder / "iq.npy", (iq + 1j * parts[1, :1]).astype(np.complex64))
    description = Description.parse(
        {
            "kind": "iq", "axes": "time,depth,width", "frame_rate": 1000, "width_step": 0.3,
            "centre_frequency": 5e6, "depth_step": 0.2,
        }
    )  # fmt: skip
    chain = Chain(band=(5, 100), order=2, median=0.5, pixels=(8, 8), frame_rate=500, frames=10)
    return import_recordings([folder / "iq.npy"], folder / "imported.zarr", description, chain)


def make(folder: Path) -> dict[str, Store]:
    """Make the stores."""
    stores = {
        name: generate(
            Parameters.from_texts({**SMALL, **texts}),
            folder / f"{name}.zarr",
            sequences=3,
            seed=11,
            part_size=2,
            kind="rendered" if name == "ellipse" else "dense",
            dtype="float16" if name == "fibres" else "float32",
        )
        for name, texts in ANALYTIC.items()
    }
    stores["experiment"] = generate(
        Parameters.from_texts(EXPERIMENT, "experiment"),
        folder / "experiment.zarr",
        sequences=2,
        seed=12,
        doses=Doses(**DOSES),
    )
    stores["imported"] = imported(folder)
    return stores


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        made = make(Path(name))
        kept = json.loads((FOLDER / "digests.json").read_text())
        found = {
            key: {variable: value for variable, value in digests(store).items()
                  if variable in kept[key]}
            for key, store in made.items()
        }  # fmt: skip
        print({key: [name for name in kept[key] if kept[key][name] != found[key][name]]
               for key in kept})  # fmt: skip
        kept |= {key: found[key] for key in sys.argv[1:]}
        (FOLDER / "digests.json").write_text(json.dumps(kept, indent=1) + "\n")
        for key in {"fibres", "experiment"} & set(sys.argv[1:]):
            place = Path(name) / f"{key}.zarr"
            with zipfile.ZipFile(FOLDER / f"{key}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(path for path in place.rglob("*") if path.is_file()):
                    archive.write(path, path.relative_to(place))
