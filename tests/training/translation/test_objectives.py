"""Objectives of a step against losses that were worked out by hand, with networks of one number."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from musim.training.translation.losses import (
    CycleLoss,
    IdentityLoss,
    LeastSquaresLoss,
    RecurrentLoss,
    RecycleLoss,
)
from musim.training.translation.networks.layers import noise_images
from musim.training.translation.objectives import (
    CycleObjective,
    RecycleObjective,
    judge,
    purposes,
)

ADVERSARIAL = LeastSquaresLoss()


class Line(nn.Module):
    """factor x + offset; keeps the keys and shapes that it is called with."""

    def __init__(self, factor, offset):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))
        self.offset = nn.Parameter(torch.tensor(float(offset)))
        self.keys, self.shapes = [], []

    def forward(self, x, keys=None):
        self.keys.append(keys)
        self.shapes.append(tuple(x.shape))
        return self.factor * x + self.offset


class Sum(nn.Module):
    """Weighted sum of the earlier and the later frame."""

    def __init__(self, earlier, later):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([float(earlier), float(later)]))

    def forward(self, frames):
        return (self.weights[:, None, None] * frames).sum(1, keepdim=True)


@pytest.fixture
def model():
    return SimpleNamespace(
        generator_a2b=Line(2, 0), generator_b2a=Line(1, 1),
        discriminator_a=Line(1, -1), discriminator_b=Line(0.5, 0),
        predictor_a=Sum(-1, 2), predictor_b=Sum(1, 1),
    )  # fmt: skip


def clips(*values):
    """Return one clip with a frame of one pixel for each value, (1, T, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)


def cycle(kind="l1", identity=5.0, **options):
    loss = CycleLoss(10.0)
    identities = IdentityLoss(identity, "l1"), IdentityLoss(identity, kind)
    return CycleObjective(ADVERSARIAL, loss, loss, *identities, **options)


# a = 1, 3 becomes 2, 6, which is judged as 1, 3 and comes back as 3, 7.
# b = 2, -1 becomes 3, 0, which is judged as 2, -1 and comes back as 6, 0.
LOSSES = {
    "adversarial_b": (0 + 4) / 2,
    "adversarial_a": (1 + 4) / 2,
    "cycle_a": 10 * (2 + 4) / 2,
    "cycle_b": 10 * (4 + 1) / 2,
    "identity_a": 5 * 1,  # 2, 4 for 1, 3
    "identity_b": 5 * (2 + 1) / 2,  # 4, -2 for 2, -1
}


@pytest.mark.parametrize("frames", [False, True])
def test_the_cycle_objective_is_that_of_the_equations(model, frames):
    made = cycle(frames=frames)(model, clips(1, 3), clips(2, -1), [(0, 0)])
    assert {name: value.item() for name, value in made.losses.items()} == LOSSES
    # Real: a as 0, 2 and b as 1, -0.5. Translated: 2, -1 and 1, 3.
    found = judge(model, made, made.fake_a, made.fake_b, ADVERSARIAL)
    assert found["discriminator_a"].item() == 0.5 * ((1 + 1) / 2 + (4 + 1) / 2)
    assert found["discriminator_b"].item() == 0.5 * ((0 + 2.25) / 2 + (1 + 9) / 2)


def test_identity_has_either_distance_and_can_be_left_out(model):
    made = cycle("l2")(model, clips(1, 3), clips(2, -1), [(0, 0)])
    assert made.losses["identity_b"].item() == 5 * (4 + 1) / 2
    assert made.losses["identity_a"].item() == LOSSES["identity_a"]
    made = cycle(identity=0.0)(model, clips(1, 3), clips(2, -1), [(0, 0)])
    assert set(LOSSES) - set(made.losses) == {"identity_a", "identity_b"}


def test_discriminators_are_shown_what_the_pools_give(model):
    made = cycle()(model, clips(1, 3), clips(2, -1), [(0, 0)])
    found = judge(model, made, clips(1, 1), clips(2, 2), ADVERSARIAL)
    assert found["discriminator_a"].item() == 0.5 * (1 + 0)
    assert found["discriminator_b"].item() == 0.5 * (2.25 / 2 + 1)


def test_networks_of_frames_see_each_frame_as_an_item(model):
    a, b = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    keys = [(7, 1, 0, 0), (7, 1, 0, 1)]
    made = cycle(frames=True)(model, a, b, keys)
    for network in (model.generator_a2b, model.discriminator_a, model.discriminator_b):
        assert set(network.shapes) == {(6, 1, 4, 5)}
    assert torch.equal(made.real_a[4, 0], a[1, 1])
    assert torch.equal(made.fake_b[4, 0], 2 * a[1, 1])
    cycle()(model, a, b, keys)
    assert model.generator_a2b.shapes[-1] == (2, 1, 3, 4, 5)


