"""FastICA is scikit-learn's."""

import numpy as np
import pytest

from musim.training.identification.methods.fast_ica import fast_ica, fast_ica_of_many


def _white(samples, count, dtype):
    random = np.random.default_rng(samples)
    mixed = random.laplace(size=(samples, count)) @ random.standard_normal((count, count))
    power, turn = np.linalg.eigh(mixed.T @ mixed / samples)
    return (mixed @ turn / np.sqrt(power)).astype(dtype)


@pytest.mark.parametrize("count", [2, 6])
@pytest.mark.parametrize(
    ("contrast", "dtype", "within"), [("logcosh", np.float32, 1e-4), ("cube", np.float64, 1e-10)]
)
def test_the_rotation_is_scikit_learns(count, contrast, dtype, within):
    from sklearn.decomposition import FastICA

    white = _white(2000, count, dtype)
    theirs = FastICA(fun=contrast, whiten=False, max_iter=100, tol=1e-3, random_state=0).fit(white)
    ours = fast_ica(white, contrast)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, theirs.components_, atol=within)


@pytest.mark.parametrize("contrast", ["logcosh", "cube"])
def test_what_does_not_settle_gives_a_rotation_too(contrast):
    # Fewer samples than it takes to tell Laplace's distribution from another.
    rotation = fast_ica(_white(12, 10, np.float64), contrast)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(10), atol=1e-9)


@pytest.mark.parametrize("contrast", ["logcosh", "cube", "square"])
def test_sets_together_come_out_as_one_by_one(contrast):
    # Sources that differ, so that sets settle after different numbers of iterations.
    random = np.random.default_rng(3)
    sources = [random.laplace(size=(300, 4)), random.uniform(size=(300, 4)),
               random.exponential(size=(300, 4))]  # fmt: skip
    sets = []
    for each in sources:
        power, turn = np.linalg.eigh(each.T @ each / 300)
        sets.append(each @ turn / np.sqrt(power))
    together = fast_ica_of_many(np.stack(sets), contrast, 20)
    alone = [fast_ica(each, contrast, 20) for each in sets]
    np.testing.assert_allclose(together, alone, atol=1e-12)
    assert np.abs(together[0] - together[1]).max() > 0.1
