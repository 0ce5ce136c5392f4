"""The residual network is torchvision's ResNet-101 but for its first stage."""

import pytest
import torch
import torchvision

from musim.training.identification.networks.detection_settings import DetectSettings
from musim.training.identification.networks.detector import Detector
from musim.training.identification.networks.residual import Residual

PAPER = DetectSettings()


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def paper():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Detector(PAPER)


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
    assert (
        sum(each.numel() for each in paper.backbone.body.parameters())
        == 44_549_160 - stem - classifier
        == 42_490_624
    )


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


def test_weights_begin_after_he_by_what_goes_out():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Residual(64, "basic", (1, 1), (64, 128))
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            expected = (2 / (module.out_channels * module.kernel_size[0] ** 2)) ** 0.5
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.05), name
