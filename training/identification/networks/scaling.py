"""Sequences of one scale, whatever their motion's."""

import torch
from torch import Tensor


def standardise(tvi: Tensor) -> tuple[Tensor, Tensor]:
    """Give every sequence mean 0 and SD 1.

    Parameters
    ----------
    tvi : float tensor of shape (batch, time, depth, width)

    Returns
    -------
    tvi : float32 tensor of shape (batch, time, depth, width)
    sd : float32 tensor of shape (batch,)
        What was divided by; 1 for sequences that never change.
    """
    values = tvi.float().flatten(1)
    values = values - values.mean(dim=1, keepdim=True)
    # Four times as fast as torch.std over the axes of a sequence.
    sd = torch.linalg.vector_norm(values, dim=1) / values.shape[1] ** 0.5
    sd = torch.where(sd > 0, sd, 1.0)
    return (values / sd[:, None]).reshape(tvi.shape), sd
