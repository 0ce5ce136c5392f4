"""Layers against their formulas, written out."""

import math

import pytest
import torch
from torch.nn import functional

from musim.training.sections.diffusion.layers import (
    Attention,
    StandardisedConv2d,
    TimeEmbedding,
    standardised,
)


def test_weights_are_standardised_by_their_formula():
    random = torch.Generator().manual_seed(0)
    weights = torch.randn((5, 3, 3, 3), generator=random) * 3 + 2
    found = standardised(weights)
    for one, value in zip(weights, found, strict=True):
        spread = math.sqrt(one.var(correction=0).item() + 1e-5)
        torch.testing.assert_close(value, (one - one.mean()) / spread)


def test_a_standardised_convolution_does_not_see_scale_and_offset_of_its_weights():
    torch.manual_seed(0)
    layer = StandardisedConv2d(3, 4, 3, padding=1)
    maps = torch.randn(2, 3, 6, 5)
    before = layer(maps)
    torch.testing.assert_close(
        before, functional.conv2d(maps, standardised(layer.weight), layer.bias, padding=1)
    )
    with torch.no_grad():
        layer.weight.mul_(7).add_(0.5)
    torch.testing.assert_close(layer(maps), before, rtol=1e-3, atol=1e-3)


def test_times_become_sines_and_cosines():
    layer = TimeEmbedding(6, 4)
    layer.dense = torch.nn.Identity()
    times = torch.tensor([0, 3])
    found = layer(times)
    rates = [1.0, 10_000**-0.5, 1e-4]
    wanted = [[math.sin(t * r) for r in rates] + [math.cos(t * r) for r in rates] for t in (0, 3)]
    torch.testing.assert_close(found, torch.tensor(wanted))


@pytest.mark.parametrize("linear", [False, True])
def test_attention_is_its_formula(linear):
    torch.manual_seed(0)
    layer = Attention(4, linear=linear, heads=2, size=3)
    maps = torch.randn(1, 4, 2, 5)
    asked = layer.ask(layer.norm(maps)).reshape(3, 2, 3, 10)
    heads = []
    for query, key, value in zip(*asked, strict=True):
        if linear:  # Shen et al. 2018: places are summed up once, and each asks that sum
            shares = key.softmax(dim=1)  # over places
            context = torch.stack([sum(shares[d, n] * value[:, n] for n in range(10))
                                   for d in range(3)])  # fmt: skip
            asks = query.softmax(dim=0) / math.sqrt(3)
            heads.append(torch.stack([asks[:, n] @ context for n in range(10)], dim=1))
        else:
            weights = (query.T @ key / math.sqrt(3)).softmax(dim=1)
            heads.append((weights @ value.T).T)
    wanted = maps + layer.answer(torch.cat(heads).reshape(1, 6, 2, 5))
    torch.testing.assert_close(layer(maps), wanted)
