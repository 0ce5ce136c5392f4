"""``musim.plot``: what is drawn is what the store holds, wherever it is drawn."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

import musim
from musim import plot
from musim.cli.pictures.movies import draw_movie
from musim.cli.pictures.stills import draw_preview
from musim.cli.plot.firings import twitches_about
from musim.datasets import generate
from musim.simulator import Parameters, Range, draw
from musim.training.colours import COLOURS
from musim.training.identification.explanation import explained
from musim.training.identification.results import recording_of
from musim.training.identification.rows import IdentificationEvaluation

PARAMETERS = Parameters(
    units=Range(3, 3), pixels=(16, 20), size=(16.0, 10.0), diameter=Range(3, 5), frames=240
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("plot") / "some.zarr"
    return generate(PARAMETERS, place, sequences=2, kind="rendered", workers=1, pool="threads")


@pytest.fixture(scope="module")
def units(store, tmp_path_factory, store_of_units, nearly):
    place = tmp_path_factory.mktemp("found") / "units.zarr"
    found = [
        explained(recording_of(store, index), nearly(store.truth(index))) for index in range(2)
    ]
    return store_of_units(place, store, found)


def images_of(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_frames_are_those_of_the_store_on_one_scale_about_zero(store):
    figure = plot.frames(store, 1, at=[0.0, 0.1, 0.5975])
    panels = [axes for axes in figure.axes if axes.images]
    for axes, frame in zip(panels, (0, 40, 239), strict=True):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), store.tvi(1)[frame])
        assert image.get_extent() == [0, 10, 16, 0]
        low, high = image.get_clim()
        assert low == -high < 0
        assert image.get_clim() == panels[0].images[0].get_clim()
    assert [axes.get_title() for axes in panels] == ["0.000 s", "0.100 s", "0.598 s"]
    assert len(images_of(plot.frames(store))) == 5
    under_way = images_of(plot.frames(store, at=[0.1017]))[0]
    np.testing.assert_array_equal(under_way, store.tvi(0)[40])


def test_territories_lie_where_the_units_do_in_their_colours(store):
    figure = plot.territories(store, 1, units=[2, 0])
    (shown,) = images_of(figure)[:1]
    np.testing.assert_allclose(shown, store.tvi(1).std(axis=0), rtol=1e-4)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["2", "0"]
    for number, outline in zip((2, 0), axes.collections, strict=True):
        assert to_hex(outline.get_edgecolor()[0]) == COLOURS[number]
        path, mask = outline.get_paths()[0], store.truth(1).territory[number] > 0.5
        rows, columns = np.indices(mask.shape)
        centres = np.stack([(columns + 0.5) * 0.5, rows + 0.5], axis=-1)
        inside = np.zeros(mask.shape, bool)
        for polygon in path.to_polygons():
            inside ^= _inside(polygon, centres)
        # Softening rounds corners off; no more than single pixels of the border differ.
        assert (inside & mask).sum() / (inside | mask).sum() > 0.8


def _inside(polygon, points):
    from matplotlib.path import Path

    return Path(polygon).contains_points(points.reshape(-1, 2)).reshape(points.shape[:2])


def test_trains_and_ticks_are_those_of_the_store(store):
    figure, truth = plot.trains(store, 0, units=[1, 2], time=(0.1, 0.4)), store.truth(0)
    (axes,) = figure.axes
    assert axes.get_xlim() == (0.1, 0.4)
    lines = [line for line in axes.lines if len(line.get_xdata()) == 240]
    for number, line, ticks in zip((1, 2), lines, axes.collections, strict=True):
        np.testing.assert_allclose(np.ptp(line.get_ydata()), np.ptp(truth.twitch_train[number]))
        np.testing.assert_allclose(
            np.diff(line.get_ydata()), np.diff(truth.twitch_train[number]), atol=1e-6
        )
        times = truth.firing[number]
        wanted = times[(times >= 0) & (times < 0.6)]
        assert [segment[0, 0] for segment in ticks.get_segments()] == wanted.tolist()


def test_firings_stand_at_their_instants_and_dots_at_their_rates(store):
    (axes,) = plot.firings(store, 0).axes
    truth = store.truth(0)
    dots = [line for line in axes.lines if line.get_marker() == "."]
    for number, (ticks, line) in enumerate(zip(axes.collections, dots, strict=True)):
        times = truth.firing[number]
        times = times[(times >= 0) & (times < 0.6)]
        assert [segment[0, 0] for segment in ticks.get_segments()] == times.tolist()
        np.testing.assert_array_equal(line.get_xdata(), times[1:])
        # A row runs from its lower end at 0.24 over a span of 0.68, which is 20 Hz or more.
        rates = (np.asarray(line.get_ydata()) + number + 1 - 0.24) / 0.68
        top = float(axes.texts[-1].get_text().split()[-2])
        np.testing.assert_allclose(rates * top, 1 / np.diff(times), rtol=1e-9)
        mean = 1 / np.diff(times).mean()
        assert axes.texts[number].get_text().startswith(f"{mean:.1f} Hz, CoV ")


def test_a_unit_is_shown_with_the_mean_of_its_train_about_its_firings(store):
    figure = plot.unit(store, 0, 2)
    truth = store.truth(0)
    mean = next(a for a in figure.axes if a.get_title().startswith("Train about")).lines[-1]
    times = truth.firing[2]
    inside = times[(times >= 0.05) & (times + 0.25 <= 239 / 400)]
    train, frames = truth.twitch_train[2].astype(float), np.arange(240) / 400
    slow = [np.mean([np.interp(t + lag, frames, train) for t in inside])
            for lag in np.asarray(mean.get_xdata()) / 1e3]  # fmt: skip
    np.testing.assert_allclose(mean.get_ydata(), slow, atol=1e-9)
    assert figure.texts[0].get_text().startswith("Unit 2  ·  some.zarr")
    band = next(a for a in figure.axes if a.get_title().startswith("Train about")).collections[0]
    low, high = np.quantile(twitches_about(train, inside, 400.0)[1], (0.25, 0.75), axis=0)
    corners = band.get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == pytest.approx((low.min(), high.max()))
    times = times[(times >= 0) & (times < 0.6)]
    bars = next(a for a in figure.axes if a.get_title().endswith("intervals"))
    assert bars.get_title() == f"{len(times) - 1} intervals"
    counts, _ = np.histogram(1e3 * np.diff(times), np.arange(len(bars.patches) + 1) * 10)
    assert [bar.get_height() for bar in bars.patches] == counts.tolist()


def test_a_twitch_is_cut_out_as_it_is_and_not_where_the_sequence_ends():
    signal = np.arange(400, dtype=np.float32)
    lags, found = twitches_about(signal, np.array([0.01, 0.25, 0.5015, 0.9]), 400.0)
    assert (lags[0], lags[-1], len(lags)) == (-0.05, 0.25, 121)
    np.testing.assert_allclose(found, 400 * (np.array([[0.25], [0.5015]]) + lags), atol=1e-9)
    assert twitches_about(signal, np.empty(0), 400.0)[1].shape == (0, 121)


def test_found_units_stand_over_true_ones_and_missed_ones_below(store, units):
    figure = plot.found(units, 0)
    np.testing.assert_array_equal(images_of(figure)[0], units.read("velocity_sd", 0))
    rows = next(axes for axes in figure.axes if axes.get_xlabel() == "Time (s)")
    labels = [label.get_text() for label in rows.get_yticklabels()]
    assert labels == ["0", "1", "2*", "t2"]
    lines = [line for line in rows.lines if len(line.get_xdata()) == 240]
    truth, found = store.truth(0), units.read("twitch_train", 0)
    wanted = [truth.twitch_train[0], found[0], truth.twitch_train[1], found[1], found[2],
              truth.twitch_train[2], np.full(240, np.nan)]  # fmt: skip
    for line, signal in zip(lines, wanted, strict=True):
        np.testing.assert_allclose(np.diff(line.get_ydata()), np.diff(signal), atol=1e-6)
    assert "2 of 3 true units by their trains" in figure.texts[0].get_text()
    ticks = [[segment[0, 0] for segment in one.get_segments()] for one in rows.collections]
    own, true = ([_inside_of(one.read("firing", 0)[n]) for n in range(3)] for one in (units, store))
    assert ticks == [own[0], true[0], own[1], true[1], own[2], [], true[2]]
    labels = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    for name, one, unit in (("0", units, 0), ("1", units, 1), ("2*", units, 2), ("t2", store, 2)):
        mask = one.read("territory", 0)[unit] > 0.5
        depth, width = np.argwhere(mask).mean(axis=0) + 0.5
        assert labels[name] == pytest.approx((width * 0.5, depth), abs=0.05)


def _inside_of(firing):
    return firing[(firing >= 0) & (firing < 0.6)].tolist()


def test_what_is_explained_is_the_reconstruction(units):
    recorded, made, left = images_of(plot.explained(units, 1))[:3]
    np.testing.assert_array_equal(recorded, units.read("velocity_sd", 1))
    np.testing.assert_allclose(made, units.tvi(1).std(axis=0), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(left, units.read("residual_sd", 1))
    assert not np.array_equal(left, recorded)


def test_a_truth_is_drawn_as_the_store_that_holds_it(store):
    truth = draw(PARAMETERS, seed=0, index=1)
    for function in (plot.frames, plot.territories, plot.trains, plot.firings):
        mine, theirs = function(truth, parameters=PARAMETERS), function(store, 1)
        for figure in (mine, theirs):
            figure.canvas.draw()
        np.testing.assert_array_equal(mine.canvas.buffer_rgba(), theirs.canvas.buffer_rgba())


def test_a_preview_is_that_of_the_command(store, units, slices_store, tmp_path):
    for one in (store, units, slices_store):
        draw_preview(one, 1, tmp_path / "a.png")
        plot.preview(str(one.location.path), 1).savefig(
            tmp_path / "b.png", dpi=150, metadata={"Software": None}
        )
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_panels_are_drawn_where_they_are_wanted(store):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot.territories(store, axes=left) is figure
    assert plot.trains(store, axes=right) is figure
    assert left.images
    assert right.lines
    (bar,) = left.child_axes  # its scale
    assert bar.get_ylabel() == "SD of velocity (mm/s)"
    inset = figure.subfigures(1, 1).subplots()
    assert plot.firings(store, axes=inset) is figure


def test_a_movie_is_that_of_the_command_and_shows_itself(store, tmp_path):
    movie = plot.movie(store, speed=2)
    draw_movie(store, 0, tmp_path / "a.gif", speed=2)
    assert movie.save(tmp_path / "b.gif").read_bytes() == (tmp_path / "a.gif").read_bytes()
    with Image.open(io.BytesIO(movie.content)) as image:
        assert image.n_frames == round(0.6 / 2 * 25)
    assert movie._repr_html_().startswith('<img src="data:image/gif;base64,')
    assert plot.Movie(b"", '"><script>')._repr_html_().count("<") == 1
    assert plot.movie(store, 1, tmp_path / "c.gif", speed=4) == tmp_path / "c.gif"
    draw_movie(store, 1, tmp_path / "d.gif", speed=4)
    assert (tmp_path / "c.gif").read_bytes() == (tmp_path / "d.gif").read_bytes()


def test_notebooks_show_figures_without_pyplot(store):
    assert plot.trains(store)._repr_png_().startswith(b"\x89PNG")
    code = (
        "import sys, musim\n"
        "assert 'matplotlib' not in sys.modules\n"
        "p = musim.Parameters(units=(2, 2), frames=40, pixels=(9, 9))\n"
        "musim.plot.trains(musim.draw(p, seed=1), parameters=p)\n"
        "print([n for n in ('matplotlib.pyplot', 'torch', 'lightning') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_scores_are_the_figures_of_the_evaluation(tmp_path):
    rows = [{"confidence": c, "train_matched": float(c > 0.5)} for c in (0.2, 0.7, 0.9)]
    evaluation = IdentificationEvaluation("ica", "a.zarr", "", [], [], rows)
    assert plot.score_names(evaluation) == ("reliability",)
    figure = plot.scores(evaluation, "reliability")
    assert "Reliability" in figure.get_suptitle()
    assert figure._repr_png_().startswith(b"\x89PNG")
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    (tmp_path / "some.json").write_text(json.dumps({}))
    Image.fromarray(pixels).save(tmp_path / "features.png")
    Image.fromarray(pixels[::-1]).save(tmp_path / "other.png")
    assert plot.score_names(tmp_path) == ("features", "other")
    assert not np.array_equal(
        plot.scores(tmp_path, "other").images[0].get_array(),
        plot.scores(tmp_path).images[0].get_array(),
    )
    figure = plot.scores(tmp_path)
    content = io.BytesIO()
    figure.savefig(content)
    with Image.open(content) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels)


def test_what_cannot_be_drawn_is_refused_in_a_line(store, units, slices_store, refused, tmp_path):
    truth = draw(PARAMETERS, seed=1)
    wrong = [
        ((plot.preview, store, 2), ("found sequence 2", "wanted 0 to 1")),
        ((plot.trains, store, -1), ("found sequence -1", "wanted 0 to 1")),
        ((plot.territories, slices_store), ("wanted",)),
        ((plot.found, store), ("wanted the units found", "musim identify")),
        ((plot.found, truth), ("found a truth", "wanted a store")),
        ((plot.trains, truth), ("parameters: found none", "wanted those")),
        ((plot.unit, store, 0, 3), ("found unit 3", "wanted 0 to 2")),
        ((plot.scores, tmp_path), ("found no evaluation", "wanted")),
    ]  # fmt: skip
    for (function, *arguments), words in wrong:
        with refused(*words):
            function(*arguments)
    for options, words in (
        ({"at": [0.6]}, ("found 0.6 s", "0 to 0.5975 s")),
        ({"at": []}, ("found no instant",)),
    ):
        with refused(*words):
            plot.frames(store, **options)
    for options in ({"time": (0.4, 0.2)}, {"time": (0, 1)}, {"time": (float("nan"), 0.2)}):
        with refused("time: found", "wanted a span inside 0 to 0.6 s"):
            plot.trains(store, **options)
    with refused("found 240 x 16 x 20", "wanted the 400 x 64 x 64"):
        plot.trains(draw(Parameters(units=(2, 2)), seed=1), parameters=PARAMETERS)
    with refused("figure: found 'x'", "wanted one of reliability"):
        rows = [{"confidence": 0.5, "train_matched": 1.0}]
        plot.scores(IdentificationEvaluation("ica", "a", "", [], [], rows), "x")
    movie = plot.Movie(b"GIF", "x")
    with refused("found '.png'", "wanted one of .gif"):
        movie.save(tmp_path / "a.png")


def test_recordings_without_units_show_pixels(store, refused):
    import dataclasses

    from musim.datasets import Store

    dense = Store(store.location, dataclasses.replace(store.layout, variables=("tvi",)))

    class Untold(Store):
        def tvi(self, index, **window):
            return store.tvi(index, **window)

    untold = Untold(dense.location, dense.layout)
    (axes,) = plot.trains(untold).axes
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["mean", "0"]
    assert plot.territories(untold).axes[0].texts[0].get_text() == "0"
    with refused("knows no units"):
        plot.trains(untold, units=[0])
    with refused("found no units", "musim identify"):
        plot.firings(untold)


def test_it_lists_what_it_has():
    assert set(plot.__all__) <= set(dir(musim.plot))
    for name in plot.__all__:
        assert name in plot.__doc__ or name == "Movie"
