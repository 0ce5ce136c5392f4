"""What a user would write instead: the best plain NumPy for the same truth."""

import numpy as np
from numpy.typing import NDArray

from musim.simulator import Truth


def render_with_numpy(
    truth: Truth,
    generator: np.random.Generator,
    noise: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Superpose by one float32 matrix product, and add float32 normals drawn in place.

    Parameters
    ----------
    truth : Truth
    generator : numpy.random.Generator
        SFC64 is NumPy's fastest bit generator.
    noise, out : float32 arrays of shape (time, depth, width)
        A buffer, and the result.
    """
    frames = truth.twitch_train.shape[1]
    territory = truth.territory.reshape(truth.unit_count, -1)
    np.matmul(truth.twitch_train.T, territory, out=out.reshape(frames, -1))
    generator.standard_normal(dtype=np.float32, out=noise)
    noise *= np.float32(truth.noise_sd)
    out += noise
