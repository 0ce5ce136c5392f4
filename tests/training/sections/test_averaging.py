"""The running average of weights against its formula."""

import pytest
import torch
from torch import nn

from musim.training.sections.averaging import Averaged


def test_the_average_follows_its_formula_and_forgets_the_first_weights():
    networks = Averaged(nn.Linear(2, 1, bias=False), decay=0.6)
    wanted = networks.network.weight.detach().clone()
    for number in range(1, 12):
        with torch.no_grad():
            networks.network.weight.copy_(torch.tensor([[float(number), -2.0 * number]]))
        networks.update()
        kept = min(0.6, (1 + number) / (10 + number))
        wanted = kept * wanted + (1 - kept) * networks.network.weight.detach()
        torch.testing.assert_close(networks.average.weight.data, wanted)
    assert int(networks.updates) == 11


def test_the_average_goes_on_where_a_checkpoint_left_it():
    def network():
        torch.manual_seed(3)
        return nn.Linear(2, 1)

    one, other = Averaged(network(), 0.9), Averaged(nn.Linear(2, 1), 0.9)
    one.update()
    other.load_state_dict(one.state_dict())
    for networks in (one, other):
        with torch.no_grad():
            networks.network.weight += 1.0
        networks.update()
    assert torch.equal(one.average.weight, other.average.weight)


def test_the_average_is_not_trained():
    networks = Averaged(nn.Linear(2, 1), 0.9)
    assert [value.requires_grad for value in networks.average.parameters()] == [False, False]
    before = networks.average.weight.clone()
    with pytest.raises(RuntimeError):
        networks.average(torch.ones(2)).sum().backward()
    assert torch.equal(before, networks.average.weight)


def test_statistics_of_batches_are_averaged_and_their_number_is_copied():
    networks = Averaged(nn.BatchNorm1d(1, momentum=1.0), 0.6)
    wanted = 0.0
    for number in range(1, 12):
        networks.network(torch.tensor([[number - 1.0], [number + 1.0]]))
        networks.update()
        kept = min(0.6, (1 + number) / (10 + number))
        wanted = kept * wanted + (1 - kept) * number
    assert float(networks.average.running_mean) == pytest.approx(wanted, rel=1e-5)
    assert int(networks.average.num_batches_tracked) == 11
