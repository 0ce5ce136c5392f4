"""Maps side by side: faster steps, the same results but for rounding, and the same checkpoints."""

import io

import pytest
import torch
from torch import nn

from musim.datasets.grid import Grid
from musim.training.catalogue import TASKS
from musim.training.runs.memory_format import arrange
from musim.training.runs.settings import Settings
from musim.training.tasks import settings_for

CLIPS = torch.randn(2, 8, 6, 10, 12, generator=torch.Generator().manual_seed(1))
FRAMES = CLIPS[:, :, 0]


class Seen(nn.Module):
    """Notes the memory format of what comes by."""

    def forward(self, maps):
        self.side_by_side = maps.stride(1) == 1
        return maps


def trained(memory_format, dimensions=3, steps=2):
    """A network after some steps, its optimiser, the losses, and what saw its maps."""
    convolution, normalisation, pool = {
        2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d), 3: (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d)
    }[dimensions]  # fmt: skip
    torch.manual_seed(0)
    seen = Seen()
    network = nn.Sequential(
        convolution(8, 16, 3), normalisation(16), nn.ReLU(), pool(2), seen, convolution(16, 8, 1)
    )
    arrange(network, memory_format)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = network(CLIPS if dimensions == 3 else FRAMES).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return network, optimiser, losses, seen


@pytest.mark.parametrize("dimensions", [2, 3])
def test_results_agree_within_rounding(dimensions):
    last, _, found, seen = trained("channels-last", dimensions)
    assert seen.side_by_side
    plain, _, wanted, seen = trained("contiguous", dimensions)
    assert not seen.side_by_side
    assert found == pytest.approx(wanted, rel=1e-5)
    for one, other in zip(last.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-6)


def test_the_same_steps_give_the_same_bits():
    networks = [trained("channels-last")[0] for _ in range(2)]
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(one, other)


def test_weights_gradients_and_optimisers_stay_contiguous():
    network, optimiser, _, _ = trained("channels-last")
    kept = [value for state in optimiser.state.values() for value in state.values()]
    gradients = [parameter.grad for parameter in network.parameters()]
    for value in (*network.state_dict().values(), *gradients, *kept):
        assert value.is_contiguous()


def test_a_checkpoint_is_the_same_file_in_either_format():
    files = []
    for memory_format in ("channels-last", "contiguous"):
        network = trained(memory_format, steps=0)[0]
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        files.append(file.getvalue())
    assert files[0] == files[1]


def test_without_gradients_nothing_is_arranged():
    network, _, _, seen = trained("channels-last")
    plain = trained("contiguous", steps=0)[0]
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(network(CLIPS), plain(CLIPS))
    assert not seen.side_by_side


def test_few_maps_are_left_alone():
    seen = Seen()
    network = nn.Sequential(nn.Conv3d(2, 16, 3), seen)
    arrange(network, "channels-last")
    network(CLIPS[:, :2])
    assert not seen.side_by_side


def test_runs_of_before_go_on_as_they_were():
    stored = Settings().to_json()
    assert stored.pop("memory_format") == "channels-last"
    assert Settings.from_json(stored).memory_format == "contiguous"


@pytest.mark.parametrize("name", ["detect", "twitch", "translate"])
def test_tasks_train_in_the_format_of_their_settings(name):
    def arranged(memory_format):
        settings = settings_for(TASKS[name], "", {"memory_format": memory_format})
        networks = TASKS[name](settings, Grid((400, 64, 64), 400.0, (0.625, 0.625))).networks
        return sum(bool(module._forward_pre_hooks) for module in networks.modules())

    assert arranged("channels-last") > 0
    assert arranged("contiguous") == 0