@pytest.mark.parametrize("frames", [False, True])
def test_every_use_of_a_clip_has_noise_of_its_own(model, frames):
    a = torch.rand(2, 3, 4, 5)
    for step in (0, 1):
        for rank in (0, 1):
            keys = [(7, step, rank, place) for place in (0, 1)]
            cycle(frames=frames)(model, a, a, keys)
    used = [key for keys in model.generator_a2b.keys for key in keys]
    assert len(used) == 4 * 3 * 2 * (3 if frames else 1)
    assert len(set(used)) == len(used)
    assert all(keys is None for keys in model.generator_b2a.keys)
    images = noise_images(used, 2, (3, 3)).reshape(-1, 9)
    assert len(torch.unique(images, dim=0)) == 2 * len(used)


def test_purposes_lengthen_keys():
    assert purposes([3, (4, 5)], 2) == [(3, 2), (4, 5, 2)]


# P_A is 2 later - earlier, P_B the sum. a = 1, 3, 4: P_A expects 5. 2, 6 are expected to go on with
# 8, which comes back as 9; judged 1, 3, 4. b = 2, -1, 0: P_B expects 1. 3, 0 are expected to go on
# with -3, which comes back as -6; judged 2, -1, -4.
RECYCLE = {
    "adversarial_b": (0 + 4 + 9) / 3,
    "adversarial_a": (1 + 4 + 25) / 3,
    "recurrent_a": 10 * 1,
    "recurrent_b": 10 * 1,
    "recycle_a": 10 * 25,
    "recycle_b": 10 * 36,
    "identity_a": 5 * 1,
    "identity_b": 5 * (2 + 1 + 0) / 3,
}


def recycle(identity=5.0):
    identities = IdentityLoss(identity), IdentityLoss(identity)
    return RecycleObjective(ADVERSARIAL, RecurrentLoss(), RecycleLoss(), *identities)


def test_the_recycle_objective_is_that_of_the_equations(model):
    made = recycle()(model, clips(1, 3, 4), clips(2, -1, 0), [(0, 0)])
    found = {name: value.item() for name, value in made.losses.items()}
    assert found == pytest.approx(RECYCLE, rel=1e-6)
    assert made.fake_b.flatten().tolist() == [2, 6, 8]
    assert made.fake_a.flatten().tolist() == [3, 0, -3]
    found = judge(model, made, made.fake_a, made.fake_b, ADVERSARIAL)
    # Real: a as 0, 2, 3 and b as 1, -0.5, 0.
    assert found["discriminator_a"].item() == pytest.approx(0.5 * (6 / 3 + (4 + 1 + 16) / 3))
    assert found["discriminator_b"].item() == pytest.approx(0.5 * (3.25 / 3 + (1 + 9 + 16) / 3))
    assert "identity_a" not in recycle(0.0)(model, clips(1, 3, 4), clips(2, -1, 0), []).losses


def test_clips_of_a_batch_are_not_mixed(model):
    """The losses of two clips are the means of each one's."""
    a, b = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    for objective in (cycle(), cycle(frames=True), recycle()):
        both = objective(model, a, b, [(0,), (1,)]).losses
        each = [objective(model, a[i : i + 1], b[i : i + 1], [(i,)]).losses for i in (0, 1)]
        for name, value in both.items():
            mean = (each[0][name] + each[1][name]) / 2
            assert value.item() == pytest.approx(mean.item(), rel=1e-5), name


@pytest.mark.parametrize("objective", [cycle(), recycle()])
def test_gradients_reach_what_a_loss_is_about(model, objective):
    made = objective(model, clips(1, 3, 4), clips(2, -1, 0), [(0, 0)])
    sum(made.losses.values()).backward()
    assert model.generator_a2b.factor.grad.abs() > 0
    assert model.generator_b2a.factor.grad.abs() > 0
    if "recycle_a" in made.losses:
        assert (model.predictor_a.weights.grad != 0).all()
        assert (model.predictor_b.weights.grad != 0).all()
    for network in vars(model).values():
        network.zero_grad()
    assert not made.fake_a.requires_grad
    assert not made.fake_b.requires_grad
    sum(judge(model, made, made.fake_a, made.fake_b, ADVERSARIAL).values()).backward()
    assert model.discriminator_a.factor.grad.abs() > 0
    assert model.generator_a2b.factor.grad is None
    assert model.generator_b2a.factor.grad is None


def test_without_predictors_there_is_nothing_to_recycle(model):
    model.predictor_b = None
    with pytest.raises(TypeError, match="predictors"):
        recycle()(model, clips(1, 3, 4), clips(2, -1, 0), [])
