"""Two sets of images compared whole: tables, figures, limits that are known, and wrong inputs."""

import csv
import json

import numpy as np
import pytest
import scipy
from PIL import Image

from musim.training.sections.image_sets import read_image_set
from musim.training.sections.likeness import figures
from musim.training.sections.likeness.comparison import SPLITS, compare_images
from musim.training.sections.likeness.evaluation import FILES, evaluate_images, summary
from musim.training.sections.likeness.features import FeatureExtractor
from musim.training.sections.likeness.pairs import PUBLISHED_EXCESS


def drawn(count, seed, *, bright=90, smear=3, side=48):
    noise = np.random.default_rng(seed).normal(size=(count, side, side))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, smear, 3))
    return np.clip(bright + 35 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def save(folder, images):
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"image-{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Folders: real images, of which two are nearly the same; others that are alike or not."""
    folder = tmp_path_factory.mktemp("images")
    real = drawn(24, 0)
    real[5] = np.clip(real[4] + 3.0, 0, 255)
    return {
        "real": save(folder / "real", real),
        "alike": save(folder / "alike", drawn(20, 1)),
        "fine": save(folder / "fine", drawn(20, 2, bright=130, smear=1)),
        "large": save(folder / "large", drawn(6, 3, side=60)),
        "one": save(folder / "one", drawn(1, 4)),
        "copies": save(folder / "copies", real[:12]),
        "constant": save(folder / "constant", np.full((6, 48, 48), 9, np.uint8)),
    }


@pytest.fixture(scope="module")
def found(places):
    return evaluate_images(places["real"], places["fine"])


def test_what_differs_stands_out_of_real_halves(found, places):
    alike = evaluate_images(places["real"], places["alike"]).distances
    unlike = found.distances
    assert unlike.numbers == (23, 20, 32)  # one of the two that are nearly the same
    assert unlike.halves == (11, 11)
    for name, higher in (("frechet", True), ("kernel", True), ("precision", False),
                         ("coverage", False), ("neighbour_accuracy", True)):  # fmt: skip
        sign = 1 if higher else -1
        assert sign * (unlike.equal[name].mean - unlike.floor[name].mean) > 0, name
        apart = abs(alike.equal[name].mean - alike.floor[name].mean)
        assert apart < 0.5 * abs(unlike.equal[name].mean - unlike.floor[name].mean), name
    assert all(score.count == SPLITS for score in unlike.floor.values())


def test_real_halves_are_the_same_beside_whatever_other_images(found, places):
    """The floor belongs to the real images alone, as far as numbers are the same."""
    alike = evaluate_images(places["real"], places["alike"])
    assert alike.distances.floor == found.distances.floor


def test_the_numbers_of_a_summary(found):
    numbers = summary(found)
    assert numbers["images"]["real"] == 24
    assert numbers["images"]["real_groups"] == 23
    assert numbers["images"]["near_twins"]["real"] == pytest.approx(2 / 24)
    assert numbers["images"]["near_twins"]["other"] == 0
    grey = numbers["grey_levels"]["mean"]
    assert grey["real"]["mean"] == pytest.approx(found.real.images.mean())
    assert grey["other"]["mean"] == pytest.approx(found.other.images.mean())
    assert 0 < numbers["grey_levels"]["histogram_distance"] < 1
    pairs = numbers["pairs"]
    assert pairs["psnr"]["between"]["count"] == 300
    assert pairs["psnr"]["other"]["count"] == 190
    assert pairs["psnr"]["real"]["count"] == 275  # all but the one of one group
    assert pairs["psnr_published"]["real"]["mean"] == pytest.approx(
        pairs["psnr"]["real"]["mean"] + PUBLISHED_EXCESS
    )
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_copies_of_the_real_images_are_told(places):
    numbers = summary(evaluate_images(places["real"], places["copies"]))
    assert numbers["memorisation"]["copies"] == 1
    assert numbers["memorisation"]["held_out_copies"] == 0
    assert numbers["memorisation"]["nearer"] == 1
    assert numbers["distributions"]["precision"]["all"] == 1


def test_training_images_are_what_neighbours_are_sought_in(places):
    numbers = summary(evaluate_images(places["real"], places["alike"], train=places["alike"]))
    assert numbers["memorisation"]["copies"] == 1
    assert not numbers["memorisation"]["by_group"]
    assert numbers["images"]["train"] == 20


def test_what_goes_into_the_folder(places, tmp_path):
    out = tmp_path / "likeness"
    found = evaluate_images(places["real"], places["fine"], out, train=places["alike"])
    names = {path.name for path in out.iterdir()}
    assert names == {
        "likeness.json", "images.csv", "pairs.csv", "measures.csv", "figures.json",
        *(f"likeness-{name}.png"
          for name in ("images", "histograms", "pairs", "features", "neighbours")),
    }  # fmt: skip
    assert all(FILES.holds(name) for name in names)
    kept = json.loads((out / "likeness.json").read_text())
    assert kept["likeness"] == summary(found)
    assert kept["real"] == str(places["real"])
    with (out / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 44
    assert float(rows[30]["mean"]) == pytest.approx(found.other.images[6].mean(), rel=1e-5)
    near = found.memorisation.other
    assert rows[30]["nearest"] == found.train.names[near.index[6]]
    assert float(rows[30]["nearest_correlation"]) == pytest.approx(near.correlation[6], rel=1e-5)
    assert float(rows[2]["nearest_correlation"]) == pytest.approx(
        found.memorisation.held_out.correlation[2], rel=1e-5
    )
    with (out / "measures.csv").open() as file:
        rows = {(row["measure"], row["of"]): row for row in csv.DictReader(file)}
    assert float(rows["psnr", "between"]["mean"]) == pytest.approx(
        kept["likeness"]["pairs"]["psnr"]["between"]["mean"], rel=1e-5
    )
    assert rows["frechet", "real"]["count"] == str(SPLITS)
    assert rows["nearer", ""]["count"] == "1"
    with (out / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["of"] for row in rows].count("between") == 300


def test_figures_show_the_nearest_images(found):
    chart = figures.draw_neighbours(found)
    shown = [axes.get_xlabel() for axes in chart.figure.axes]
    best = int(found.memorisation.other.correlation.argmax())
    nearest = found.real.names[found.memorisation.other.index[best]]
    assert shown[0] == found.other.names[best]
    assert nearest in shown[1]
    np.testing.assert_array_equal(
        chart.figure.axes[0].images[0].get_array(), found.other.images[best]
    )


def test_an_evaluation_that_is_there(places, tmp_path, monkeypatch, refused):
    monkeypatch.setattr(figures, "draw_charts", lambda found: [])
    out = tmp_path / "likeness"
    evaluate_images(places["real"], places["alike"], out)
    with refused("found an evaluation there", "overwrite"):
        evaluate_images(places["real"], places["fine"], out)
    evaluate_images(places["real"], places["fine"], out, overwrite=True)
    assert json.loads((out / "likeness.json").read_text())["other"].endswith("fine")


def test_sets_of_different_sizes_are_made_alike_and_it_is_said(places):
    found = evaluate_images(places["real"], places["large"], train=places["large"])
    assert found.other.size == found.train.size == (48, 48)
    assert any("other images of 60 x 60 px are resized" in text for text in found.remarks)
    assert any("training images of 60 x 60 px are resized" in text for text in found.remarks)


def test_few_images_are_said_to_be_few(places):
    """For covariances; nothing is added to these."""
    found = evaluate_images(places["real"], places["large"])
    assert any("few for covariances of 32 features" in text for text in found.remarks)
    few = evaluate_images(places["one"].parent / "large", places["large"])
    assert any("too few for halves" in text for text in few.remarks)


def test_constant_images_have_numbers_or_none(places):
    """They are nearly nothing, and are neither a failure nor a warning."""
    found = evaluate_images(places["real"], places["constant"])
    figures.draw_histograms(found)
    figures.draw_pair_scores(found)
    numbers = summary(found)
    assert numbers["grey_levels"]["skewness"]["other"]["mean"] is None
    assert numbers["pairs"]["psnr"]["other"]["mean"] is None
    assert numbers["distributions"]["recall"]["all"] is not None


def test_any_features_can_be_compared(places):
    def brightness(images):
        return images.mean(axis=(1, 2))[:, None]

    extractor = FeatureExtractor("mean grey level", brightness)
    real, other = (read_image_set(places[name]) for name in ("real", "fine"))
    found = compare_images(real, other, extractor=extractor)
    assert found.distances.numbers == (23, 20, 1)
    assert "mean grey level" in summary(found)["text"]["distributions"][0]
    values = brightness(np.delete(real.images, 5, axis=0))
    shift = (brightness(other.images).mean() - brightness(real.images).mean()) / (
        brightness(real.images).std()
    )
    spread = [np.std(v, ddof=1) / brightness(real.images).std()
              for v in (values, brightness(other.images))]  # fmt: skip
    middle = (values.mean() - brightness(real.images).mean()) / brightness(real.images).std()
    assert found.distances.whole["frechet"] == pytest.approx(
        (shift - middle) ** 2 + (spread[0] - spread[1]) ** 2
    )


@pytest.mark.parametrize("which", ["real", "other"])
def test_one_image_is_too_few(which, places, refused):
    sets = {"real": places["real"], "other": places["real"], which: places["one"]}
    with refused(f"{which} images: found 1", "wanted 2 or more"):
        evaluate_images(sets["real"], sets["other"])


def test_no_images(places, tmp_path, refused):
    (tmp_path / "empty").mkdir()
    with refused("found no images"):
        evaluate_images(places["real"], tmp_path / "empty", tmp_path / "out")
    with refused("found nothing there"):
        evaluate_images(places["real"], places["alike"], tmp_path / "out", train="not-there")
