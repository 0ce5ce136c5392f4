"""Layers have the shapes and the numbers of parameters that the papers' networks have."""

import pytest
import torch
from torch import nn

from musim.training.paired.networks.discriminators import Patches
from musim.training.paired.networks.layers import Residual, SliceNorm
from musim.training.paired.networks.models import Architecture, build, parameter_counts
from musim.training.paired.networks.residual import ResidualGenerator
from musim.training.paired.networks.unet import UNet
from musim.training.paired.networks.unit import Decoder, Encoder, Shared

SMALL = {"maps": 2, "discriminator_maps": 2, "discriminator_layers": 2}


def convolution(found, wanted, side, bias):
    return found * wanted * side**2 + bias * wanted


def shapes_in(network, given):
    """Return the shapes that leave the given parts of a network, in order."""
    seen = []
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    handles = [
        one.register_forward_hook(lambda module, inputs, out: seen.append(tuple(out.shape[1:])))
        for one in network.modules()
        if isinstance(one, kinds)
    ]
    with torch.no_grad():
        network(given)
    for handle in handles:
        handle.remove()
    return seen


def test_the_unet_halves_and_doubles_with_skips():
    network = UNet(2, inputs=2, maps=4, levels=5)
    down = [(4, 32, 32), (8, 16, 16), (16, 8, 8), (32, 4, 4), (32, 2, 2)]
    up = [(32, 4, 4), (16, 8, 8), (8, 16, 16), (4, 32, 32), (1, 64, 64)]
    assert shapes_in(network, torch.zeros(1, 2, 64, 64)) == down + up
    # What goes up is twice as wide as what came down, but for the innermost.
    inputs = [layer[0].in_channels for layer in network.up]
    assert [*inputs, network.last[0].in_channels] == [32, 64, 32, 16, 8]


def test_the_paper_has_8_levels_and_is_that_of_isola():
    with torch.device("meta"):
        network = UNet(2, inputs=2, maps=64, levels=8)
        found = shapes_in(network, torch.empty(1, 2, 512, 512))
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    sides = [256, 128, 64, 32, 16, 8, 4, 2]
    assert found[:8] == [(m, s, s) for m, s in zip(widths, sides, strict=True)]
    assert found[8:] == [
        (m, s, s)
        for m, s in zip(
            [512, 512, 512, 512, 256, 128, 64, 1], [4, 8, 16, 32, 64, 128, 256, 512], strict=True
        )
    ]
    downs = [
        (2, 64, 1),
        (64, 128, 0),
        (128, 256, 0),
        (256, 512, 0),
        *[(512, 512, 0)] * 3,
        (512, 512, 1),
    ]
    ups = [
        (512, 512, 0),
        *[(1024, 512, 0)] * 3,
        (1024, 256, 0),
        (512, 128, 0),
        (256, 64, 0),
        (128, 1, 1),
    ]
    weights = sum(convolution(found, wanted, 4, bias) for found, wanted, bias in downs + ups)
    norms = 2 * sum(wanted for _, wanted, bias in downs + ups if not bias)
    assert sum(one.numel() for one in network.parameters()) == weights + norms == 54_409_409


def test_the_patches_of_pix2pix_have_70_pixels():
    network = Patches(2, inputs=2, maps=64, layers=3)
    weights = (
        convolution(2, 64, 4, 1)
        + convolution(64, 128, 4, 0)
        + convolution(128, 256, 4, 0)
        + convolution(256, 512, 4, 0)
        + convolution(512, 1, 4, 1)
    )
    assert sum(one.numel() for one in network.parameters()) == weights + 2 * (128 + 256 + 512)
    image = torch.zeros(1, 2, 128, 128, requires_grad=True)
    for norm in [one for one in network.modules() if isinstance(one, SliceNorm)]:
        norm.forward = lambda x: x  # statistics see the whole image
    scores = network(image)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 7].backward()
    assert (image.grad[0, 0].abs().sum(0) > 0).sum() == 70


def test_cyclegan_has_five_residual_blocks_of_two_convolutions():
    network = ResidualGenerator(2, maps=64, levels=3, blocks=5)
    found = shapes_in(network, torch.zeros(1, 1, 64, 64))
    down, up = [(64, 32, 32), (128, 16, 16), (256, 8, 8)], [(128, 16, 16), (64, 32, 32)]
    assert found == [*down, *[(256, 8, 8)] * 10, *up, (1, 64, 64)]
    weights = (
        convolution(1, 64, 4, 0)
        + convolution(64, 128, 4, 0)
        + convolution(128, 256, 4, 0)
        + 10 * convolution(256, 256, 3, 0)
        + convolution(256, 128, 4, 0)
        + convolution(128, 64, 4, 0)
        + convolution(64, 1, 4, 1)
    )
    norms = 2 * (64 + 128 + 256 + 10 * 256 + 128 + 64)
    assert sum(one.numel() for one in network.parameters()) == weights + norms


def test_cyclegan_judges_by_four_layers_of_which_two_are_normalised():
    network = Patches(2, inputs=1, maps=64, layers=3, last=2)
    found = shapes_in(network, torch.zeros(1, 1, 64, 64))
    assert found == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (1, 4, 4)]
    assert sum(isinstance(one, SliceNorm) for one in network.modules()) == 2


