import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musim.simulator.seeds import NOISE_KEY_WORDS, Stream, check_seed, generator, noise_key


def test_streams_keep_their_numbers():
    # A store made years ago must be made again from its seed: never renumber, only add.
    assert {stream.name: int(stream) for stream in Stream} == {
        "UNIT_COUNT": 0,
        "TERRITORY": 1,
        "FIRING": 2,
        "SYNCHRONY": 3,
        "TWITCH": 4,
        "SNR": 5,
        "NOISE": 6,
        "DOUBLET": 7,
        "FIBRES": 8,
        "ANATOMY": 9,
        "DOSES": 10,
        "FASCICLES": 11,
        "SCATTERERS": 12,
        "THERMAL": 13,
        "BODY": 14,
        "FASCICLE_GAINS": 15,
        "STRENGTH": 16,
        "VARIATION": 17,
        "MUSCLE": 18,
        "CLUTTER": 19,
        "CONTACT": 20,
        "SECTION": 21,
        "TEXTURE": 22,
        "PROBE": 23,
        "DISPLAY": 24,
        "PARTICIPANT": 25,
        "TRACKING": 26,
        "ELECTROMYOGRAPHY": 27,
        "SENSORS": 28,
        "PROBE_MOTION": 29,
        "HAND": 30,
        "HAND_SIDE": 31,
        "SCAN": 32,
        "RESONANCE": 33,
    }


def test_a_generator_depends_on_its_three_numbers_alone():
    first = generator(3, 4, Stream.FIRING).random(5)
    generator(9, 9, Stream.TWITCH).random(1000)
    np.testing.assert_array_equal(generator(3, 4, Stream.FIRING).random(5), first)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
@example(0, 0)
@example(2**32 - 1, 2**32 - 1)
@example(2**32, 2**32)
def test_generators_are_those_of_numpys_seed_sequences(seed, index):
    for stream in Stream:
        sequence = np.random.SeedSequence(seed, spawn_key=(index, int(stream)))
        wanted = np.random.PCG64(sequence).state
        assert generator(seed, index, stream).bit_generator.state == wanted
        words = sequence.generate_state(NOISE_KEY_WORDS, np.uint32)
        np.testing.assert_array_equal(noise_key(seed, index, stream), words)


def test_a_generator_can_go_to_another_process():
    sent = generator(3, 4, Stream.FIRING)
    sent.random(3)
    received = pickle.loads(pickle.dumps(sent))
    np.testing.assert_array_equal(received.random(5), sent.random(5))


def test_no_two_generators_are_alike():
    words = {
        generator(seed, index, stream).bytes(16)
        for seed in (0, 1, 2**32, 2**63 - 1)
        for index in (0, 1, 2, 2**32, 2**40)
        for stream in Stream
    }
    assert len(words) == 4 * 5 * len(Stream)


def test_noise_keys_are_what_numpy_promises_for_ever():
    expected = np.random.SeedSequence(7, spawn_key=(3, 6)).generate_state(4, np.uint32)
    key = noise_key(7, 3)
    assert key.dtype == np.uint32
    assert key.shape == (NOISE_KEY_WORDS,)
    np.testing.assert_array_equal(key, expected)
    assert key.tolist() == [972679763, 91204760, 563830781, 3497218130]


def test_no_two_noise_keys_are_alike():
    keys = {noise_key(seed, index).tobytes() for seed in range(30) for index in range(30)}
    assert len(keys) == 900


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1, np.int64(5)])
def test_seeds_that_fit_are_taken(seed):
    assert check_seed(seed) == seed


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "5", None, float("nan")])
def test_seeds_that_do_not_fit_are_refused(seed, refused):
    with refused("seed: found ", ", wanted ", " from 0 to "):
        check_seed(seed)
