import math

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from musim.training.identification.networks import detector as module
from musim.training.identification.networks.boxes import targets_of
from musim.training.identification.networks.detection_settings import MODELS, DetectSettings
from musim.training.identification.networks.detector import Detector

PAPER = DetectSettings()
SMALL = DetectSettings(**MODELS["small"])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def paper():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Detector(PAPER)


def _count(network):
    return sum(each.numel() for each in network.parameters())


def _disc(row, column, diameter, size=64):
    y, x = np.mgrid[:size, :size]
    return (y - row) ** 2 + (x - column) ** 2 <= (diameter / 2) ** 2


def _targets(*discs):
    masks = torch.from_numpy(np.stack(discs))[None].float()
    return targets_of(masks, torch.ones(1, len(discs), dtype=torch.bool), 1)[0]


def test_levels_halve_the_image_from_half_of_it_on(paper):
    with torch.no_grad():
        levels = paper.eval().features(torch.randn(1, 400, 64, 64))
    assert [tuple(level.shape) for level in levels.values()] == [
        (1, 256, side, side) for side in (32, 16, 8, 4, 2)
    ]


def test_parts_have_the_parameters_counted_by_hand(paper):
    channels = (256, 512, 1024, 2048)
    laterals = sum(256 * inputs + 256 for inputs in channels)
    outputs = 4 * (3 * 3 * 256 * 256 + 256)
    assert _count(paper.backbone.fpn) == laterals + outputs
    shared = 3 * 3 * 256 * 256 + 256
    assert _count(paper.rpn) == shared + 3 * (256 + 1) + 3 * 4 * (256 + 1)
    dense = 256 * 7 * 7 * 1024 + 1024 + 1024 * 1024 + 1024
    assert _count(paper.roi_heads.box_head) == dense
    # Two classes, with four numbers of a box each.
    assert _count(paper.roi_heads.box_predictor) == (1024 + 1) * 2 * (1 + 4)
    assert _count(paper.roi_heads.mask_head) == 4 * (3 * 3 * 256 * 256 + 256)
    deconvolution = 2 * 2 * 256 * 256 + 256
    assert _count(paper.roi_heads.mask_predictor) == deconvolution + 2 * (256 + 1)


@pytest.mark.parametrize("settings", [PAPER, SMALL], ids=["paper", "small"])
def test_anchors_cover_units_of_every_size(settings):
    """A disc of 4 to 16 px, wherever it lies, has an anchor with IoU 0.5 or all but 0.5."""
    anchors = module.Anchors(settings.anchors, (settings.anchor_ratios,) * len(settings.anchors))
    levels = [torch.zeros(1, 1, 32 >> level, 32 >> level) for level in range(len(settings.anchors))]
    images = module._images({"0": levels[0]}, (64, 64))
    images.tensors = torch.empty(1, 0, 64, 64)
    boxes = anchors(images, levels)[0]
    draws = np.random.default_rng(0)
    for diameter in np.linspace(4, 16, 49):
        discs = [_disc(*draws.uniform(10, 53, 2), diameter) for _ in range(20)]
        best = box_iou(_targets(*discs)["boxes"], boxes).amax(dim=1)
        assert best.min() > 0.45
        assert best.mean() > 0.5


def test_anchors_are_not_rounded():
    cell = module.Anchors(((5, 8),), ((0.25, 1.0),)).cell_anchors[0]
    sides = cell[:, 2:] - cell[:, :2]
    # Depth over width, and an area of the size squared.
    torch.testing.assert_close(
        sides, torch.tensor([[10.0, 2.5], [16.0, 4.0], [5.0, 5.0], [8.0, 8.0]])
    )
    torch.testing.assert_close(cell[:, 2:], -cell[:, :2])


def test_losses_are_the_five_of_mask_r_cnn_and_know_empty_sequences():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        small = Detector(SMALL)
        features = small.features(torch.randn(2, 400, 32, 32))
        targets = [_targets(_disc(10, 12, 9, 32)), targets_of(torch.zeros(1, 1, 32, 32),
                   torch.ones(1, 1, dtype=torch.bool), 4)[0]]  # fmt: skip
        losses = small.losses(features, (32, 32), targets)
        empty = small.losses(features, (32, 32), [targets[1]] * 2)
    assert set(losses) == {"objectness", "proposal_box", "classifier", "box", "mask"}
    assert all(float(loss.detach()) > 0 for loss in losses.values())
    assert all(math.isfinite(float(loss.detach())) for loss in empty.values())
    assert empty["box"] == empty["mask"] == 0