def test_unit_has_codes_of_256_maps_at_a_quarter_of_the_side():
    encoder = Encoder(2, maps=64, blocks=3)
    found = shapes_in(encoder, torch.zeros(1, 1, 32, 32))
    assert found == [(64, 32, 32), (128, 16, 16), *[(256, 8, 8)] * 7]
    code = torch.zeros(2, 256, 8, 8)
    assert Shared(2, maps=64, blocks=1)(code).shape == code.shape
    decoder = Decoder(2, maps=64, blocks=3, output="tanh")
    assert shapes_in(decoder, code) == [
        *[(256, 8, 8)] * 6,
        (128, 16, 16),
        (64, 32, 32),
        (1, 32, 32),
    ]
    residuals = 6 * convolution(256, 256, 3, 0)
    assert sum(one.numel() for one in encoder.parameters()) == (
        convolution(1, 64, 7, 1)
        + convolution(64, 128, 4, 0)
        + convolution(128, 256, 4, 0)
        + residuals
    )
    assert sum(one.numel() for one in decoder.parameters()) == (
        residuals
        + convolution(256, 128, 4, 0)
        + convolution(128, 64, 4, 1)
        + convolution(64, 1, 1, 1)
    )


def test_a_residual_block_of_no_weights_gives_what_came_in():
    block = Residual(2, 3)
    x = torch.randn(1, 3, 6, 6)
    for one in block.modules():
        if isinstance(one, nn.Conv2d):
            nn.init.zeros_(one.weight)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "unit"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_models_translate_images_and_clips_of_their_size(name, dimensions):
    architecture = Architecture(name=name, dimensions=dimensions, levels=2, blocks=1, **SMALL)
    model = build(architecture, 0)
    size = model.size_for((3, 21, 26)[-dimensions:])
    assert all(side % divisor == 0 for side, divisor in zip(size, model.divisors, strict=True))
    x = torch.randn(2, 1, *size)
    assert model.translate(x, [0, 1]).shape == x.shape
    counts = parameter_counts(architecture)
    assert set(counts) == {one for one, _ in model.named_children()}
    assert sum(counts.values()) == sum(one.numel() for one in model.parameters())
    assert {*model.makers, *model.judges} == {*model.children()}


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "unit"])
def test_an_image_is_translated_alone_as_in_a_batch(name):
    model = build(Architecture(name=name, levels=2, blocks=1, **SMALL), 0).train()
    x = torch.randn(3, 1, 32, 32) * torch.tensor([0.1, 1, 9])[:, None, None, None]
    together = model.translate(x, [5, 5, 5])
    for place in range(3):
        alone = model.translate(x[place : place + 1], [5])
        torch.testing.assert_close(together[place : place + 1], alone, rtol=1e-4, atol=1e-6)


def test_weights_follow_from_the_seed_and_their_network():
    chosen = Architecture(name="cyclegan", levels=2, blocks=1, **SMALL)
    one, same, other = build(chosen, 1), build(chosen, 1), build(chosen, 2)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    first = "generator_a2b.down.0.0.weight"
    assert not torch.equal(one.state_dict()[first], other.state_dict()[first])
    assert not torch.equal(one.state_dict()[first], one.state_dict()[first.replace("a2b", "b2a")])
    wide = build(Architecture(name="pix2pix", levels=2, **{**SMALL, "maps": 16}), 0)
    assert float(wide.generator.up[0][0].weight.detach().std()) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "unit"])
def test_images_of_a_go_to_b_through_the_networks_of_a_and_b(name):
    model = build(Architecture(name=name, levels=2, blocks=1, noise=False, **SMALL), 0)
    x = torch.randn(1, 1, 32, 32)
    through = {
        "pix2pix": ("generator",),
        "cyclegan": ("generator_a2b",),
        "unit": ("encoder_a", "shared_encoder", "shared_decoder", "decoder_b"),
    }
    expected = x
    for part in through[name]:
        expected = getattr(model, part)(expected)
    assert torch.equal(model.translate(x, [0]), expected)


def kinds_in(network):
    return {type(one) for one in network.modules()}


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "unit"])
def test_rectifiers_and_last_layers_are_the_papers(name):
    for output in ("tanh", "linear"):
        model = build(Architecture(name=name, levels=2, blocks=1, output=output, **SMALL), 0)
        kinds = [kinds_in(maker) for maker in model.makers]
        ends = sum(nn.Tanh in found for found in kinds)
        assert ends == (0 if output == "linear" else 1 if name == "pix2pix" else 2)
        assert all(nn.LeakyReLU in kinds_in(judge) for judge in model.judges)
        # Fig. 4: plain ReLUs in cycleGAN's generators; Figs 2 and 6: leaky ones where sides change.
        for maker, found in zip(model.makers, kinds, strict=True):
            shared = isinstance(maker, Shared)
            assert (nn.LeakyReLU in found) == (name != "cyclegan" and not shared)
            assert (nn.ReLU in found) == (name != "pix2pix")
        for one in model.modules():
            assert getattr(one, "negative_slope", 0.2) == 0.2


def test_only_blocks_of_a_shared_code_may_take_away():
    x = torch.randn(1, 2, 6, 6)
    assert (Residual(2, 2)(x) >= x).all()
    assert not (Residual(2, 2, rectified=False)(x) >= x).all()
    code = Shared(2, maps=1, blocks=1)
    wide = torch.randn(1, 4, 6, 6)
    assert not (code(wide) >= wide).all()
