import dataclasses
import math

import numpy as np
import pytest
from numba import njit

from musim.simulator import Parameters, draw, render
from musim.simulator.noise import FRAMES_PER_GROUP, NOISES, standard_normal, white
from musim.simulator.noise_kernels import normal_pair, threefry_words, write_noise_to_four_frames
from musim.simulator.rendering import render_arrays
from musim.simulator.seeds import noise_key

MASK = 2**32 - 1
LARGEST = 6.77

# Random123 1.14, tests/kat_vectors, threefry4x32 with 13 rounds: counter, key, result.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000 00000000 00000000",
        "531c7e4f 39491ee5 2c855a92 3d6abf9a",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff ffffffff ffffffff",
        "c4189358 1c9cc83a d5881c67 6a0a89e0",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0 082efa98 ec4e6c89",
        "4aa71d8f 734738c2 431fc6a8 ae6debf1",
    ),
]


def _words(text):
    return [int(word, 16) for word in text.split()]


def _threefry_slowly(counter, key, rounds=13):
    """Return the four words of Threefry-4x32 (Salmon et al. 2011), in plain integers."""
    rotations = [(10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20)]
    schedule = [*key, 0x1BD11BDA ^ key[0] ^ key[1] ^ key[2] ^ key[3]]
    x = [(c + k) & MASK for c, k in zip(counter, key, strict=True)]
    for i in range(rounds):
        partners = (1, 3) if i % 2 == 0 else (3, 1)
        for first, second, bits in zip((0, 2), partners, rotations[i % 8], strict=True):
            x[first] = (x[first] + x[second]) & MASK
            rotated = (x[second] << bits | x[second] >> (32 - bits)) & MASK
            x[second] = rotated ^ x[first]
        if i % 4 == 3:
            turn = i // 4 + 1
            x = [(word + schedule[(turn + j) % 5]) & MASK for j, word in enumerate(x)]
            x[3] = (x[3] + turn) & MASK
    return x


@njit
def _normal_pairs(radius_words, angle_words, out):
    for i in range(radius_words.size):
        first, second = normal_pair(radius_words[i], angle_words[i])
        out[i, 0] = first
        out[i, 1] = second


def _pairs(radius_words, angle_words):
    out = np.empty((len(radius_words), 2), np.float32)
    _normal_pairs(radius_words.astype(np.uint32), angle_words.astype(np.uint32), out)
    return out


