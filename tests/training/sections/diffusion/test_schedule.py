"""Noising against its steps one by one, and the step back against Gaussians in closed form."""

import math

import numpy as np
import pytest
import torch

from musim.training.sections.diffusion.schedule import PREDICTIONS, SCHEDULES, Schedule


def near(time, count=1):
    return torch.full((count,), time, dtype=torch.int64)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [2, 50, 300, 1000])
def test_step_by_step_noising_is_the_direct_form(name, steps):
    schedule = Schedule(name, steps)
    # Of one image: each step multiplies by the root of 1 - beta and adds variance beta.
    mean, variance = 1.0, 0.0
    for time in range(steps):
        beta = schedule.beta[time]
        mean, variance = mean * math.sqrt(1 - beta), variance * (1 - beta) + beta
        assert mean == pytest.approx(math.sqrt(schedule.kept[time]), rel=1e-9)
        assert variance == pytest.approx(1 - schedule.kept[time], rel=1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
def test_noised_images_have_the_mean_and_the_variance_of_many_steps(name):
    schedule, count, time = Schedule(name, 30), 40_000, 17
    random = torch.Generator().manual_seed(0)
    value = torch.full((count, 1), 0.7)
    stepped = value.double()
    for beta in schedule.beta[: time + 1]:
        noise = torch.randn((count, 1), generator=random, dtype=torch.float64)
        stepped = math.sqrt(1 - beta) * stepped + math.sqrt(beta) * noise
    direct = schedule.noised(value, near(time, count), torch.randn(value.shape, generator=random))
    assert direct.mean().item() == pytest.approx(stepped.mean().item(), abs=0.02)
    assert direct.std().item() == pytest.approx(stepped.std().item(), abs=0.02)


def test_the_linear_schedule_is_that_of_ho_2020_and_as_strong_in_fewer_steps():
    thousand, fewer = Schedule("linear", 1000), Schedule("linear", 300)
    np.testing.assert_allclose(thousand.beta, np.linspace(1e-4, 0.02, 1000))
    assert fewer.beta.sum() == pytest.approx(thousand.beta.sum())
    assert fewer.kept[-1] < 1e-4 > thousand.kept[-1]


def test_the_cosine_schedule_is_that_of_nichol_and_dhariwal_2021():
    steps = 300
    schedule = Schedule("cosine", steps)
    place = (np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2
    kept = np.cos(place) ** 2 / np.cos(place[0]) ** 2
    assert np.abs(schedule.kept - kept[1:])[:-1].max() < 1e-12
    assert schedule.beta[-1] == 0.999  # without the bound all would be noise


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("time", [1, 7, 29])
def test_the_step_back_is_the_product_of_two_gaussians(name, time):
    schedule = Schedule(name, 30)
    image, noised = 0.3, -0.8
    # x before, given x0, is N(sqrt(kept) x0, 1 - kept); x now, given x before, is
    # N(sqrt(1 - beta) x before, beta). Bayes: precisions add.
    beta, kept = schedule.beta[time], schedule.kept[time - 1]
    precision = 1 / (1 - kept) + (1 - beta) / beta
    mean = (math.sqrt(kept) * image / (1 - kept) + math.sqrt(1 - beta) * noised / beta) / precision
    of_image, of_noised, variance = schedule.posterior(time)
    assert of_image * image + of_noised * noised == pytest.approx(mean, rel=1e-9)
    assert variance == pytest.approx(1 / precision, rel=1e-9)


def test_the_last_step_back_is_the_image():
    assert Schedule("linear", 30).posterior(0) == pytest.approx((1, 0, 0))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_right_prediction_gives_the_image_and_the_noise_back(name, prediction):
    schedule = Schedule(name, 30, prediction)
    random = torch.Generator().manual_seed(1)
    images, noise = torch.randn((2, 28, 2, 3, 4), generator=random, dtype=torch.float64)
    times = torch.arange(28)
    noised = schedule.noised(images, times, noise)
    found = schedule.image(noised, times, schedule.target(images, times, noise))
    torch.testing.assert_close(found, images)
    torch.testing.assert_close(schedule.noise(noised, times, found), noise)


def test_v_is_what_salimans_and_ho_2022_define():
    schedule = Schedule("cosine", 30, "v")
    kept = schedule.kept[11]
    v = schedule.target(torch.tensor([[0.3]]), near(11), torch.tensor([[-0.8]]))
    assert v.item() == pytest.approx(math.sqrt(kept) * -0.8 - math.sqrt(1 - kept) * 0.3, rel=1e-5)
