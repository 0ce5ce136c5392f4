import math

import pytest
import torch
from torch import nn

from musim.training.identification.networks.detection_settings import MODELS, DetectSettings
from musim.training.identification.networks.front import SlowFusion

PAPER = DetectSettings()


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def _front(settings=PAPER):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SlowFusion(settings.front_maps, settings.front_kernels, settings.front_stride,
                          settings.front_pools)  # fmt: skip


def test_layers_have_the_sizes_that_the_paper_gives():
    """Ali 2020, section III.B: 32x32x80x8, 32x32x16x16, 32x32x4x32, 32x32x1x64."""
    values, found = torch.zeros(1, 1, 400, 64, 64), []
    front = _front().eval()
    with torch.no_grad():
        for layer in front.layers:
            values = layer(values)
            found.append(tuple(values.shape[1:]))
        assert front(torch.zeros(2, 1, 400, 64, 64)).shape == (2, 64, 32, 32)
    assert found == [(8, 80, 32, 32), (16, 16, 32, 32), (32, 4, 32, 32), (64, 1, 32, 32)]


def test_layers_have_the_kernels_and_maps_that_the_paper_gives():
    """Weights are depth x width x time x maps in x maps out; normalisation has two a map."""
    weights = [7 * 7 * 7 * 1 * 8, 3 * 3 * 7 * 8 * 16, 3 * 3 * 5 * 16 * 32, 3 * 3 * 5 * 32 * 64]
    expected = [count + 2 * maps for count, maps in zip(weights, (8, 16, 32, 64), strict=True)]
    found = [sum(each.numel() for each in layer.parameters()) for layer in _front().layers]
    assert found == expected
    kernels = [layer[0].kernel_size for layer in _front().layers]
    assert kernels == [(7, 7, 7), (7, 3, 3), (5, 3, 3), (5, 3, 3)]


def test_every_convolution_is_normalised_and_rectified_and_all_but_the_first_pooled():
    kinds = [[type(part) for part in layer] for layer in _front().layers]
    plain = [nn.Conv3d, nn.BatchNorm3d, nn.ReLU]
    assert kinds == [plain, *[[*plain, nn.MaxPool3d]] * 3]
    assert [layer[3].kernel_size for layer in _front().layers[1:]] == [(n, 1, 1) for n in (5, 4, 4)]


def test_weights_begin_after_xavier():
    for layer in _front().layers:
        weight = layer[0].weight.detach()
        outputs, inputs, *kernel = weight.shape
        bound = math.sqrt(6 / ((inputs + outputs) * math.prod(kernel)))
        assert weight.abs().max() <= bound
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)


def test_a_place_keeps_its_place():
    """What happens in one corner of the image is seen there, and the rest stays as it was."""
    front = _front(DetectSettings(**MODELS["small"])).eval()
    still = torch.zeros(1, 1, 400, 64, 64)
    moving = still.clone()
    moving[0, 0, 100:120, 8:12, 48:52] = 5.0
    with torch.no_grad():
        changed = (front(moving) - front(still)).abs().sum(dim=(0, 1)) > 1e-6
    rows, columns = torch.nonzero(changed, as_tuple=True)
    # The kernels together reach 2 + 2 * 3 = 8 px of the image, that is 4 of the features.
    assert 4 - 4 <= rows.min() <= rows.max() <= 5 + 5
    assert 24 - 4 <= columns.min() <= columns.max() <= 25 + 5


def test_the_small_model_leaves_one_frame():
    settings = DetectSettings(**MODELS["small"])
    values = torch.zeros(1, 1, settings.frames, 16, 16)
    for layer in _front(settings).eval().layers:
        values = layer(values)
    assert values.shape[2:] == (1, 8, 8)


def test_kernels_and_strides_are_frames_depth_and_width_and_of_frames_left_the_greatest_counts():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        front = SlowFusion((2, 3), ((3, 5, 1), (1, 1, 7)), (2, 1, 4), (2,)).eval()
    values = torch.randn(1, 1, 12, 6, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        left = front.layers[1](front.layers[0](values))
        assert left.shape == (1, 3, 3, 6, 4)
        assert torch.equal(front(values), left.amax(dim=2))
