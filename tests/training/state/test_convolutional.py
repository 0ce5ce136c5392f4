"""Models A to D: their layers as the paper lists them, and parameters counted by hand."""

import pytest

torch = pytest.importorskip("torch")

from musim.training.state.convolutional import ConvolutionalNetwork, Layers  # noqa: E402
from musim.training.state.state_settings import MODELS, StateSettings  # noqa: E402

REGION = (120, 496)
"""Height and width of the paper's region, px."""


def settings_of(model, **changes):
    return StateSettings(**{**MODELS[model], **changes})


def network_of(model, **changes):
    """Return a network of the paper's size that takes no memory."""
    with torch.device("meta"):
        return ConvolutionalNetwork(2, REGION, 3, settings_of(model, **changes).layers)


# Weights and biases of each layer, from the paper's lists: 120 x 496 px halve to 60 x 248,
# 30 x 124, 15 x 62, 8 x 31, 4 x 16, 2 x 8 and 1 x 4, with what is left over kept.
BY_HAND = {
    "A": [
        (2 * 9 + 1) * 16, (16 * 9 + 1) * 36, (36 * 9 + 1) * 64, (64 * 9 + 1) * 121,
        (121 * 9 + 1) * 169, (169 * 9 + 1) * 225, (225 * 2 * 8 + 1) * 1024, 1025 * 3,
    ],
    "B": [
        (2 * 25 + 1) * 36, (36 * 9 + 1) * 64, (64 * 9 + 1) * 121, (121 * 9 + 1) * 169,
        (169 * 9 + 1) * 225, (225 * 9 + 1) * 289, (289 * 2 * 8 + 1) * 1024, 1025 * 3,
    ],
    "C": [
        (2 * 121 + 1) * 49, (49 * 9 + 1) * 81, (81 * 9 + 1) * 144, (144 * 9 + 1) * 324,
        (324 * 9 + 1) * 484, (484 * 4 * 16 + 1) * 1024, 1025 * 1024, 1025 * 3,
    ],
    "D": [
        (2 * 25 + 1) * 64, (64 * 9 + 1) * 121, (121 * 9 + 1) * 169, (169 * 9 + 1) * 225,
        (225 * 9 + 1) * 289, (289 * 9 + 1) * 361, (361 * 9 + 1) * 441, (441 * 1 * 4 + 1) * 1024,
        1025 * 3,
    ],
}  # fmt: skip


@pytest.mark.parametrize("model", BY_HAND)
def test_parameters_are_those_counted_by_hand(model):
    network = network_of(model)
    layers = [*network.convolutions, *network.connected]
    counts = [sum(value.numel() for value in layer.parameters()) for layer in layers]
    assert counts == BY_HAND[model]


def test_filters_of_two_pixels_and_twice_as_many_convolutions():
    # The methods have 2 x 2 filters; Table 1 has twice as many convolutions as poolings.
    network = network_of("A", later_filter=2, convolutions=2)
    counts = [sum(each.numel() for each in layer.parameters()) for layer in network.convolutions]
    assert counts[:4] == [(2 * 9 + 1) * 16, (16 * 4 + 1) * 16, (16 * 4 + 1) * 36, (36 * 4 + 1) * 36]
    assert len(counts) == 12
    images = torch.zeros(1, 2, *REGION, device="meta")
    assert network(images).shape == (1, 3)


SIZES = [(60, 248), (30, 124), (15, 62), (8, 31), (4, 16), (2, 8), (1, 4)]


@pytest.mark.parametrize("model", BY_HAND)
def test_maps_of_every_layer(model):
    network, seen = network_of(model), []
    network.pool.register_forward_hook(lambda layer, given, maps: seen.append(tuple(maps.shape)))
    network(torch.zeros(1, 2, *REGION, device="meta"))
    filters = settings_of(model).filters
    assert seen == [(1, each, *size) for each, size in zip(filters, SIZES, strict=False)]


def test_eight_poolings_leave_the_maps_that_the_paper_found_too_small():
    assert Layers((1,) * 8).map_size(REGION) == (1, 2)


def test_values_are_those_of_the_layers_by_hand():
    torch.manual_seed(0)
    network = ConvolutionalNetwork(1, (3, 3), 1, Layers((1,), connected=(2,)))
    images = torch.rand(1, 1, 3, 3)
    weight = network.convolutions[0].convolution.weight[0, 0]
    padded = torch.nn.functional.pad(images[0, 0], (1, 1, 1, 1))
    maps = torch.stack([
        torch.stack([(padded[z : z + 3, x : x + 3] * weight).sum() for x in range(3)])
        for z in range(3)
    ]).relu()  # fmt: skip
    # Pooled over 2 x 2, and over what is left at the lower and right edges.
    pooled = torch.stack([maps[:2, :2].max(), maps[:2, 2].max(), maps[2, :2].max(), maps[2, 2]])
    hidden = (network.connected[0].weight @ pooled).relu()
    wanted = network.connected[1].weight @ hidden
    torch.testing.assert_close(network(images)[0], wanted)


def test_filters_of_an_even_size_see_what_is_ahead():
    network = ConvolutionalNetwork(1, (4, 4), 1, Layers((1,), input_filter=2))
    with torch.no_grad():
        network.convolutions[0].convolution.weight.copy_(torch.tensor([[[[0.0, 0], [0, 1]]]]))
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    maps = network.convolutions[0](image)
    torch.testing.assert_close(maps[0, 0, :3, :3], image[0, 0, 1:, 1:])
    assert maps.shape == image.shape
    assert not maps[0, 0, 3].any()


def test_weights_begin_with_a_variance_of_one_over_fan_in_and_biases_at_0():
    torch.manual_seed(0)
    network = ConvolutionalNetwork(2, (16, 16), 3, Layers((64, 64), connected=(512,)))
    for layer, fan_in in (
        (network.convolutions[1].convolution, 64 * 9),
        (network.connected[0], 64 * 16),
    ):
        assert float(layer.weight.detach().var() * fan_in) == pytest.approx(1, rel=0.05)
        assert not layer.bias.any()


@pytest.mark.parametrize(("dropped", "layers"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_inputs_of_the_topmost_layers_are_dropped(dropped, layers):
    network = ConvolutionalNetwork(1, (8, 8), 1, Layers((4, 4), dropout_layers=dropped))
    seen = []
    network.dropout.register_forward_hook(lambda layer, given, found: seen.append(given[0].shape))
    network(torch.rand(1, 1, 8, 8))
    # The output's, the connected layer's, and the last convolution's.
    assert [tuple(each) for each in reversed(seen)] == [(1, 1024), (1, 16), (1, 4, 4, 4)][:layers]
