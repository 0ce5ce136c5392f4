"""Where answers come from: of networks whose reach and sight are known, both are found."""

import csv
import json
import math
import re

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from musim.cli.pages.writing import write_pages
from musim.datasets.volumes.slices import PLANES, Slice, padded, slices_of
from musim.training.paired.explaining.evaluation import _shares, explain_pairs
from musim.training.paired.explaining.explanation import side_of
from musim.training.paired.explaining.tables import counts, summary, tables_of
from tests.training.paired.scored.conftest import CANVAS, HIGH

REACH = 9


class BoxMean:
    """Answers with the mean of a square about each pixel: it looks so far and no farther."""

    def __init__(self, run):
        self.run = run

    def batch(self, images):
        return np.stack([uniform_filter(2 * image, REACH, mode="constant") for image in images])


def rows_of(folder, name):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_the_reach_that_is_found_is_the_networks(pairs, networks, run, tmp_path):
    networks(BoxMean)
    told, place = [], run("box")
    found = explain_pairs(place, str(pairs), points=20, slices=5, mapped=10,
                          widths=range(1, 20, 2),
                          on_progress=lambda *numbers: told.append(numbers))  # fmt: skip
    # All of the square counts but what is less than the tolerance: its outermost ring, in places.
    assert found.needed_quartiles()[1] == pytest.approx(REACH * 1.5)
    assert set(found.needed()) <= {1.5 * width for width in range(1, REACH + 1, 2)}
    assert found.settled == REACH * 1.5
    assert told[-1][0] == told[-1][1]
    assert len(found.changes) == 20
    one = found.points[0]
    image = uniform_filter(2 * padded(one.slice.image, CANVAS), REACH, mode="constant")
    offset = [(64 - side) // 2 for side in one.slice.image.shape]
    at = one.answers.points[0] + offset
    assert one.answers.whole[0] == pytest.approx(
        np.clip(255 / HIGH * image[tuple(at)], 0, 255), rel=1e-5
    )
    for each in found.points:
        rows, columns = each.answers.points.T
        levels = np.clip(255 / HIGH * each.slice.image_b.astype(float), 0, 255)
        assert each.actual == pytest.approx(levels[rows, columns])
    assert found.whole_errors == pytest.approx(
        np.concatenate([np.abs(each.answers.whole - each.actual) for each in found.points])
    )
    planes = [each.slice.plane for each in found.points for _ in each.actual]
    for plane in PLANES:
        of_plane = found.needed()[np.array(planes) == plane]
        assert found.needed(plane).tolist() == of_plane.tolist()
    # About the pixel that is nearest to the body's middle squares are shown, in the slice alone.
    for width, given in zip(found.seen.widths, found.seen.given, strict=True):
        sides = np.ptp(np.argwhere(given), axis=0) + 1
        assert (sides <= width).all()
        assert given.any()
    assert (np.ptp(np.argwhere(found.seen.given[1]), axis=0) + 1).tolist() == [25, 25]
    # The same points whatever else is asked, others of another seed.
    again = explain_pairs(place, str(pairs), points=20, slices=5, mapped=1, widths=(1, 3))
    other = explain_pairs(place, str(pairs), points=20, slices=5, mapped=1, widths=(1, 3), seed=1)
    places = [np.concatenate([each.answers.points for each in one.points]).tolist()
              for one in (found, again, other)]  # fmt: skip
    assert places[0] == places[1] != places[2]
    # Answers to whole slices do not depend on the windows that are asked about.
    assert again.whole_errors == pytest.approx(found.whole_errors)


def test_networks_that_take_slices_alone_are_asked_about_them_alone(pairs, networks, run):
    sizes = {one.image.shape for one in slices_of(pairs)}

    class Alone(BoxMean):
        alone = True

        def batch(self, images):
            assert images.shape[1:] in sizes
            return super().batch(images)

    networks(Alone)
    found = explain_pairs(run("alone"), str(pairs), points=20, slices=5, mapped=3,
                          widths=range(1, 20, 2))  # fmt: skip
    assert found.needed_quartiles()[1] == pytest.approx(REACH * 1.5)


def test_points_are_shared_out_and_pixels_have_the_side_of_a_square_of_their_area():
    assert _shares(7, 3) == [2, 2, 3]
    assert _shares(2, 4) == [0, 1, 0, 1]
    image = np.zeros((4, 4), np.float32)
    assert side_of(Slice(0, "axial", 0.0, image, image, (2.0, 0.5))) == 1
    assert side_of(Slice(0, "axial", 0.0, image, image, (0.6, 0.6))) == pytest.approx(0.6)


def test_what_a_network_blurs_is_not_there(pairs, networks, run):
    actual = {padded(one.image, CANVAS).tobytes(): padded(one.image_b, CANVAS)
              for one in slices_of(pairs)}  # fmt: skip

    class Blurred:
        sd = 0.0

        def __init__(self, place):
            pass

        def batch(self, images):
            return np.stack([
                gaussian_filter(actual.get(image.tobytes(), image), self.sd) for image in images
            ])  # fmt: skip

    networks(Blurred)
    place = run("sharp")
    sharp = explain_pairs(place, str(pairs), points=3, slices=9, mapped=3, widths=(1, 5))
    assert sum(one.count for one in sharp.classes) >= 9
    for one in sharp.classes:
        if one.count:
            assert one.kept == pytest.approx((1, 1, 1), abs=1e-5)
    assert sharp.smallest == min(1.5 * one.width for one in sharp.classes if one.count >= 5)
    Blurred.sd = 4.0
    blurred = explain_pairs(place, str(pairs), points=3, slices=9, mapped=3, widths=(1, 5))
    assert blurred.smallest > sharp.smallest


def test_tables_figures_and_a_page_show_it(pairs, networks, run, tmp_path):
    networks(BoxMean)
    folder = tmp_path / "explained"
    found = explain_pairs(run("<i>"), str(pairs), folder, points=12, slices=4, mapped=8)
    settings = json.loads((folder / "windows.json").read_text())
    numbers = settings["explanation"]
    assert numbers == json.loads(json.dumps(summary(found)))
    assert len(rows_of(folder, "points.csv")) == 12 * len(found.widths)
    curve = rows_of(folder, "curve.csv")
    assert float(curve[-1]["change_median"]) == pytest.approx(0, abs=1e-4)
    assert [float(row["change_median"]) for row in curve] == pytest.approx(
        np.median(found.changes, axis=0), rel=1e-4, abs=1e-4
    )
    assert {float(row["needed"]) for row in rows_of(folder, "map.csv")} <= set(range(1, 10, 2))
    # Pixels of 1.5 mm.
    for name in ("points", "curve", "structures", "sizes"):
        for row in rows_of(folder, f"{name}.csv"):
            assert float(row["width_mm"]) == 1.5 * float(row["width"])
    for row in rows_of(folder, "map.csv"):
        assert float(row["needed_mm"]) == 1.5 * float(row["needed"])
    assert numbers["widest"] == 1.5 * found.widths[-1]
    assert len(rows_of(folder, "structures.csv")) == numbers["structures"]
    assert (
        sum(int(row["structures"]) for row in rows_of(folder, "sizes.csv"))
        == (numbers["structures"])
    )
    assert {each.name for each in folder.glob("*.png")} == {
        f"explain-{name}.png" for name in ("windows", "curve", "map", "structures", "lost")
    }
    page = tmp_path / "page.html"
    write_pages(str(folder), page, None, lambda *_: None)
    text = page.read_text()
    assert text.count("data:image/png") == 5
    assert re.search("<b>|<i>", re.sub(r"base64,[^\"]+", "", text)) is None
    assert counts(numbers) in text


def test_widths_beyond_all_windows_are_told_as_such(pairs, networks, run):
    class Whole(BoxMean):
        def batch(self, images):
            means = images.mean(axis=(1, 2), keepdims=True)
            return np.broadcast_to(4 * means, images.shape).astype(np.float32)

    networks(Whole)
    found = explain_pairs(run("whole"), str(pairs), points=6, slices=3, mapped=3, widths=(1, 5, 9))
    numbers = summary(found)
    assert found.settled == math.inf
    assert numbers["settled"] is None
    assert numbers["needed"]["all"] == [None] * 3
    windows, _ = tables_of(numbers)
    assert windows.rows[0][1] == ("> 14",) * 3


def test_what_cannot_be_explained_is_refused(pairs, networks, run, tmp_path, refused):
    networks(BoxMean)
    with refused("nowhere", "found no run"):
        explain_pairs(tmp_path / "nowhere", str(pairs), tmp_path / "out")
    other, place = run("other", task="state"), run("box")
    with refused("found a run of musim train state"):
        explain_pairs(other, str(pairs), tmp_path / "out")
    with refused("`points`", "found 0"):
        explain_pairs(place, str(pairs), points=0)
    with refused("none.zarr", "found nothing"):
        explain_pairs(place, str(tmp_path / "none.zarr"), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")

    with refused("not an evaluation"):
        explain_pairs(place, str(pairs), tmp_path / "full")
