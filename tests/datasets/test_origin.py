"""Where a store comes from: written, read in all its versions, and named in one place alone."""

import ast
import dataclasses
import json
from pathlib import Path

import pytest

import musim.cli
import musim.datasets
import musim.simulator
import musim.training
from musim.datasets import open_store, origin
from musim.datasets.origin import (
    Curated,
    Cut,
    Identified,
    Imported,
    ImportedImage,
    ImportedImages,
    SampledImages,
    Searched,
    Simulated,
    Translated,
    TranslatedSlices,
    from_attributes,
    recorded_by,
    settings_of,
    software_versions,
    to_attributes,
)
from musim.datasets.origins import attributes as names
from musim.simulator import FailureError, InputError, Parameters, Range
from musim.simulator.experiment.doses import Doses
from musim.simulator.imaging.chain import Chain

SOFTWARE = {"musim": "1", "numpy": "2"}
SIMULATED = Simulated(
    parameters=Parameters(units=Range(2, 3), snr=Range(5, 15)), seed=7, software=SOFTWARE
)
EXPERIMENT = dataclasses.replace(SIMULATED, doses=Doses(spread=Range(3, 4)), revision=0)
IMPORTED = Imported(
    cuts=(
        Cut(file="a.npy", sha256="ab" * 32, recording=0, start=0.5),
        Cut(file="b.npy", sha256="cd" * 32, recording=1, start=0.0, events="b.tsv",
            events_sha256="ef" * 32, units=("x", "y")),
    ),
    descriptions=({"file": "a.npy", "kind": "iq", "angles": [1.5]}, {"file": "b.npy"}),
    chain=Chain(band=(5.0, 100.0), pixels=(64, 32)),
    software=SOFTWARE,
)  # fmt: skip
IDENTIFIED = Identified(
    method="network",
    searched=(Searched("/x/a.zarr", 3), Searched("s3://b/b.zarr", 2)),
    runs=("/runs/detect", "/runs/twitch"),
    remarks=("slow", "copies"),
    firings="free",
    software=SOFTWARE,
)
CURATED = Curated(
    **{one.name: getattr(IDENTIFIED, one.name) for one in dataclasses.fields(Identified)},
    units="/x/units.zarr", seal="zarr.json 1", recorded=("a", "b"), only_accepted=True,
    edits=({"edit": "accept", "by": "anna"}, {"edit": "split", "line": [[1.5, 2], [3, 4]],
           "by": "ben"}),
    earlier=({"edit": "reject", "by": "cleo"}, {"edit": "reject", "by": "anna"}),
)  # fmt: skip
TRANSLATED = Translated(
    store="/x/a.zarr", sequences=3, run="/runs/t", checkpoint="ab" * 32,
    settings={"maps": 2, "window": [1, 2]}, parameters=SIMULATED.parameters, seed=7,
    software=SOFTWARE,
)  # fmt: skip
AGAIN = dataclasses.replace(
    TRANSLATED, parameters=None, seed=None, recorded=dataclasses.replace(IMPORTED, software={})
)
QUICK = dataclasses.replace(EXPERIMENT, quick=True)
IMAGES = ImportedImages(
    images=(
        ImportedImage(name="a", file="a.png", sha256="ab" * 32, size=(80, 60), crop=(2, 3, 70, 50)),
        ImportedImage(name="b", file="b.tif", sha256="cd" * 32, size=(8, 9), crop=(0, 0, 8, 9),
                      mask="b_mask.png", mask_sha256="ef" * 32),
    ),
    grouped_by="likeness", software=SOFTWARE,
)  # fmt: skip
SAMPLED = SampledImages(
    run="/runs/d", checkpoint="ab" * 32, settings={"maps": 8, "size": [8, 12]},
    sampler={"name": "ddim", "steps": 50, "eta": 0.0}, seed=7, device="cpu", software=SOFTWARE,
)  # fmt: skip
SLICES = TranslatedSlices(
    store="/x/left.zarr", sequences=3, run="/runs/t", checkpoint="ab" * 32,
    settings={"maps": 2, "canvas": "slice"}, source="slices of a hand", software=SOFTWARE,
)  # fmt: skip
ALL = [SIMULATED, EXPERIMENT, QUICK, IMPORTED, IDENTIFIED, TRANSLATED, AGAIN]
NAMES = ["simulated", "experiment", "quick", "imported", "identified", "translated", "recorded"]


@pytest.mark.parametrize(
    "made",
    [*ALL, IMAGES, SAMPLED, SLICES, CURATED],
    ids=[*NAMES, "images", "sampled", "slices", "curated"],
)
def test_attributes_bring_an_origin_back(made):
    attributes = json.loads(json.dumps(to_attributes(made)))
    assert from_attributes(attributes) == made
    assert to_attributes(from_attributes(attributes)) == to_attributes(made)
    assert all(name.startswith("musim_") for name in attributes)


@pytest.mark.parametrize("made", ALL, ids=NAMES)
def test_origins_of_before_they_were_named_are_told_apart(made):
    attributes = to_attributes(made)
    del attributes[names.ORIGIN], attributes[names.VERSION]
    assert from_attributes(attributes) == made


@pytest.mark.parametrize("made", ALL, ids=NAMES)
def test_every_origin_says_what_made_it_and_how_to_make_it_again(made):
    assert made.made_by
    assert "\n" not in made.made_by
    assert made.advice


