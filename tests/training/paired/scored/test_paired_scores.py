"""Scores of a slice, levels, profiles and examples, by hand and by slow, obvious versions."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from musim.datasets.volumes.slices import Slice, padded, slices_of
from musim.training.paired import metrics
from musim.training.paired.grid import grid_of, power_of
from musim.training.paired.levels import Levels
from musim.training.paired.protocol import figures
from musim.training.paired.protocol.evaluation import evaluate_pairs
from musim.training.paired.protocol.predictions import ACTUAL, COPY, blocks_of, runs_of
from musim.training.paired.protocol.profiles import profile_of
from musim.training.paired.protocol.scoring import COLUMNS, scores_of
from musim.training.paired.protocol.survey import Survey, _examples, survey_of
from musim.training.runs.folder import BEST, RunFolder
from tests.training.paired.scored.conftest import CANVAS


def test_each_score_is_in_its_column_of_the_pixels_that_it_is_of():
    random = np.random.default_rng(4)
    size, canvas = (40, 36), (64, 64)
    actual = padded(random.uniform(20, 255, size), canvas)
    generated = np.clip(0.8 * actual + random.normal(10, 15, canvas), 0, 255)
    body = random.uniform(size=size) > 0.6
    inside = generated[12:52, 14:50]
    found = dict(zip(COLUMNS, scores_of(actual, generated, body, size), strict=True))
    for name, function in (
        ("nrmse", metrics.normalised_error), ("psnr", metrics.peak_ratio),
        ("ssim", metrics.global_similarity), ("relative_error", metrics.relative_error),
        ("psnr_of_range", metrics.peak_ratio_of_range),
        ("windowed_ssim", metrics.windowed_similarity),
    ):  # fmt: skip
        assert found[name] == function(actual, generated), name
    difference = (inside - actual[12:52, 14:50])[body]
    assert found["body_error"] == pytest.approx(math.sqrt((difference**2).mean()) / 255)
    assert found["grid"] == grid_of(inside).strength != grid_of(generated).strength


def test_a_profile_runs_along_the_row_in_which_the_body_varies_most():
    image = np.arange(240, dtype=np.float32).reshape(12, 20)
    image_b, tissue = np.full((12, 20), 100, np.float32), np.ones((12, 20), np.uint8)
    tissue[:, :4] = tissue[3] = 0
    image_b[3, ::2] = image_b[5, :2] = 255  # most of all, but in the air
    image_b[7, 8:12] = 160
    image_b[8] = 130  # brighter, and even
    one = Slice(6, "coronal", 0.0, image, image_b, (2.0, 0.5), tissue)
    survey = Survey(Levels(0, 510), Levels(0, 255), (), (), (), (), np.zeros((256, 256), int))
    made = padded(image + 1, (32, 32))
    found = profile_of(one, survey, {"made": {6: made}})
    assert (found.slice, found.row) == (6, 7)
    assert np.array_equal(found.position, 0.5 * np.arange(20))
    assert found.given == pytest.approx(image[7] / 2)
    assert np.array_equal(found.actual, image_b[7])
    assert np.array_equal(found.generated["made"], image[7] + 1)


def test_examples_show_most_of_the_body_in_the_papers_order():
    planes = ["axial", "axial", "axial", "sagittal", "coronal"]
    assert _examples(planes, [3, 9, 9, 1, 0]) == (4, 3, 1)


def test_levels_are_those_of_all_slices(slices_store):
    survey = survey_of(slices_store)
    for name, levels in (("image", survey.first), ("image_b", survey.second)):
        values = np.concatenate([getattr(one, name).ravel() for one in slices_of(slices_store)])
        assert (levels.low, levels.high) == (values.min(), values.max())
        assert levels.low < 0
    assert survey.body == tuple(int((one.tissue > 0).sum()) for one in slices_of(slices_store))


def test_networks_that_take_slices_alone_are_given_no_canvas(
    pairs, networks, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(figures, "charts", lambda found: [])  # nothing is drawn
    actual = {one.image.tobytes(): one.image_b for one in slices_of(pairs)}

    class Alone:
        """Knows the answers to slices without what is around them."""

        alone = True

        def __init__(self, place):
            self.place = place

        def __call__(self, image):
            return actual[image.tobytes()]

    networks(Alone)
    found = evaluate_pairs([run("alone")], tmp_path / "out", data=pairs, workers=1)
    assert [row["nrmse"] for row in found.rows["alone"]] == [0] * 9
    # What is counted of each translation is of what it made.
    survey, made = found.survey, found.made
    powers, copied = [], []
    for one in slices_of(pairs):
        image, wanted = (
            levels.of(padded(each, CANVAS))
            for levels, each in ((survey.first, one.image), (survey.second, one.image_b))
        )
        powers.append(power_of(wanted))
        copied.append(metrics.normalised_error(wanted, image))
    assert [row["nrmse"] for row in found.rows[COPY]] == pytest.approx(copied)
    for name in ("alone", ACTUAL):
        assert made[name].power == pytest.approx(np.mean(powers, axis=0), rel=1e-4)
    assert np.array_equal(made["alone"].joint, made[ACTUAL].joint)
    assert np.count_nonzero(made[COPY].joint) == np.count_nonzero(np.diag(made[COPY].joint))
    assert not np.array_equal(made[COPY].power, made[ACTUAL].power)


def test_parts_are_of_one_store_and_one_network(run):
    def parts(name, seal, weights=None):
        folder = run(name)
        if weights is not None:
            (RunFolder(folder).path / BEST).write_bytes(weights)
        store = SimpleNamespace(location=SimpleNamespace(read=lambda file: seal))
        survey = SimpleNamespace(planes=("axial",) * 100, joint=np.eye(256, dtype=np.int64))
        blocks = [each for each in blocks_of(runs_of([folder]), store, survey)
                  if each.name == name]  # fmt: skip
        assert [(each.first, each.last) for each in blocks] == [(0, 48), (48, 96), (96, 100)]
        return [each.part for each in blocks]

    first = parts("one", b"seal", b"weights")
    assert len(set(first)) == 3
    assert parts("same", b"seal", b"weights") == first
    assert set(first).isdisjoint(parts("other", b"seal", b"others"))
    assert set(first).isdisjoint(parts("elsewhere", b"other seal", b"weights"))
