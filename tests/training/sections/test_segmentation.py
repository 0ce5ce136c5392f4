"""Training a network that finds aponeuroses, and using it."""

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.datasets.images.scale import PixelScale  # noqa: E402
from musim.training.sections.image_sets import ImageSet, joined  # noqa: E402
from musim.training.sections.image_source import ImageSource  # noqa: E402
from musim.training.sections.segmentation import segment_task  # noqa: E402
from musim.training.sections.segmentation.segment_losses import (  # noqa: E402
    overlaps,
    weighted_dice_loss,
)
from musim.training.sections.segmentation.segment_settings import SegmentSettings  # noqa: E402
from musim.training.sections.segmentation.segment_task import SegmentTask  # noqa: E402
from musim.training.sections.segmentation.segmenting import (  # noqa: E402
    Segmenter,
    prepared,
    segmenter_of_run,
)
from musim.training.tasks import train  # noqa: E402

SIZE = (32, 32)
TINY = {"maps": 4, "levels": 3, "fold": 1, "batch_size": 4, "steps": 40, "validate_every": 20,
        "learning_rate": 0.02, "average": 0.8, "rotation": 0, "scaling": 1.1, "screens": 0,
        "erased": 0}  # fmt: skip


def bright_lines(count, seed=0):
    """Return images of noise with two bright lines at some depths, and these as masks."""
    random = np.random.default_rng(seed)
    masks = np.zeros((count, *SIZE), bool)
    for mask in masks:
        top, deep = random.integers(3, 12), random.integers(18, 28)
        mask[top : top + 3], mask[deep : deep + 3] = True, True
    images = (random.random((count, *SIZE)) * 80 + 150 * masks).astype(np.uint8)
    return ImageSet(
        tuple(f"{number}" for number in range(count)), images, masks, np.ones(count, bool),
        (PixelScale(),) * count, np.arange(count, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture
def source(monkeypatch):
    """Give images that lie nowhere, by the names of their seeds."""
    monkeypatch.setattr(
        ImageSource, "_read",
        lambda self, places: bright_lines(40, seed=sum(map(len, places))),
    )  # fmt: skip
    return ImageSource(images=("lines",), size=SIZE)


def test_the_loss_is_that_of_the_formula():
    random = np.random.default_rng(0)
    logits, masks = random.normal(size=(2, 1, 5, 6)), random.random((2, 1, 5, 6)) > 0.7
    found = 1 / (1 + np.exp(-logits))

    def dice(a, b):
        return (2 * (a * b).sum() + 1) / (a.sum() + b.sum() + 1)

    wanted = 1 - 0.8 * dice(found, masks) - 0.2 * dice(1 - found, 1 - masks)
    given = weighted_dice_loss(torch.from_numpy(logits), torch.from_numpy(masks).float(), 0.8)
    assert float(given) == pytest.approx(wanted, rel=1e-5)


def test_overlaps_are_those_of_another_implementation():
    from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

    random = np.random.default_rng(0)
    found, true = random.random((3, 8, 9)) > 0.6, random.random((3, 8, 9)) > 0.7
    given = overlaps(torch.from_numpy(found), torch.from_numpy(true))
    for name, score in (("precision", precision_score), ("recall", recall_score),
                        ("dice", f1_score), ("iou", jaccard_score)):  # fmt: skip
        wanted = [score(a.ravel(), b.ravel()) for a, b in zip(true, found, strict=True)]
        np.testing.assert_allclose(given[name], wanted)
    nothing = torch.zeros(1, 4, 4, dtype=torch.bool)
    assert all(float(value) == 1 for value in overlaps(nothing, nothing).values())
    assert float(overlaps(nothing, ~nothing)["dice"]) == 0


def test_a_network_learns_lines_and_finds_them_in_images_of_other_sizes(source, tmp_path):
    best = train(SegmentTask, tmp_path / "run", texts=TINY, source=source, accelerator="cpu")
    assert best["dice"] > 0.9
    found = segmenter_of_run(tmp_path / "run")
    held = source.test
    given = found.probabilities(held.images) > 0.5
    assert (
        float(overlaps(torch.from_numpy(given), torch.from_numpy(held.masks))["dice"].mean()) > 0.9
    )
    larger = np.kron(held.images[0], np.ones((3, 2), np.uint8))
    mask = found.find(larger)
    assert mask.shape == larger.shape
    true = np.kron(held.masks[0], np.ones((3, 2), bool))
    assert float(overlaps(torch.from_numpy(mask)[None], torch.from_numpy(true)[None])["dice"]) > 0.8
    assert found.features(held.images).shape == (len(held), 16)


def test_training_begins_with_the_weights_of_another_run(source, tmp_path, refused):
    few = {**TINY, "steps": 2, "validate_every": 1}
    train(SegmentTask, tmp_path / "one", texts=few, source=source, accelerator="cpu")
    start = str(tmp_path / "one")
    train(SegmentTask, tmp_path / "two", source=source, accelerator="cpu",
          texts={**few, "start": start, "steps": 1, "learning_rate": 1e-12})  # fmt: skip
    weights = [segmenter_of_run(tmp_path / name).network.state_dict() for name in ("one", "two")]
    torch.testing.assert_close(weights[1]["head.weight"], weights[0]["head.weight"])
    with refused("start: found a network of (4, 3, 1)", "wanted (2, 3, 1)"):
        task = SegmentTask(SegmentSettings(**{**few, "start": start, "maps": 2}), source.grid)
        task.check(source)
    with refused("nowhere"):
        SegmentTask(SegmentSettings(**few, start="nowhere"), source.grid).check(source)


def test_batches_depend_on_the_step_alone_and_go_through_all_images(source):
    task = SegmentTask(SegmentSettings(**{**TINY, "flips": False}), source.grid)
    first = task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu"))
    made = [next(first) for _ in range(4)]
    later = task.batches(source, 3, rank=0, ranks=1, device=torch.device("cpu"))
    for name, values in next(later).items():
        assert torch.equal(values, made[3][name])
    shares = [next(task.batches(source, 1, rank=rank, ranks=2, device=torch.device("cpu")))
              for rank in range(2)]  # fmt: skip
    assert torch.equal(torch.cat([share["images"] for share in shares]), made[1]["images"])
    seen = torch.cat([batch["images"] for batch in made]).flatten(1)
    own = torch.from_numpy(source.own.images).flatten(1)
    assert len(own) == 16
    assert sorted(map(bytes, seen.numpy())) == sorted(map(bytes, own.numpy()))


@pytest.mark.parametrize("share", [0.5, 0.3, 0.0])
def test_images_beside_take_their_share_of_batches(source, share):
    both = ImageSource(images=("lines",), also=("more lines",), size=SIZE)
    settings = SegmentSettings(**{**TINY, "beside": share})
    chosen = [each for step in range(50)
              for each in segment_task._chosen(both.own, both.beside, settings, step)]  # fmt: skip
    beside = sum(images is both.beside for images, _ in chosen)
    wanted = share or 40 / 56
    assert beside == pytest.approx(wanted * 200, abs=1)
    numbers = [number for images, number in chosen if images is both.own]
    counts = np.bincount(numbers, minlength=16)
    assert counts.max() - counts.min() <= 1
    numbers = [number for images, number in chosen if images is both.beside]
    counts = np.bincount(numbers, minlength=40)
    assert counts.max() - counts.min() <= 1


def test_images_that_nobody_drew_on_are_never_trained_on(monkeypatch):
    def read(self, places):
        images = bright_lines(40, seed=len(places[0]))
        drawn = np.arange(40) % 3 == 0
        # What is drawn on is bright, and what is not is black.
        return replace(images, images=images.images * drawn[:, None, None], has_mask=drawn)

    monkeypatch.setattr(ImageSource, "_read", read)
    both = ImageSource(images=("lines",), also=("more lines",), size=SIZE)
    task = SegmentTask(SegmentSettings(**TINY), both.grid)
    batches = task.batches(both, 0, rank=0, ranks=1, device=torch.device("cpu"))
    seen = torch.cat([next(batches)["images"] for _ in range(8)])
    assert seen.flatten(1).any(dim=1).all()


def test_groups_of_sets_that_are_joined_stay_apart():
    one, other = bright_lines(4), bright_lines(3, seed=1)
    one = replace(one, groups=np.array([0, 0, 2, 1]))
    found = joined([one, replace(other, groups=np.array([1, 0, 0]))])
    assert found.groups.tolist() == [0, 0, 2, 1, 4, 3, 3]
    assert found.names == (*one.names, *other.names)


def test_no_image_is_on_both_sides_and_fewer_are_among_more(source):
    names = [set(part.names) for part in (source.own, source.validation, source.test)]
    assert sum(map(len, names)) == 40
    assert not names[0] & names[1]
    assert not names[2] & (names[0] | names[1])
    half = ImageSource(images=("lines",), size=SIZE, kept=0.5)
    assert set(half.own.names) < names[0]
    assert half.test.names == source.test.names


def test_images_left_out_are_left_out_of_the_same_split(source, refused):
    some = (source.own.names[0], source.test.names[1])
    less = ImageSource(images=("lines",), size=SIZE, without=some)
    assert less.own.names == source.own.names[1:]
    assert less.validation.names == source.validation.names
    assert less.test.names == (source.test.names[0], *source.test.names[2:])
    assert ImageSource.from_json(less.to_json()) == ImageSource.from_json(less.to_json())
    assert ImageSource.from_json(less.to_json()).without == some
    with refused("`without`: found none_such"):
        _ = ImageSource(images=("lines",), size=SIZE, without=("none_such",)).own


def test_prepared_images_are_about_0_whatever_the_scanners_gain():
    image = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(prepared(image), prepared(0.3 * image + 0.1), atol=1e-4, rtol=1e-4)
    assert not prepared(torch.zeros(1, 1, 8, 8)).any()
    assert math.isfinite(float(prepared(torch.full((1, 1, 8, 8), 0.5)).sum()))


def test_images_without_masks_are_refused(source, monkeypatch, refused):
    bare = bright_lines(40)
    object.__setattr__(bare, "has_mask", np.zeros(40, bool))
    monkeypatch.setattr(ImageSource, "_read", lambda self, places: bare)
    task = SegmentTask(SegmentSettings(**TINY), source.grid)
    with refused("found no mask", "wanted aponeuroses"):
        task.check(ImageSource(images=("lines",), size=SIZE))
    with refused("found images of 30 x 32 px", "multiples of 4 px"):
        SegmentTask(SegmentSettings(**TINY), ImageSource(images=("a",), size=(30, 32)).grid)


def test_a_segmenter_is_used_without_gradients():
    network = segment_task.SegmentSettings(**TINY).network()
    found = Segmenter(network, SIZE).probabilities(bright_lines(2).images)
    assert found.dtype == np.float32
    assert not network.training
