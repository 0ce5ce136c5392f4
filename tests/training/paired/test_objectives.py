"""Losses against numbers that are worked out by hand."""

import math

import pytest
import torch
from torch import nn

from musim.training.paired.objectives import (
    CycleGanObjective,
    Pix2PixObjective,
    UnitObjective,
    cross_entropy,
    divergence,
)

A, B = torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), -0.25)


class Factor(nn.Module):
    """A network that multiplies."""

    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x):
        return self.factor * x


class FakePix2Pix:
    generator, discriminator = Factor(0.5), Factor(2.0)

    def translate(self, a, keys):
        return self.generator(a)


class FakeCycleGan:
    generator_a2b, generator_b2a = Factor(-1.0), Factor(3.0)
    discriminator_a, discriminator_b = Factor(1.0), Factor(2.0)


class FakeUnit:
    """Without noise of codes (see below), all is a product of factors."""

    encoder_a, encoder_b = Factor(2.0), Factor(3.0)
    shared_encoder, shared_decoder = Factor(0.5), Factor(1.0)
    decoder_a, decoder_b = Factor(1.0), Factor(-2.0)
    discriminator_a, discriminator_b = Factor(4.0), Factor(2.0)


def values(losses):
    return {name: float(loss.detach()) for name, loss in losses.items()}


def softplus(value):
    return math.log1p(math.exp(value))


def images(of_critics):
    """Return the one value of each critic's image."""
    return {name: float(image.mean()) for name, image in of_critics.items()}


def test_scores_that_cannot_tell_have_a_cross_entropy_of_ln_2():
    assert float(cross_entropy(torch.zeros(3), True)) == pytest.approx(math.log(2))
    assert float(cross_entropy(torch.full((2,), 2.0), True)) == pytest.approx(softplus(-2))
    assert float(cross_entropy(torch.full((2,), -2.0), False)) == pytest.approx(softplus(-2))


def test_pix2pix_is_judged_as_a_pair_and_by_its_distance():
    made = Pix2PixObjective().make(FakePix2Pix(), A, B, [0])
    found = values(made.losses)
    assert found["l1"] == pytest.approx(100 * 0.5)  # 0.25 where -0.25 is wanted
    # Scores of 1 for what was given and of 0.5 for what was made of it.
    assert found["adversarial"] == pytest.approx((softplus(-1) + softplus(-0.5)) / 2)
    assert torch.equal(made.real["discriminator"], torch.cat([A, B], 1))
    assert torch.equal(made.fake["discriminator"], torch.cat([A, 0.5 * A], 1))
    half = Pix2PixObjective().judge(torch.zeros(4), torch.zeros(4))
    assert float(half) == pytest.approx(math.log(2))


def test_cyclegan_comes_back():
    made = CycleGanObjective().make(FakeCycleGan(), A, B, [0])
    assert images(made.real) == {"discriminator_a": 0.5, "discriminator_b": -0.25}
    assert images(made.fake) == {"discriminator_a": -0.75, "discriminator_b": -0.5}
    assert values(made.losses) == pytest.approx({
        "adversarial_b": 4.0, "adversarial_a": 1.75**2,  # scores of -1 and -0.75, wanted: 1
        "cycle_a": 10 * 2.0,  # 0.5 comes back as -1.5
        "cycle_b": 10 * 1.0,  # -0.25 comes back as 0.75
    })  # fmt: skip
    more = values(CycleGanObjective(identity_weight=5).make(FakeCycleGan(), A, B, [0]).losses)
    assert more["identity_b"] == pytest.approx(5 * 0.5)  # -0.25 becomes 0.25
    assert more["identity_a"] == pytest.approx(5 * 1.0)  # 0.5 becomes 1.5
    judged = CycleGanObjective().judge(torch.tensor([0.5]), torch.tensor([3.0]))
    assert float(judged) == pytest.approx(0.5 * (0.25 + 9))


def test_unit_has_the_losses_of_liu(monkeypatch):
    monkeypatch.setattr("musim.training.paired.objectives._drawn", lambda mean, random: mean)
    made = UnitObjective().make(FakeUnit(), A, B, [0])
    # Codes: of a 0.5 (2 x 0.5 x 0.5), of b -0.375 (3 x 0.5 x -0.25).
    assert images(made.real) == {"discriminator_a": 0.5, "discriminator_b": -0.25}
    assert images(made.fake) == {"discriminator_a": -0.375, "discriminator_b": -1.0}
    # Codes of what was made: of fake a (-0.375) -0.375; of fake b (-1) -1.5.
    assert values(made.losses) == pytest.approx({
        "adversarial_b": 10 * softplus(2),  # a score of -2
        "adversarial_a": 10 * softplus(1.5),
        "kl": 0.1 * (0.5**2 + 0.375**2) / 2,
        "likelihood_a": 100 * 0.0,  # decoded to 0.5
        "likelihood_b": 100 * 1.0,  # decoded to 0.75 where -0.25 is wanted
        "cycle_kl": 0.1 * (0.375**2 + 1.5**2) / 2,
        "cycle_a": 100 * 2.0,  # -1.5 where 0.5 is wanted
        "cycle_b": 100 * 1.0,  # 0.75 where -0.25 is wanted
    })  # fmt: skip
    judged = UnitObjective().judge(torch.zeros(2), torch.zeros(2))
    assert float(judged) == pytest.approx(10 * math.log(2))


def test_the_divergence_is_that_of_normal_distributions():
    mean = torch.tensor([0.3, -1.2, 2.0])
    wanted = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, 1.0), torch.distributions.Normal(0.0, 1.0)
    ).mean()
    assert float(divergence(mean)) == pytest.approx(float(wanted))


def test_codes_are_drawn_by_their_key_alone():
    def code(key):
        torch.manual_seed(0)
        torch.rand(3)
        made = UnitObjective().make(FakeUnit(), A, B, [key])
        return made.fake["discriminator_b"]

    assert torch.equal(code((1, 2)), code((1, 2)))
    assert not torch.equal(code((1, 2)), code((1, 3)))


def test_codes_have_noise_of_their_own_with_a_variance_of_1():
    none = torch.zeros(1, 1, 64, 64)
    made = UnitObjective().make(FakeUnit(), none, none, [0])
    # Of images of 0 the codes are noise; the decoder of b multiplies it by -2.
    a, b = made.fake["discriminator_a"], made.fake["discriminator_b"] / -2
    assert [float(a.std()), float(b.std())] == pytest.approx([1, 1], abs=0.05)
    assert float((a * b).mean()) == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize(
    ("objective", "fakes"),
    [(Pix2PixObjective, FakePix2Pix), (CycleGanObjective, FakeCycleGan), (UnitObjective, FakeUnit)],
)
def test_no_gradient_reaches_what_made_an_image_from_its_judge(objective, fakes):
    made = objective().make(fakes(), A, B, [0])
    assert all(loss.requires_grad for loss in made.losses.values())
    assert not any(image.requires_grad for image in made.fake.values())