def _pairs_exactly(uniform, angle_words):
    """Return Box and Muller's pairs in float64.

    The angle's two upper bits are quarter turns; the other thirty, signed, the place about them.
    """
    radius = np.sqrt(-2 * np.log(uniform))
    quarter, place = angle_words >> 30, (angle_words & (2**30 - 1)).astype(np.int64)
    place = np.where(place >= 2**29, place - 2**30, place)
    angle = quarter * (math.pi / 2) + place * (2 * math.pi / 2**32)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _noise_slowly(key, shape, start=0):
    """Return noise voxel by voxel from plain integers and float64."""
    depth, width = shape[1:]
    noise = np.empty(shape)
    for frame in range(shape[0]):
        group, place = divmod(start + frame, 4)
        for pixel in range(depth * width):
            words = np.array(_threefry_slowly([pixel, group, 0, 0], [int(k) for k in key]))
            half = words[2 * (place // 2) : 2 * (place // 2) + 2]
            pair = _pairs_exactly((half[:1] + 0.5) / 2**32, half[1:])
            noise[frame, pixel // width, pixel % width] = pair[0, place % 2]
    return noise


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_the_slow_threefry_gives_the_published_words(counter, key, result):
    assert _threefry_slowly(_words(counter), _words(key)) == _words(result)


def test_the_kernel_gives_the_published_words():
    words = np.empty((1, 4), np.uint32)
    threefry_words(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.zeros(4, np.uint32), words)
    assert words[0].tolist() == _words(KNOWN_ANSWERS[0][2])


def test_the_kernel_gives_the_words_of_the_slow_threefry():
    random = np.random.default_rng(0)
    for _ in range(20):
        key = random.integers(0, 2**32, 4, np.uint32)
        counters = random.integers(0, 2**32, (2, 50), np.uint32)
        counters[:, :4] = [[0, MASK, 0, MASK], [0, 0, MASK, MASK]]
        words = np.empty((50, 4), np.uint32)
        threefry_words(*counters, key, words)
        expected = [
            _threefry_slowly([int(a), int(b), 0, 0], [int(k) for k in key]) for a, b in counters.T
        ]
        assert words.tolist() == expected


def test_normal_pairs_are_box_and_mullers():
    random = np.random.default_rng(0)
    radius_words = random.integers(0, 2**32, 300_000)
    radius_words[:64] = 2 ** (np.arange(64) % 32) - (np.arange(64) < 32)
    angle_words = random.integers(0, 2**32, radius_words.size)
    # Seen as the kernel sees it: the word has 24 bits as a float32.
    uniform = (radius_words.astype(np.float32) + np.float32(0.5)).astype(float) / 2**32
    exact = _pairs_exactly(uniform, angle_words)
    assert np.abs(_pairs(radius_words, angle_words) - exact).max() < 2e-6


def test_normal_pairs_are_those_of_the_whole_word_but_for_its_last_bits():
    random = np.random.default_rng(1)
    radius_words, angle_words = random.integers(0, 2**32, (2, 300_000))
    uniform = (radius_words + 0.5) / 2**32
    exact = _pairs_exactly(uniform, angle_words)
    # A uniform close to 1 is rounded by up to 2**-25, and the radius is steep there.
    radius = np.sqrt(-2 * np.log(uniform))
    error = np.abs(_pairs(radius_words, angle_words) - exact).max(axis=1)
    assert (error < 2e-6 + 2.0**-25 / radius).all()


def test_the_extreme_words_give_finite_values():
    extremes = np.array([0, 1, 2**31 - 1, 2**31, MASK - 1, MASK])
    radius_words, angle_words = (a.ravel() for a in np.meshgrid(extremes, extremes))
    pairs = _pairs(radius_words, angle_words)
    assert np.isfinite(pairs).all()
    assert np.abs(pairs).max() <= LARGEST
    assert np.hypot(*pairs[radius_words == 0].T).min() > 6.76
    assert np.hypot(*pairs[radius_words == MASK].T).max() < 3e-4


def test_the_angle_goes_once_around():
    angle_words = np.linspace(0, MASK, 4097).astype(np.int64)
    first, second = _pairs(np.full(4097, 2**20), angle_words).astype(float).T
    turns = np.unwrap(np.arctan2(second, first)) / (2 * math.pi)
    np.testing.assert_allclose(np.hypot(first, second), np.hypot(first[0], second[0]), rtol=1e-6)
    # Quarters are joined in two halves each; all in all every direction comes once.
    counts = np.histogram(turns % 1, bins=16, range=(0, 1))[0]
    assert np.abs(counts - 256).max() <= 2


def test_the_noise_of_a_voxel_is_a_function_of_key_frame_and_pixel():
    key = noise_key(1, 2)
    expected = _noise_slowly(key, (5, 3, 4), start=6)
    np.testing.assert_allclose(standard_normal(key, (5, 3, 4), start=6), expected, atol=1e-5)


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("frames", [1, 3, 4, 6])
def test_some_frames_of_noise_are_those_of_the_whole(start, frames):
    key = noise_key(0, 0)
    whole = standard_normal(key, (16, 5, 7))
    window = standard_normal(key, (frames, 5, 7), start)
    np.testing.assert_array_equal(window, whole[start : start + frames])
    assert window.dtype == np.float32


def test_no_frames_of_noise_can_be_asked_for():
    assert standard_normal(noise_key(0, 0), (0, 5, 7), 3).shape == (0, 5, 7)


def test_noise_is_scaled_by_its_standard_deviation():
    key = noise_key(0, 0)
    frames = np.full((FRAMES_PER_GROUP, 35), np.nan, np.float32)
    write_noise_to_four_frames(*frames, np.uint32(0), np.uint32(0), key, np.float32(0.3))
    noise = standard_normal(key, (4, 5, 7)).reshape(4, 35)
    np.testing.assert_array_equal(frames, np.float32(0.3) * noise)


def test_noise_of_later_pixels_is_that_of_their_place_in_the_grid():
    key = noise_key(0, 0)
    whole = standard_normal(key, (4, 1, 35)).reshape(4, 35)
    part = np.zeros((4, 10), np.float32)
    write_noise_to_four_frames(*part, np.uint32(20), np.uint32(0), key, np.float32(1))
    np.testing.assert_array_equal(part, whole[:, 20:30])


@pytest.mark.parametrize(
    "key", [np.zeros(4, np.int64), np.zeros(3, np.uint32), np.zeros((1, 4), np.uint32)]
)
def test_a_key_of_another_kind_is_refused(key, refused):
    with refused("noise key: found ", ", wanted uint32 of shape"):
        standard_normal(key, (4, 3, 3))


def test_noise_before_the_sequence_is_refused(refused):
    with refused("first frame: found -1, wanted 0 or more"):
        standard_normal(noise_key(0, 0), (4, 3, 3), -1)


def lines(key, shape, window):
    """One number for each row of a frame."""
    time, depth, width = window
    row = white(key, (*shape[:2], 1), (time, depth, slice(0, 1)))
    return row.repeat(width.stop - width.start, axis=2)


def test_white_noise_is_what_the_kernel_adds():
    key, nobody, still = noise_key(0, 0), np.zeros((0, 5, 7), np.float32), np.zeros((0, 11), "f4")
    wanted = np.float32(0.3) * white(key, (11, 5, 7), (slice(2, 9), slice(1, 4), slice(3, 7)))
    window = {"time": slice(2, 9), "depth": slice(1, 4), "width": slice(3, None)}
    found = render_arrays(nobody, still, key, 0.3, **window)
    assert found.tobytes() == wanted.tobytes()


def test_a_model_of_noise_of_one_s_own_is_a_function_and_a_line(monkeypatch, refused):
    with refused("noise: found 'lines', wanted one of white"):
        Parameters(noise="lines")
    monkeypatch.setitem(NOISES, "lines", lines)
    parameters = Parameters(noise="lines", snr=3, units=4, pixels=(16, 12), frames=50)
    assert Parameters.from_json(parameters.to_json()) == parameters
    truth, other = draw(parameters), draw(dataclasses.replace(parameters, noise="white"))
    assert truth.noise_sd == other.noise_sd
    np.testing.assert_array_equal(truth.firing, other.firing)
    quiet, noisy = render(truth, noise=False), render(truth)
    noise = noisy - quiet
    np.testing.assert_allclose(noise - noise[..., :1], 0, atol=1e-6)
    np.testing.assert_allclose(noise.std(), truth.noise_sd, rtol=0.1)
    window = {"time": slice(3, 30), "depth": slice(2, 9), "width": slice(4, None)}
    np.testing.assert_array_equal(render(truth, **window), noisy[3:30, 2:9, 4:])
    # Without noise there is none of any model.
    silent = draw(dataclasses.replace(parameters, snr="inf"))
    np.testing.assert_array_equal(render(silent), quiet)


def test_older_parameters_have_white_noise():
    values = Parameters().to_json()
    assert values.pop("noise") == "white"
    assert Parameters.from_json(values) == Parameters()
