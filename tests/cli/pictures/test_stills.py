"""Pictures: valid, not empty, the same each time, and nothing left where there is none."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from musim.cli.pictures import stills as pictures
from musim.cli.pictures.panels import Page, draw_marks, draw_traces
from musim.cli.pictures.scene import read_scene
from musim.cli.pictures.stills import ENDINGS_OF_PICTURES, draw_preview
from musim.cli.targets import written_aside
from musim.datasets import Store, generate
from musim.simulator import Parameters, Range
from musim.simulator.errors import FailureError, InputError
from musim.simulator.experiment.anatomy import Artery
from musim.training.identification.units import Units


def made(path, units=3, **values):
    shape = {"pixels": (16, 16), "size": (16.0, 16.0), "diameter": Range(2, 6), "frames": 40}
    parameters = Parameters(units=Range(units, units), **{**shape, **values})
    return generate(parameters, path, sequences=1, kind="rendered", workers=1, pool="threads")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made(tmp_path_factory.mktemp("pictures") / "some.zarr")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "preview.png"


def test_a_picture_is_one_of_the_expected_size_with_something_on_it(store, out):
    draw_preview(store, 0, out)
    with Image.open(out) as image:
        assert image.format == "PNG"
        width, height = image.size
        pixels = np.asarray(image.convert("RGB"))
    assert width == 1650
    assert 900 < height < 1300
    # Frames at the top, the map at the left below, the trains at its right.
    for part in (pixels[150:450], pixels[600:, : width // 2], pixels[600:, width // 2 :]):
        assert 0.01 < (part != 255).any(axis=2).mean() < 0.99
        assert len(np.unique(part.reshape(-1, 3), axis=0)) > 20
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_uncertain_outlines_are_dashed_and_the_heading_says_so(store, out):
    scene = read_scene(store, 0)
    marks = tuple(dataclasses.replace(m, uncertain=m.label == "1") for m in scene.marks)
    page = Page(5, 5, 100)
    axes = page.axes(0.5, 0.5, 4, 4)
    draw_marks(axes, dataclasses.replace(scene, marks=marks), font_size=9)
    dashes = [one.get_linestyle()[0][1] for one in axes.collections]
    assert [pattern is not None for pattern in dashes] == [m.uncertain for m in marks]
    for shown, said in ((scene, False), (dataclasses.replace(scene, marks=marks), True)):
        texts = [one.get_text() for one in pictures.compose_scene(shown).figure.texts]
        assert any("(dashed: outline uncertain)" in text for text in texts) == said


def test_same_bytes_each_time_and_no_word_of_the_software(store, out):
    draw_preview(store, 0, out)
    first = out.read_bytes()
    draw_preview(store, 0, out)
    assert out.read_bytes() == first
    assert b"tEXt" not in first


@pytest.mark.parametrize("ending", ENDINGS_OF_PICTURES)
def test_every_kind_has_the_same_bytes_each_time(store, tmp_path, ending):
    first, second = (tmp_path / f"{name}{ending}" for name in "ab")
    draw_preview(store, 0, first)
    draw_preview(store, 0, second)
    assert first.read_bytes() == second.read_bytes()


def texts_of(scene):
    figure = pictures.compose_scene(scene).figure
    own = [one for axes in figure.axes for one in axes.texts]
    return " | ".join(one.get_text() for one in [*figure.texts, *own])


@pytest.fixture(scope="module")
def nothing_found(tmp_path_factory, store_of_units):
    """A recording, and a result in which no unit was found."""
    folder = tmp_path_factory.mktemp("found")
    recording = made(folder / "recording.zarr")
    shape = recording.layout.shape
    units = Units(np.zeros((0, *shape[1:])), np.zeros((0, shape[0])), np.zeros((0, 1)), np.zeros(0))
    return recording, store_of_units(folder / "units.zarr", recording, [units])


def test_a_result_shows_what_was_recorded_beside_what_its_units_explain(nothing_found):
    recording, found = nothing_found
    scene = read_scene(found, 0)
    np.testing.assert_allclose(scene.recorded_sd, recording.tvi(0).std(axis=0), rtol=1e-5)
    assert not scene.deviation.any()
    figure = pictures.compose_scene(scene).figure
    maps = [axes.images[0].get_array() for axes in figure.axes if axes.images][-2:]
    np.testing.assert_array_equal(maps[0], scene.recorded_sd)
    np.testing.assert_array_equal(maps[1], scene.deviation)
    said = texts_of(scene)
    assert "reconstruction" in said
    assert "SD of the recorded velocity" in said
    assert "No unit was found." in said


def test_true_outlines_lie_under_those_found_and_stand_out_on_both_sides(nothing_found):
    recording, found = nothing_found
    scene = read_scene(found, 0)
    np.testing.assert_array_equal(scene.truths, recording.truth(0).territory)
    assert "over true ones (black)" in texts_of(scene)
    marks = read_scene(recording, 0).marks
    page = Page(5, 5, 100)
    axes = page.axes(0.5, 0.5, 4, 4)
    draw_marks(axes, dataclasses.replace(scene, marks=marks), font_size=9)
    true, over = axes.collections[:3], axes.collections[3:]
    assert len(true) == len(over) == 3
    assert min(one.get_linewidth()[0] for one in true) > 2 * over[0].get_linewidth()[0]
    # Of a simulated sequence the territories are the true ones already.
    assert read_scene(recording, 0).truths == ()


def test_of_many_units_the_strongest_are_drawn_and_the_rest_counted(tmp_path):
    store = made(tmp_path / "many.zarr", 45)
    scene, truth = read_scene(store, 0), store.truth(0)
    energy = (truth.twitch_train.astype(float) ** 2).sum(1) * truth.territory.sum((1, 2))
    assert [trace.label for trace in scene.traces] == [
        str(unit) for unit in sorted(np.argsort(-energy)[:40])
    ]
    assert [mark.label for mark in scene.marks] == [trace.label for trace in scene.traces]
    assert "45 units" in scene.title
    assert "the strongest 40 of 45" in texts_of(scene)


def test_fat_and_artery_are_drawn_and_named(store):
    scene = read_scene(store, 0)
    assert not {"fat", "artery"} & set(texts_of(scene).split(" | "))
    told = dataclasses.replace(scene, fat=2.5, artery=Artery(7.0, 4.0, 1.2))
    assert {"fat", "artery"} <= set(texts_of(told).split(" | "))
    page = Page(5, 5, 100)
    axes = page.axes(0.5, 0.5, 4, 4)
    draw_marks(axes, told, font_size=9)
    (circle,) = axes.patches
    assert (circle.center, circle.radius) == ((4.0, 7.0), 1.2)
    assert list(axes.lines[0].get_ydata()) == [2.5, 2.5]


def test_both_kinds_of_store_give_the_same_picture_but_for_the_title(store, out, tmp_path):
    dense = generate(store.parameters, tmp_path / "b.zarr", sequences=1, kind="dense", workers=1)
    images = []
    for one in (store, dense):
        draw_preview(one, 0, out)
        with Image.open(out) as image:
            images.append(np.asarray(image)[60:])
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("ending", ENDINGS_OF_PICTURES)
def test_every_ending_in_any_case(store, tmp_path, ending):
    out = tmp_path / f"preview{ending.upper()}"
    draw_preview(store, 0, out)
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[ending]
    assert out.read_bytes().startswith(start)
    assert re.search(rb"CreationDate|dc:date", out.read_bytes()) is None


@pytest.mark.parametrize(
    ("units", "values"),
    [
        (1, {}),
        (30, {}),
        (70, {}),
        (2, {"frames": 1}),
        (3, {"pixels": (8, 40), "size": (8.0, 40.0)}),
        (3, {"pixels": (40, 8), "size": (40.0, 8.0)}),
        (2, {"snr": Range(float("inf"), float("inf"))}),
        (4, {"territory": "ellipse", "mask": "soft", "axis_ratio": Range(2, 2)}),
        (4, {"territory": "fibres", "mask": "soft"}),
    ],
)
def test_all_sorts_of_sequences(tmp_path, out, units, values):
    draw_preview(made(tmp_path / "a.zarr", units, **values), 0, out)
    with Image.open(out) as image:
        assert image.width == 1650
        assert image.convert("L").getextrema()[0] < 100


def test_a_store_without_truth(store, tmp_path, out):
    dense = generate(store.parameters, tmp_path / "b.zarr", sequences=1, workers=1)
    untold = Store(dense.location, dataclasses.replace(dense.layout, variables=("tvi",)))
    draw_preview(untold, 0, out)
    with Image.open(out) as image:
        assert len(image.convert("RGB").getcolors(10**7)) > 100


def test_signs_in_a_name_are_no_formula(tmp_path, out):
    draw_preview(made(tmp_path / r"$\oops$_{.zarr"), 0, out)


def test_traces_and_ticks_have_the_units_colours(store):
    scene = read_scene(store, 0)
    axes = Page(5, 5, 100).axes(0.5, 0.5, 4, 4)
    draw_traces(axes, scene)
    labels = axes.get_yticklabels()
    assert [label.get_text() for label in labels] == ["0", "1", "2"]
    assert [label.get_color() for label in labels] == [trace.colour for trace in scene.traces]
    ticks = [len(lines.get_segments()) for lines in axes.collections]
    assert ticks == [len(trace.firings) for trace in scene.traces]


def test_labels_of_units_at_one_place_lie_apart_and_inside(tmp_path):
    scene = read_scene(made(tmp_path / "a.zarr", 1), 0)
    mark = scene.marks[0]
    marks = tuple(dataclasses.replace(mark, label=str(unit)) for unit in range(30))
    page = Page(4, 4, 100)
    axes = page.axes(0, 0, 4, 4)
    draw_marks(axes, dataclasses.replace(scene, marks=marks), font_size=8)
    page.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 30
    for number, box in enumerate(boxes):
        assert axes.bbox.padded(2).containsx(box.x0)
        assert axes.bbox.padded(2).containsy(box.y0)
        centre = np.add(box.min, box.max) / 2
        for other in boxes[:number]:
            distance = np.abs(centre - np.add(other.min, other.max) / 2)
            assert (distance > (5, 7)).any()


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.gif", ".png"])
def test_other_endings_are_refused(store, tmp_path, name):
    with pytest.raises(InputError, match=r"found .*, wanted one of \.png, \.pdf, \.svg"):
        draw_preview(store, 0, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(store, tmp_path):
    with pytest.raises(InputError, match=r"found no folder .*, wanted one"):
        draw_preview(store, 0, tmp_path / "no" / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_that_name(store, out):
    out.mkdir()
    with pytest.raises(InputError, match="found a folder there"):
        draw_preview(store, 0, out)


def test_no_such_sequence_leaves_nothing(store, tmp_path, out):
    with pytest.raises(InputError, match="found sequence 1, wanted 0 to 0"):
        draw_preview(store, 1, out)
    assert not list(tmp_path.iterdir())


def test_a_failure_keeps_what_was_there(store, tmp_path, out, monkeypatch):
    out.write_text("old")

    def half(figure, path, **_):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", half)
    with pytest.raises(FailureError, match=r"cannot be written .*No space left"):
        draw_preview(store, 0, out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_nothing(tmp_path, out, error):
    def write():
        with written_aside(out) as aside:
            aside.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written(out):
    def write():
        with written_aside(out):
            raise PermissionError(13, "Permission denied")

    with pytest.raises(InputError, match=r"Permission denied.*use another folder"):
        write()


def test_matplotlib_keeps_its_state(store, out):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw_preview(store, 0, out)
    assert dict(matplotlib.rcParams) == before
    assert "pyplot" not in vars(pictures)
