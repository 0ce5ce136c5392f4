"""A small network learns from what a loader gives: truth and voxels belong together."""

import pytest
import torch
from torch import nn

from musim.datasets.streaming import SequenceLoader
from musim.simulator import Parameters, Range


@pytest.fixture(scope="module")
def store(build):
    parameters = Parameters(
        units=Range(2, 3), pixels=(16, 16), size=(16.0, 16.0), diameter=Range(4, 7), frames=32
    )
    return build(parameters, sequences=24, part_size=8, kind="rendered")


def test_a_small_network_learns_where_units_are(store):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1), nn.ReLU(),
        nn.Conv3d(8, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(1, 2), nn.Conv2d(8 * 16, 32, 3, padding=1), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(32, 1, 3, padding=1),
    )  # fmt: skip
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    loader = SequenceLoader(
        store, batch_size=6, flips=("depth", "width"), snr="25-35", standardise=True,
        shape=(32, 16, 16),
    )  # fmt: skip
    losses = []
    for _ in range(10):
        for batch in loader:
            wanted = (batch["territory"].sum(dim=1) > 0.5).float()
            found = network(batch["tvi"][:, None])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(found, wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert len(losses) == 40
    assert sum(losses[-4:]) < sum(losses[:4]) / 2, losses