def test_detections_have_the_images_size_and_fall_in_score():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        small = Detector(DetectSettings(**{**MODELS["small"], "score_threshold": 0.0})).eval()
        with torch.no_grad():
            found = small.detections(small.features(torch.randn(2, 400, 32, 24)), (32, 24))
    for masks, scores in found:
        assert masks.shape == (len(scores), 32, 24)
        assert len(scores) > 0
        assert (scores.diff() <= 0).all()
        assert 0 <= masks.min() <= masks.max() <= 1


@pytest.fixture(scope="module")
def small():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Detector(DetectSettings(**{**MODELS["small"], "score_threshold": 0.0})).eval()


def _sequences(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


def test_every_setting_reaches_its_stage():
    changes = {
        "anchor_overlap": (0.2, 0.6), "anchor_samples": 11, "candidates": 12, "proposals": 14,
        "proposals_training": 13, "proposal_nms": 0.8, "box_samples": 15, "box_positive": 0.4,
        "score_threshold": 0.35, "nms": 0.45, "detections": 16,
    }  # fmt: skip
    with torch.random.fork_rng():
        found = Detector(DetectSettings(**{**MODELS["small"], **changes}))
    rpn, heads = found.rpn, found.roi_heads
    kept = {}
    for name, training in (("training", True), ("testing", False)):
        rpn.train(training)
        kept[name] = (rpn.pre_nms_top_n(), rpn.post_nms_top_n())
    assert kept == {"training": (12, 13), "testing": (12, 14)}
    assert rpn.nms_thresh == 0.8
    # Positive and negative anchors are to be as many (Ren et al. 2015).
    sampler, matcher = rpn.fg_bg_sampler, rpn.proposal_matcher
    assert (sampler.batch_size_per_image, sampler.positive_fraction) == (11, 0.5)
    assert (matcher.low_threshold, matcher.high_threshold) == (0.2, 0.6)
    sampler, matcher = heads.fg_bg_sampler, heads.proposal_matcher
    assert (sampler.batch_size_per_image, sampler.positive_fraction) == (15, 0.4)
    assert (matcher.low_threshold, matcher.high_threshold) == (0.5, 0.5)
    assert (heads.score_thresh, heads.nms_thresh, heads.detections_per_img) == (0.35, 0.45, 16)
    assert heads.box_roi_pool.sampling_ratio == heads.mask_roi_pool.sampling_ratio == 1


def test_features_know_neither_the_unit_nor_the_mean_of_the_velocity(small):
    tvi = _sequences(1, 400, 16, 16)
    with torch.no_grad():
        plain, other = small.features(tvi), small.features(1e-3 * tvi + 0.02)
    for name, level in plain.items():
        torch.testing.assert_close(other[name], level, atol=1e-4, rtol=1e-3)


def test_boxes_are_single_precision_whatever_the_rest_is(small):
    tvi, target = _sequences(1, 400, 32, 32), [_targets(_disc(10, 12, 9, 32))]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = small.features(tvi)
    assert {level.dtype for level in features.values()} == {torch.float32}

    kinds = set()
    hooks = [
        part.register_forward_hook(lambda *each: kinds.add(each[2].dtype))
        for part in (small.rpn.head.conv, small.roi_heads.box_head, small.roi_heads.mask_head)
    ]

    def outcome():
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(0)
            losses = small.losses(features, (32, 32), target)
            return losses, small.detections(features, (32, 32))[0]

    plain = outcome()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = outcome()
    for hook in hooks:
        hook.remove()
    assert kinds == {torch.float32}
    assert plain[0] == mixed[0]
    assert all(torch.equal(one, other) for one, other in zip(plain[1], mixed[1], strict=True))


@pytest.mark.parametrize("size", [(16, 48), (48, 16)])
def test_depth_and_width_are_told_apart(small, size):
    depth, width = size
    given, anchors = [], []
    hooks = (
        small.roi_heads.register_forward_pre_hook(lambda _, inputs: given.append(inputs)),
        small.rpn.anchor_generator.register_forward_hook(lambda *each: anchors.append(each[2])),
    )
    with torch.no_grad():
        small.detections(small.features(_sequences(1, 400, *size)), size)
    for hook in hooks:
        hook.remove()
    # Anchors stand about every other pixel of the image, from the first on.
    finest = depth // 2 * (width // 2) * 2
    left, top, right, bottom = anchors[0][0][:finest].unbind(dim=1)
    assert sorted(set(((left + right) / 2).tolist())) == list(range(0, width, 2))
    assert sorted(set(((top + bottom) / 2).tolist())) == list(range(0, depth, 2))
    proposals, sizes = given[0][1][0], given[0][2]
    assert [tuple(each) for each in sizes] == [size]
    left, top, right, bottom = proposals.unbind(dim=1)
    assert 0 <= left.min() < right.max() <= width
    assert 0 <= top.min() < bottom.max() <= depth
    assert right.max() > 0.8 * width
    assert bottom.max() > 0.8 * depth
