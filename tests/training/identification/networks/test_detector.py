import math
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.detection.mask_rcnn import maskrcnn_resnet50_fpn
from torchvision.ops import box_iou

from musim.simulator.errors import FailureError
from musim.training.identification.networks import detector as module
from musim.training.identification.networks.detection_task import MODELS, DetectSettings
from musim.training.identification.networks.detector import (
    Detector,
    Residual,
    load_pretrained,
    paste,
    standardised,
    targets_of,
)

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


def test_the_backbone_is_resnet_101_without_its_first_stage(paper):
    """Same parts by name and shape; 42,490,624 of 44,549,160 values are in those layers."""
    whole = torchvision.models.resnet101(weights=None)
    first = ("conv1.", "bn1.", "fc.")
    expected = {
        name: value.shape
        for name, value in whole.state_dict().items()
        if not name.startswith(first)
    }
    found = {name: value.shape for name, value in paper.backbone.body.state_dict().items()}
    assert found == expected
    stem, classifier = 7 * 7 * 3 * 64 + 2 * 64, 2048 * 1000 + 1000
    assert _count(paper.backbone.body) == 44_549_160 - stem - classifier == 42_490_624


def test_the_backbone_computes_what_resnet_computes_after_its_first_stage():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        whole = torchvision.models.resnet18(weights=None).eval()
        ours = Residual(64, "basic", (2, 2, 2, 2), (64, 128, 256, 512)).eval()
        features = torch.randn(2, 64, 16, 16)
    kept = {k: v for k, v in whole.state_dict().items() if k.startswith("layer")}
    ours.load_state_dict(kept)
    with torch.no_grad():
        levels = ours(features)
        expected = features
        for stage in range(4):
            expected = getattr(whole, f"layer{stage + 1}")(expected)
            torch.testing.assert_close(levels[str(stage)], expected)
    assert ours.channels == [64, 128, 256, 512]


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


