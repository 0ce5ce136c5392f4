"""What a run was trained on that sampled a store, where the run and its images are still there."""

import dataclasses

import numpy as np
import pytest
import scipy
from PIL import Image

from musim.datasets.origin import SampledImages, to_attributes
from musim.datasets.sections import plan_sections
from musim.simulator.section.parameters import SectionParameters
from musim.training.runs.folder import RunFolder
from musim.training.sections.image_source import ImageSource
from musim.training.sections.likeness.evaluation import evaluate_images
from musim.training.sections.likeness.training_images import training_images
from tests.makers import store_of


def drawn(count, seed):
    noise = np.random.default_rng(seed).normal(size=(count, 48, 48))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 3, 3))
    return np.clip(90 + 35 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def save(folder, images):
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"image-{number:02d}.png")
    return folder


@pytest.fixture
def source(tmp_path):
    """Twenty images of which half are trained on."""
    place = save(tmp_path / "recorded", drawn(20, 0))
    return ImageSource(images=(str(place),), shares=(0.5, 0.2, 0.3), seed=3, size=(48, 48))


@pytest.fixture
def sampled(tmp_path, source):
    """A store of samples, of which the first two are copies of training images."""
    run = tmp_path / "run"
    RunFolder(run).create(
        {"task": "diffuse", "model": "", "settings": {}, "source": source.to_json(),
         "grid": source.grid.to_json()}
    )  # fmt: skip
    layout = plan_sections(SectionParameters.of("biceps-brachii"), sequences=4, part_size=1)
    origin = SampledImages(
        run=str(run), checkpoint="", settings={}, sampler={"name": "ddim"}, seed=0, device="cpu"
    )
    sizes = {key: value for key, value in layout.sizes.items() if key != "aponeurosis"}
    layout = dataclasses.replace(
        layout, variables=("bmode",), sizes={**sizes, "depth": 48, "width": 48},
        attributes=to_attributes(origin),
    )  # fmt: skip
    images = np.concatenate([source.train.images[:2], drawn(2, 1)])
    return store_of(
        tmp_path / "sampled.zarr", layout, lambda part: ({"bmode": images[part][None, None]}, ())
    )


def test_what_the_run_was_trained_on(sampled, source):
    for place in (sampled, str(sampled.location)):
        found, remarks = training_images(place)
        assert found.names == source.train.names
        assert remarks == ()
        np.testing.assert_array_equal(found.images, source.train.images)


def test_copies_of_training_images_are_found_without_naming_these(sampled, source):
    found = evaluate_images(source.images[0], sampled)
    memory = found.memorisation
    assert memory.copies == pytest.approx(0.5)
    assert [found.train.names[k] for k in memory.other.index[:2]] == list(source.train.names[:2])
    # What is held out is the rest of the real images.
    assert memory.left_out == len(source.train)
    held = {found.real.names[k] for k in memory.held_out_images}
    assert held == set(found.real.names) - set(source.train.names)


def test_a_run_that_is_gone_is_said_to_be(sampled, source, tmp_path):
    (tmp_path / "run" / "run.json").unlink()
    found = evaluate_images(source.images[0], sampled)
    assert found.train is None
    assert "is not known" in found.remarks[0]
    assert "found no run there" in found.remarks[0]


def test_images_that_no_run_has_sampled(source):
    assert training_images(source.images[0]) == (None, ())
