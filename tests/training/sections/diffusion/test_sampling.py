"""Samplers against one another, and samples of known distributions."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from musim.training.sections.diffusion.layers import TimeEmbedding
from musim.training.sections.diffusion.sampling import Sampler
from musim.training.sections.diffusion.schedule import PREDICTIONS, SCHEDULES, Schedule


def noise_of(seed, shape):
    """Return what gives noise of a shape, the same from the beginning each time it is made."""
    random = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(shape, generator=random, dtype=torch.float64)


def gaussian(schedule, mean, spread):
    """Return the best prediction for images that are Gaussian, in closed form."""

    def predict(samples, times):
        signal, noise = schedule.scales(times, samples)
        precision = 1 / spread**2 + (signal / noise) ** 2
        image = (mean / spread**2 + signal * samples / noise**2) / precision
        return schedule.target(image, times, schedule.noise(samples, times, image))

    return predict


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_ddim_with_all_its_noise_and_all_steps_is_ddpm(name, prediction):
    schedule = Schedule(name, 20, prediction)
    predict = gaussian(schedule, 0.4, 0.3)
    one = Sampler("ddpm").draw(schedule, predict, noise_of(0, (50, 2)), None)
    other = Sampler("ddim", 20, eta=1).draw(schedule, predict, noise_of(0, (50, 2)), None)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("sampler", [Sampler("ddpm"), Sampler("ddim", 100), Sampler("ddim", 40),
                                     Sampler("ddim", 100, eta=0.5)])  # fmt: skip
@pytest.mark.parametrize("name", SCHEDULES)
def test_samples_of_a_gaussian_have_its_mean_and_its_spread(sampler, name):
    schedule = Schedule(name, 200)
    predict = gaussian(schedule, 0.4, 0.3)
    found = sampler.draw(schedule, predict, noise_of(1, (20_000, 1)), None)
    assert found.mean().item() == pytest.approx(0.4, abs=0.02)
    # Fewer steps than there are leave some of the spread out.
    assert found.std().item() == pytest.approx(0.3, abs=0.02 if sampler.steps > 40 else 0.04)


def test_without_noise_a_sample_is_a_function_of_where_it_began():
    schedule = Schedule("cosine", 50)
    predict = gaussian(schedule, 0.4, 0.3)
    begins = iter([torch.zeros(3, 1, dtype=torch.float64)])
    found = Sampler("ddim", 10).draw(schedule, predict, lambda: next(begins), None)
    assert (found == found[0]).all()  # no second noise was asked for


def test_times_begin_with_the_noisiest_and_end_with_the_image():
    schedule = Schedule("linear", 300)
    assert Sampler("ddim", 4).times(schedule) == [299, 199, 100, 0]
    assert Sampler("ddim", 1).times(schedule) == [299]
    for sampler in (Sampler("ddpm", 7), Sampler("ddim", 1000)):
        assert sampler.times(schedule) == list(range(299, -1, -1))


def test_samples_are_held_to_the_bound():
    schedule = Schedule("linear", 30)
    found = Sampler("ddim", 30).draw(schedule, gaussian(schedule, 3.0, 0.1), noise_of(0, (9, 1)))
    assert found.max().item() == 1.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "euler"}, ("found 'euler'", "ddim, ddpm")),
        ({"steps": 0}, ("steps: found 0",)),
        ({"eta": 1.5}, ("eta: found 1.5",)),
    ],
)
def test_other_samplers_are_refused(given, words, refused):
    with refused(*words):
        Sampler(**given)


SPREAD = 0.2
STEPS, BATCH = 600, 512


class Dense(nn.Module):
    """A small network of points in a plane."""

    def __init__(self):
        super().__init__()
        self.time, self.begin = TimeEmbedding(16, 64), nn.Linear(2, 64)
        self.layers = nn.Sequential(
            nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2)
        )

    def forward(self, points, times):
        return self.layers(self.begin(points) + self.time(times))


def mixture(random, count):
    """Return points about three places, a half, a third and a sixth of them, and their places."""
    places = torch.tensor([[1.5, 0.0], [-1.0, 1.2], [-0.8, -1.4]])
    which = torch.from_numpy(random.choice(3, count, p=[1 / 2, 1 / 3, 1 / 6]))
    spread = torch.from_numpy(random.standard_normal((count, 2), dtype=np.float32)) * SPREAD
    return places[which] + spread, places


@pytest.mark.parametrize(("name", "prediction"), [("linear", "noise"), ("cosine", "v")])
def test_samples_of_a_trained_model_match_a_mixture(name, prediction):
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    schedule, network = Schedule(name, 50, prediction), Dense()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = 1e-2 * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        points, places = mixture(random, BATCH)
        times = torch.from_numpy(random.integers(50, size=BATCH))
        noise = torch.from_numpy(random.standard_normal((BATCH, 2), dtype=np.float32))
        wanted = schedule.target(points, times, noise)
        loss = (network(schedule.noised(points, times, noise), times) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    generator = torch.Generator().manual_seed(1)
    for sampler in (Sampler("ddpm"), Sampler("ddim", 25)):
        with torch.no_grad():
            found = sampler.draw(
                schedule, network, lambda: torch.randn((2000, 2), generator=generator), None
            )
        distance, nearest = torch.cdist(found, places).min(dim=1)
        shares = torch.bincount(nearest, minlength=3) / 2000
        np.testing.assert_allclose(shares, [1 / 2, 1 / 3, 1 / 6], atol=0.05)
        near = distance < 4 * SPREAD
        assert near.float().mean() > 0.9
        for place in range(3):
            own = found[near & (nearest == place)]
            np.testing.assert_allclose(own.mean(dim=0), places[place], atol=0.15)
            np.testing.assert_allclose(own.std(dim=0), SPREAD, atol=0.1)