def test_sequences_are_standardised_one_by_one():
    draws = torch.Generator().manual_seed(0)
    tvi = torch.randn(3, 20, 8, 6, generator=draws) * torch.tensor([0.1, 3, 0])[:, None, None, None]
    tvi += torch.tensor([4.0, -1, 2])[:, None, None, None]
    found = standardised(tvi)
    assert found[:2].mean(dim=(1, 2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(
        found[:2].std(dim=(1, 2, 3), correction=0), torch.ones(2), atol=1e-5, rtol=0
    )
    assert (found[2] == 0).all()


def test_targets_are_the_visible_units():
    territory = torch.zeros(1, 4, 12, 10)
    territory[0, 0, 3:6, 2:7] = 1.0
    territory[0, 1, 11, 9] = 1.0  # One pixel.
    territory[0, 2, 0:4, 8:] = 0.6
    territory[0, 2, 4:, 8:] = 0.4
    territory[0, 3] = 1.0  # Padding.
    mask = torch.tensor([[True, True, True, False]])
    target = targets_of(territory, mask, 4)[0]
    assert target["boxes"].tolist() == [[1.5, 2.5, 6.5, 5.5], [7.5, 0.0, 9.0, 3.5]]
    assert target["masks"].sum(dim=(1, 2)).tolist() == [15, 8]
    assert target["masks"].dtype == torch.uint8
    assert target["labels"].tolist() == [1, 1]
    nothing = targets_of(territory, torch.zeros_like(mask), 4)[0]
    assert nothing["boxes"].shape == (0, 4)
    assert nothing["masks"].shape == (0, 12, 10)


@pytest.mark.parametrize(("axis", "low", "high"), [(2, 1, 3), (3, 0, 2)])
def test_mirrored_masks_have_mirrored_boxes(axis, low, high):
    draws = np.random.default_rng(2)
    discs = [_disc(*draws.uniform(-3, 67, 2), draws.uniform(4, 16)) for _ in range(60)]
    territory = torch.from_numpy(np.stack(discs))[None].float()
    there = torch.ones(1, len(discs), dtype=torch.bool)
    plain = targets_of(territory, there, 3)[0]
    mirrored = targets_of(territory.flip(axis), there, 3)[0]
    expected = plain["boxes"].clone()
    expected[:, low], expected[:, high] = 63 - plain["boxes"][:, high], 63 - plain["boxes"][:, low]
    torch.testing.assert_close(mirrored["boxes"], expected)
    assert torch.equal(mirrored["masks"], plain["masks"].flip(axis - 1))


def test_pasting_brings_back_what_boxes_took():
    """A mask that is sampled as the mask loss samples it, and pasted, is the mask."""
    draws = np.random.default_rng(3)
    target = _targets(
        *[_disc(*draws.uniform(-1, 64, 2), diameter) for diameter in np.linspace(4, 16, 60)]
    )
    boxes = target["boxes"]
    taken = torchvision.models.detection.roi_heads.project_masks_on_boxes(
        target["masks"], boxes, torch.arange(len(boxes)), 28
    )
    found = paste(taken[:, None], boxes, (64, 64)) > 0.5
    true = target["masks"].bool()
    overlap = (found & true).sum(dim=(1, 2)) / (found | true).sum(dim=(1, 2))
    assert overlap.min() > 0.75
    assert overlap.mean() > 0.95


def test_pasting_is_bilinear_interpolation_at_the_pixels_centres():
    mask = torch.tensor([[[[0.0, 1.0], [0.5, 0.25]]]])
    found = paste(mask, torch.tensor([[1.0, 2.0, 5.0, 6.0]]), (8, 7))[0]
    # The parts' centres lie at x = 2, 4 and y = 3, 5; beyond these the outer parts go on.
    assert found[3, 2] == 0
    assert found[3, 4] == 1
    assert found[3, 3] == 0.5
    assert found[4, 3] == pytest.approx((0 + 1 + 0.5 + 0.25) / 4)
    assert found[2, 5] == 1
    assert found[6, 1] == 0.5
    assert found[1].sum() == found[7].sum() == found[:, 0].sum() == found[:, 6].sum() == 0


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


def _weights(fill):
    """Return what torchvision would fetch: ResNet-101's or, renamed as it once was, the COCO's."""
    with torch.device("meta"):
        networks = {
            "resnet101-63fe2227.pth": torchvision.models.resnet101(weights=None),
            "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth": maskrcnn_resnet50_fpn(
                weights=None, weights_backbone=None
            ),
        }

    def fetch(url, *args, **options):
        assert options["weights_only"] is True
        assert options["check_hash"] is True
        name = url.rpartition("/")[2]
        value = fill[name]
        state = networks[name].state_dict()
        plain = {k: torch.full(v.shape, value, dtype=v.dtype) for k, v in state.items()}
        if "coco" in name:
            plain["rpn.head.conv.weight"] = plain.pop("rpn.head.conv.0.0.weight")
        return plain

    return fetch


def test_pretrained_weights_go_where_they_fit(monkeypatch):
    fill = {"resnet101-63fe2227.pth": 2.0, "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth": 3.0}
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", _weights(fill))
    detector = Detector(PAPER)
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    load_pretrained(detector)
    for name, value in detector.state_dict().items():
        if name.startswith("backbone.body."):
            assert (value == 2).all(), name
        elif name.startswith(module.FROM_COCO):
            assert (value == 3).all(), name
        else:
            assert torch.equal(value, before[name]), name
    own = {name for name in before if not name.startswith(("backbone.", *module.FROM_COCO))}
    parts = {".".join(name.split(".")[:2]) for name in own if not name.startswith("front.")}
    assert parts == {"rpn.head", "roi_heads.box_predictor", "roi_heads.mask_predictor"}


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no route"),
        RuntimeError('invalid hash value\n(expected "63fe2227")'),
        EOFError("cut short"),
    ],
)
def test_weights_that_cannot_be_fetched_are_told_of_in_one_line(monkeypatch, error):
    def fetch(*args, **options):
        raise error

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", fetch)
    with pytest.raises(FailureError) as caught:
        load_pretrained(nn.Identity())
    text = str(caught.value)
    assert text.startswith("weights: found no resnet101-63fe2227.pth (")
    assert "\n" not in text
    assert "set pretrained to none" in text