def test_words_name_the_sources():
    assert SIMULATED.made_by == "sequences drawn with seed 7"
    assert EXPERIMENT.made_by == "recordings drawn with seed 7"
    assert IMPORTED.made_by == "recordings imported from a.npy and 1 more"
    assert IDENTIFIED.made_by == "units identified by network in /x/a.zarr and 1 more"
    assert CURATED.made_by == "units of /x/units.zarr curated by cleo, anna, ben (4 changes)"
    many = [{"edit": "accept", "by": name} for name in "abcde"]
    assert dataclasses.replace(CURATED, earlier=(), edits=many).made_by.endswith(
        "curated by a, b, c and 2 more (5 changes)"
    )
    assert TRANSLATED.made_by == "translated from /x/a.zarr by /runs/t"


def test_values_are_told_apart_by_the_revision_of_what_made_them():
    unfiltered = dataclasses.replace(IMPORTED, chain=Chain(), revision=0)
    assert [made.revision for made in (SIMULATED, EXPERIMENT, QUICK, IMPORTED, unfiltered)] == [
        1, 2, 2, 2, 1
    ]  # fmt: skip
    # Stores of before say nothing of it.
    old = to_attributes(IMPORTED)
    del old[names.REVISION]
    assert from_attributes(old) == dataclasses.replace(IMPORTED, revision=1)
    assert to_attributes(from_attributes(old)) == old
    assert names.REVISION not in to_attributes(SIMULATED)


def test_quick_recordings_of_another_revision_are_not_rendered(refused):
    origin.check_revision(QUICK, "a.zarr")
    with refused("a.zarr: found quick recordings drawn with seed 7 by revision 1"):
        origin.check_revision(dataclasses.replace(QUICK, revision=1), "a.zarr")


def test_what_was_recorded_is_known_through_a_translation():
    assert recorded_by(IMPORTED) is IMPORTED
    assert recorded_by(AGAIN).cuts == IMPORTED.cuts
    assert recorded_by(SIMULATED) is recorded_by(IDENTIFIED) is recorded_by(TRANSLATED) is None


def test_each_result_knows_its_recording(refused):
    found = [IDENTIFIED.source_of(index) for index in range(5)]
    assert found == [*(("/x/a.zarr", i) for i in range(3)), *(("s3://b/b.zarr", i) for i in (0, 1))]
    with refused("no source of sequence 5"):
        IDENTIFIED.source_of(5)


@pytest.mark.parametrize(
    "changes",
    [{names.VERSION: 99}, {names.VERSION: None}, {names.ORIGIN: "dreamt"}],
)
def test_unknown_kinds_and_versions_are_refused(changes, refused):
    with refused("x.zarr: found an origin ", " simulated 2", " musim that"):
        from_attributes(to_attributes(SIMULATED) | changes, "x.zarr")


@pytest.mark.parametrize("made", ALL, ids=NAMES)
def test_damage_is_said_in_one_line(made):
    attributes = to_attributes(made)
    plain = (names.ORIGIN, names.VERSION, names.REMARKS, names.METHOD,
             names.FIRINGS)  # any text will do  # fmt: skip
    for name in attributes.keys() - set(plain):
        with pytest.raises((FailureError, InputError)) as caught:
            from_attributes(attributes | {name: "{"}, "x.zarr")
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(FailureError, match=r"x\.zarr: found no word of what made it"):
        from_attributes({}, "x.zarr")


def test_what_a_later_version_adds_is_not_guessed(refused):
    attributes = to_attributes(EXPERIMENT)
    doses = json.loads(attributes[names.DOSES])
    del doses["spread"]
    with refused("spread"):
        from_attributes(attributes | {names.DOSES: json.dumps(doses)})


def test_settings_are_compared_but_for_the_versions_of_libraries():
    newer = dataclasses.replace(SIMULATED, software=SOFTWARE | {"numpy": "3"})
    assert settings_of(to_attributes(newer)) == settings_of(to_attributes(SIMULATED))
    other = dataclasses.replace(SIMULATED, software=SOFTWARE | {"musim": "2"})
    assert settings_of(to_attributes(other)) != settings_of(to_attributes(SIMULATED))
    found = settings_of(to_attributes(EXPERIMENT))
    assert found["seed"] == 7
    assert found["parameters"]["units"] == [2, 3]
    assert found["doses"]["spread"] == [3, 4]


def test_versions_of_what_is_not_there_are_left_out():
    found = software_versions("pytest", "no-such-library")
    assert found["pytest"] == pytest.__version__
    assert "no-such-library" not in found
    assert found.keys() >= {"musim", "numba", "numpy", "scipy", "zarr"}


def test_a_store_says_where_it_comes_from(make, tmp_path):
    store = open_store(make(tmp_path / "set.zarr", seed=3).location.path)
    assert isinstance(store.origin, Simulated)
    assert (store.origin.seed, store.origin.parameters) == (store.seed, store.parameters)


def test_no_other_module_names_an_attribute():
    packages = (musim.simulator, musim.datasets, musim.training, musim.cli)
    folders = [Path(package.__file__).parent for package in packages]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    assert len(files) > 100
    attributes = {value for name, value in vars(names).items()
                  if name.isupper() and isinstance(value, str)}  # fmt: skip
    assert len(attributes) > 15
    naming = {
        f"{path.parent.name}/{path.name}: {node.value}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        # As a whole, or as a word of a text: documentation shows no names either.
        and any(name in node.value for name in attributes)
    }
    assert {text.split(": ")[0] for text in naming} == {"origins/attributes.py"}
