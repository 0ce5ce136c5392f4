"""Every sequence gets mean 0 and SD 1 by itself; one that never changes becomes 0."""

import torch

from musim.training.identification.networks.scaling import standardise


def test_sequences_are_standardised_one_by_one():
    draws = torch.Generator().manual_seed(0)
    tvi = torch.randn(3, 20, 8, 6, generator=draws) * torch.tensor([0.1, 3, 0])[:, None, None, None]
    tvi += torch.tensor([4.0, -1, 2])[:, None, None, None]
    found, sd = standardise(tvi)
    assert found[:2].mean(dim=(1, 2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(
        found[:2].std(dim=(1, 2, 3), correction=0), torch.ones(2), atol=1e-5, rtol=0
    )
    assert (found[2] == 0).all()
    torch.testing.assert_close(sd[:2], tvi[:2].std(dim=(1, 2, 3), correction=0))
    assert sd[2] == 1


def test_standardised_sequences_have_mean_0_and_sd_1():
    tvi = torch.randn(3, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    tvi *= torch.tensor([1e-3, 1.0, 50.0])[:, None, None, None]
    tvi += 0.7
    scaled, sd = standardise(tvi)
    torch.testing.assert_close(scaled.mean((1, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std((1, 2, 3), correction=0), torch.ones(3))
    torch.testing.assert_close(sd, tvi.std((1, 2, 3), correction=0))
