"""Figures of translations: what is drawn where, and that it is drawn where little is known."""

import io

import numpy as np
import pytest

from musim.training.translation.evaluation import Domain, TranslatedDomain, TranslationEvaluation
from musim.training.translation.figures import (
    EXPERIMENTAL,
    draw_charts,
    draw_differences,
    draw_features,
    draw_signals,
)
from musim.training.translation.metrics import AlarmSettings, Features, FeatureSettings
from musim.training.translation.metrics.consistency import correlation_by_lag
from musim.training.translation.metrics.features import histogram, k_space, log_variance

SHAPE = (20, 24)
RATE = 512.0
SETTINGS = FeatureSettings(segment=0.125, lag=0.02, bins=12)
FREQUENCY = np.fft.rfftfreq(64, 1 / RATE)


def domain(seed, sequences, kind=Domain, name="x", **more):
    random = np.random.default_rng(seed)
    examples = min(sequences, 3)
    return kind(
        name=name,
        address=f"{name}.zarr",
        features=tuple(
            Features(random.lognormal(size=SHAPE).astype(np.float32), FREQUENCY,
                     random.lognormal(size=FREQUENCY.size))
            for _ in range(sequences)
        ),
        signals=random.normal(size=(sequences, 128)).astype(np.float32),
        frames=random.normal(size=(examples, 3, *SHAPE)).astype(np.float32),
        instants=np.tile([0.01, 0.1, 0.2], (examples, 1)),
        checkerboard=random.uniform(1, 3, sequences),
        **more,
    )  # fmt: skip


def translation(seed, sequences, name):
    random = np.random.default_rng(seed + 100)
    maps = random.normal(size=(2, sequences, *SHAPE)).astype(np.float32)
    return domain(
        seed, sequences, TranslatedDomain, name, difference=maps[0], distance=np.abs(maps[1])
    )


