"""Images climb to what a unit responds to: a linear filter's is the filter itself."""

import pytest

torch = pytest.importorskip("torch")

from musim.training.state.explaining.maximising import (  # noqa: E402
    STEADY,
    Ascent,
    maximise,
    response_of_filters,
    response_of_output,
    seen_by,
)

SHAPE = 2, 12, 16


class Network(torch.nn.Module):
    """Two convolutions with pooling between them, and two outputs."""

    def __init__(self, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = torch.nn.Conv2d(2, 3, 3, padding=1)
            self.second = torch.nn.Conv2d(3, 4, 3, padding=1)
            self.out = torch.nn.Linear(4 * 6 * 8, 2)

    def forward(self, images):
        maps = torch.nn.functional.max_pool2d(torch.relu(self.first(images)), 2)
        return self.out(torch.relu(self.second(maps)).flatten(1))


def cosine(one, other):
    return float((one * other).sum() / (one.norm() * other.norm()))


@pytest.mark.parametrize("scaled", [False, True])
def test_a_filter_likes_itself_best(scaled):
    network = Network()
    response = response_of_filters(network, network.first, [1, 1, 1], everywhere=False)
    images, (begun, ended) = maximise(response, SHAPE, Ascent(scaled=scaled), range(3))
    assert images.shape == (3, *SHAPE)
    weights = network.first.weight[1].detach()
    for image in images:
        # The middle of the map is the place (6, 8), which sees 3 x 3 px around it.
        assert cosine(image[:, 5:8, 7:10], weights) > 0.999
        outside = image.clone()
        outside[:, 5:8, 7:10] = 0
        assert float(outside.abs().max()) < 0.05  # what is left of the noise: 0.95 ** 100
    assert torch.all(ended > begun)
    if not scaled:  # where the gradient is constant, x = 0.95 (x + 0.5 w) comes to 9.5 w
        assert images[0][:, 5:8, 7:10] == pytest.approx(9.5 * weights, rel=0.02, abs=0.05)
        assert float(ended[0] - network.first.bias[1].detach()) == pytest.approx(
            9.5 * float((weights**2).sum()), rel=0.03
        )


def test_a_scaled_gradient_leaves_images_of_about_unit_variance():
    network = Network()
    with torch.no_grad():
        for weights in (network.out.weight, network.second.weight):
            weights.mul_(1e-3)  # a gradient that the paper's way makes nothing of
    response = response_of_output(network, 0)
    faded, _ = maximise(response, SHAPE, Ascent(), range(2))
    steady, _ = maximise(response, SHAPE, Ascent(scaled=True), range(2))
    assert float(faded.std()) < 0.05
    assert 0.3 < float(steady.std()) <= 9.5 * STEADY + 0.01


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("scaled", [False, True])
def test_outputs_rise(output, scaled):
    network = Network()
    with torch.no_grad():
        network.out.weight.mul_(30)
    response = response_of_output(network, output)
    images, (begun, ended) = maximise(response, SHAPE, Ascent(scaled=scaled), range(4))
    assert torch.all(ended > begun + 1)
    assert ended == pytest.approx(network(images)[:, output].detach())


def test_starts_are_climbed_from_alone_and_follow_from_seeds():
    network = Network()
    response = response_of_output(network, 1)
    together, _ = maximise(response, SHAPE, Ascent(iterations=5), range(3))
    alone, _ = maximise(response, SHAPE, Ascent(iterations=5), range(2, 3))
    assert alone[0] == pytest.approx(together[2], abs=1e-6)
    assert not torch.allclose(together[0], together[1])
    begin, _ = maximise(response, SHAPE, Ascent(iterations=0), range(1))
    assert abs(float(begin.mean())) < 0.2
    assert 0.8 < float(begin.std()) < 1.2


def test_a_filter_everywhere_is_the_sum_of_its_map():
    network = Network()
    images = torch.randn(2, *SHAPE)
    found = response_of_filters(network, network.second, [2, 0], everywhere=True)(images)
    maps = torch.relu(network.first(images))
    wanted = network.second(torch.nn.functional.max_pool2d(maps, 2))[[0, 1], [2, 0]]
    assert torch.allclose(found, wanted.sum(dim=(1, 2)), atol=1e-5)
    assert not network.second._forward_hooks


def test_what_decides_a_response_is_found():
    network = Network()
    one = response_of_filters(network, network.first, [0], everywhere=False)
    assert seen_by(one, SHAPE) == (slice(5, 8), slice(7, 10))
    every = response_of_filters(network, network.first, [0], everywhere=True)
    assert seen_by(every, SHAPE) == (slice(0, 12), slice(0, 16))
    assert seen_by(lambda images: images.sum(dim=(1, 2, 3)) * 0, SHAPE) == (slice(0, 0),) * 2
