"""How far estimated trains are from true ones, weak units counting as much as strong ones."""

from torch import Tensor


def scaled_squared_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the mean squared error after every true train was scaled to amplitude 1.

    The predicted train is scaled by the same factor (Ali et al. 2020, section III.C.3,
    doi:10.1109/ACCESS.2020.3023495). The amplitude is the greatest absolute value; a true train
    that is 0 throughout stays as it is.

    Parameters
    ----------
    predicted, true : tensors of shape (batch, time)
        In the same unit, whatever it is.

    Returns
    -------
    float32 tensor of shape ()
        Mean over time and batch.
    """
    true = true.float()
    amplitude = true.abs().amax(dim=1, keepdim=True)
    amplitude = amplitude.where(amplitude > 0, 1)
    # Each is divided, not their difference: large ones do not overflow when they are squared.
    return (predicted.float() / amplitude - true / amplitude).square().mean()