def evaluation(a=4, b=5, translated=(4, 2)):
    translations = tuple(
        translation(10 + n, count, f"translation {n}") for n, count in enumerate(translated)
    )
    return TranslationEvaluation(
        SETTINGS, AlarmSettings(), RATE, (0.5, 0.5), (), domain(1, a, name="A"),
        domain(2, b, name="B"), translations,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found():
    return evaluation()


def grid(figure):
    """Axes that show something, without those of colour bars."""
    return [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]


def images(axes):
    return [np.asarray(image.get_array()) for image in axes.get_images()]


def test_features_stand_in_a_row_for_each_store(found):
    chart = draw_features(found)
    shown = iter(chart.figure.axes)
    stores = [found.a, found.b, *found.translations]
    titles = [axes.get_ylabel() for axes in chart.figure.axes[::9]]
    assert titles == ["A", "B", "translation 0", "translation 1"]
    limits = set()
    for store in stores:
        for number in range(3):
            axes = [next(shown) for _ in range(3)]
            if number >= len(store.features):  # the last translation has two
                assert not any(each.axison for each in axes)
                continue
            variance = store.features[number].variance
            np.testing.assert_allclose(images(axes[0])[0], log_variance(variance, SETTINGS))
            assert tuple(axes[0].get_images()[0].get_extent()) == (0, 12, 10, 0)  # mm, depth down
            limits.add(axes[0].get_images()[0].get_clim())
            heights = axes[1].collections[0].get_paths()[0].vertices[:, 1]
            share = histogram(variance, SETTINGS)
            assert set(np.round(share[share > 0], 9)) <= set(np.round(heights, 9))
            assert axes[1].get_yscale() == "log"
            np.testing.assert_allclose(images(axes[2])[0], k_space(variance, SETTINGS))
            assert axes[2].get_images()[0].origin == "lower"
    assert len(limits) == 1  # maps are to be compared


def test_signals_stand_beside_their_spectra_and_correlations(found):
    chart = draw_signals(found)
    rows = np.array(chart.figure.axes[:9]).reshape(3, 3)
    named = [found.a, *found.translations]
    for number in range(2):
        trace, spectrum, correlation = rows[number]
        for line, store in zip(trace.get_lines(), named, strict=True):
            np.testing.assert_allclose(line.get_ydata(), store.signals[number])
            np.testing.assert_allclose(line.get_xdata(), np.arange(128) / RATE)
        assert len(spectrum.get_lines()) == 3
        curves = [line for line in correlation.get_lines() if len(line.get_xdata()) == 21]
        for line, store in zip(curves, found.translations, strict=True):
            wanted = correlation_by_lag(
                found.a.signals[number][None].astype(float),
                store.signals[number][None].astype(float), 10,
            )[0]  # fmt: skip
            np.testing.assert_allclose(line.get_ydata(), wanted)
            np.testing.assert_allclose(line.get_xdata()[[0, -1]], [-10e3 / RATE, 10e3 / RATE])
        dots = [line for line in correlation.get_lines() if len(line.get_xdata()) == 1]
        for dot, line in zip(dots, curves, strict=True):
            assert dot.get_ydata()[0] == line.get_ydata().max()
    trace, _, means = rows[2]
    (line,) = trace.get_lines()
    np.testing.assert_allclose(line.get_ydata(), found.b.signals[0])
    assert line.get_color() == EXPERIMENTAL
    labelled = {line.get_label(): line for line in means.get_lines()
                if not line.get_label().startswith("_")}  # fmt: skip
    assert set(labelled) == {"A", "B", "translation 0", "translation 1"}
    for name, store in zip(labelled, [found.a, found.b, *found.translations], strict=True):
        wanted = np.mean([np.log10(each.spectrum) for each in store.features], axis=0)
        np.testing.assert_allclose(labelled[name].get_ydata(), wanted)
    assert len(means.get_lines()) == 4 + 4 + 5 + 4 + 2


def test_a_store_has_one_colour_in_all_figures(found):
    line = {each.get_label(): each.get_color()
            for each in draw_signals(found).figure.axes[0].get_lines()}  # fmt: skip
    labels = {axes.get_ylabel(): axes.yaxis.label.get_color()
              for axes in draw_features(found).figure.axes[::9]}  # fmt: skip
    assert labels == {**line, "B": EXPERIMENTAL}
    assert len(set(labels.values())) == 4


def test_differences_are_output_less_input(found):
    chart = draw_differences(found, 1)
    shown = [images(axes)[0] for axes in grid(chart.figure) if images(axes)]
    before, after = found.a.frames[0], found.translations[1].frames[0]
    for wanted, drawn in zip((*before, *after, *(after - before)), shown[:9], strict=True):
        np.testing.assert_allclose(drawn, wanted)
    experimental = [found.b.frames[n][i] for n in range(3) for i in range(2)]
    for wanted, drawn in zip(experimental, shown[9:15], strict=True):
        np.testing.assert_allclose(drawn, wanted)
    maps = found.translations[1]
    for wanted, drawn in zip((*maps.difference, *maps.distance), shown[15:], strict=True):
        np.testing.assert_allclose(drawn, wanted)
    curves = [axes for axes in grid(chart.figure) if axes.get_lines()]
    for axes, values in zip(curves, (maps.difference, maps.distance), strict=True):
        profiles = values.mean(axis=2, dtype=float)
        lines = axes.get_lines()
        for line, profile in zip(lines, profiles, strict=False):
            np.testing.assert_allclose(line.get_xdata(), profile)
        np.testing.assert_allclose(lines[2].get_xdata(), profiles.mean(axis=0))
        np.testing.assert_allclose(lines[2].get_ydata(), (np.arange(20) + 0.5) * 0.5)
        assert axes.get_ylim() == (10, 0)


def test_every_chart_states_its_settings(found):
    charts = draw_charts(found)
    assert [chart.name for chart in charts] == [
        "translation-features", "translation-signals", "translation-differences-1",
        "translation-differences-2",
    ]  # fmt: skip
    assert "translation 1" in charts[3].title
    for chart in charts:
        assert SETTINGS.describe() in chart.text
        written = " ".join(chart.figure.get_supxlabel().split())
        assert written == SETTINGS.describe()


@pytest.mark.parametrize("counts", [(1, 1, (1,)), (5, 4, (3, 1))])
def test_figures_are_drawn_where_little_is_known(counts):
    found = evaluation(*counts)
    for store in found.translations:
        store.difference[:] = 0  # nothing was changed
    found.a.signals[0] = 0
    for chart in draw_charts(found):
        picture = io.BytesIO()
        chart.figure.savefig(picture, format="png", dpi=20)
        assert picture.getvalue().startswith(b"\x89PNG")
