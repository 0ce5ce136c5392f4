"""Convolutions from and to a single map: torch's own results, with its weights and gradients."""

import pytest
import torch
from torch import nn

from musim.training.translation.networks.single_maps import FROM_SINGLE, TO_SINGLE

PLAIN = {2: nn.Conv2d, 3: nn.Conv3d}
SIZE = (9, 10, 11)
KERNEL = (3, 4, 5)


def pair(dimensions, ours, maps):
    """One convolution of ours and one of torch's, of the same weights, in double precision."""
    plain = PLAIN[dimensions](*maps, KERNEL[-dimensions:]).double()
    mine = ours[dimensions](*maps, KERNEL[-dimensions:]).double()
    mine.load_state_dict(plain.state_dict())
    clip = torch.randn(2, maps[0], *SIZE[-dimensions:], dtype=torch.float64, requires_grad=True)
    return mine, plain, clip


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(("ours", "maps"), [(FROM_SINGLE, (1, 3)), (TO_SINGLE, (3, 1))])
class TestSingleMaps:
    def test_results_and_gradients_are_those_of_torch(self, dimensions, ours, maps):
        mine, plain, clip = pair(dimensions, ours, maps)
        found, wanted = mine(clip), plain(clip)
        torch.testing.assert_close(found, wanted)
        upstream = torch.randn_like(wanted)
        gradients = [
            torch.autograd.grad(result, [clip, network.weight, network.bias], upstream)
            for network, result in ((mine, found), (plain, wanted))
        ]
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other)

    def test_half_precision_is_near_and_stays_half(self, dimensions, ours, maps):
        mine, plain, clip = pair(dimensions, ours, maps)
        clip = clip.detach().float()
        with torch.no_grad():
            wanted = plain.float()(clip)
            with torch.autocast("cpu", torch.bfloat16):
                found = mine.float()(clip)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), wanted, rtol=0.02, atol=0.02)
