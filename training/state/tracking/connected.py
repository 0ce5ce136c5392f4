"""Two hidden layers over the motion of places; Cunningham et al. 2017, section III.E."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..convolutional import begin


class ConnectedNetwork(nn.Module):
    """Fully connected layers, rectified but for the output, which is linear.

    Weights are drawn from normal distributions of variance 1 / fan-in, biases are 0.

    Parameters
    ----------
    inputs : int
    neurons : sequence of int
        Of each hidden layer; 256, 512 or 1024 in both of models A, B and C.
    outputs : int
    dropout_layers : int
        Topmost layers of weights, the output's among them, whose inputs are dropped at random.
    dropout : float
        Share of inputs that are dropped.
    """

    def __init__(
        self, inputs: int, neurons: Sequence[int], outputs: int, dropout_layers: int = 0,
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = [inputs, *neurons, outputs]
        self.layers = nn.ModuleList(
            nn.Linear(before, after) for before, after in itertools.pairwise(sizes)
        )
        self.first_dropped = len(self.layers) - dropout_layers
        self.dropout = nn.Dropout(dropout)
        begin(self)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the outputs.

        Parameters
        ----------
        rows : float Tensor of shape (example, ..., )
            Standardised, `inputs` values an example.

        Returns
        -------
        float Tensor of shape (example, output)
        """
        values = rows.flatten(1)
        for number, layer in enumerate(self.layers):
            values = layer(self.dropout(values) if number >= self.first_dropped else values)
            if number + 1 < len(self.layers):
                values = torch.relu(values)
        return values
