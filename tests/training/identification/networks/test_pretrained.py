"""Weights of photographs go where they fit; where there are none, one line says so."""

import urllib.error

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.detection.mask_rcnn import maskrcnn_resnet50_fpn

from musim.simulator.errors import FailureError
from musim.training.identification.networks.detection_settings import DetectSettings
from musim.training.identification.networks.detector import Detector
from musim.training.identification.networks.pretrained import FROM_COCO, load_pretrained

PAPER = DetectSettings()


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


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
        elif name.startswith(FROM_COCO):
            assert (value == 3).all(), name
        else:
            assert torch.equal(value, before[name]), name
    own = {name for name in before if not name.startswith(("backbone.", *FROM_COCO))}
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
