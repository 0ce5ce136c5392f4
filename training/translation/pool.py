"""The pool of earlier translations that discriminators are shown among the latest ones."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ...simulator.errors import InputError
from ...simulator.seeds import check_integer, check_seed


class ImagePool:
    """Up to 50 translated clips, of which about half of those shown to a discriminator are taken.

    A discriminator that sees earlier translations too does not forget what it has learned of them
    (Shrivastava et al. 2017, doi:10.1109/CVPR.2017.241; a pool of 50 as in Zhu et al. 2017,
    doi:10.1109/ICCV.2017.244). Until the pool is full every clip is kept and shown; after that,
    with a chance of one half, a clip takes the place of a random stored one, which is shown.

    What is drawn depends on the seed, the place and the step, and on nothing else, so a pool whose
    clips are restored goes on exactly.

    Parameters
    ----------
    seed : int
        The run's seed, 0 to 2**63 - 1.
    place : int
        Which of the run's pools this is, 0 or more: each domain has its own, on each device.
    size : int
        Most clips that are kept; with 0, every clip is shown as it comes.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    def __init__(self, seed: int, place: int, size: int = 50) -> None:
        self.seed = check_seed(seed)
        self.place = check_integer("place of a pool", place, 0, 2**32 - 1)
        self.size = check_integer("size of a pool", size, 0, 2**20)
        self._clips: list[Tensor] = []

    def __len__(self) -> int:
        """Return the number of clips that are kept."""
        return len(self._clips)

    @torch.no_grad()
    def query(self, clips: Tensor, step: int) -> Tensor:
        """Return as many clips to show, some of them earlier ones, and keep some of the new.

        Parameters
        ----------
        clips : tensor of shape (B, ...)
            The latest translations. All that go through one pool have one size.
        step : int
            The step of the run, 0 or more: one query has one step.

        Returns
        -------
        tensor of the shape, type and device of `clips`
            A new tensor, without gradient.

        Raises
        ------
        InputError
            If the clips are of another size than those that are kept.
        """
        shown = clips.detach().clone()  # (B, ...)
        if self.size == 0:
            return shown
        if self._clips and self._clips[0].shape != shown.shape[1:]:
            raise InputError(
                f"pool: found a clip of {tuple(shown.shape[1:])} after one of "
                f"{tuple(self._clips[0].shape)}, wanted one size"
            )
        sequence = np.random.SeedSequence(self.seed, spawn_key=(self.place, step))
        random = np.random.Generator(np.random.PCG64(sequence))
        # Drawn for every clip, used or not: what a clip meets does not depend on those before it.
        swapped = random.random(len(shown)) < 0.5
        chosen = random.integers(self.size, size=len(shown))
        for i, clip in enumerate(clips.detach()):
            if len(self._clips) < self.size:
                self._clips.append(clip.clone())
            elif swapped[i]:
                stored = self._clips[chosen[i]]
                shown[i] = stored
                self._clips[chosen[i]] = clip.clone()
        return shown

    def state_dict(self) -> dict[str, Tensor]:
        """Return the clips that are kept, as one tensor (clips, ...), empty if there are none."""
        clips = torch.stack(self._clips) if self._clips else torch.empty(0)
        return {"clips": clips}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Keep the clips of a state instead of one's own.

        Raises
        ------
        InputError
            If the state is not one of a pool, or has more clips than this pool keeps.
        """
        clips = state.get("clips")
        if not isinstance(clips, Tensor) or len(state) != 1:
            raise InputError("pool: found a state without its clips, wanted that of a pool")
        if len(clips) > self.size:
            raise InputError(
                f"pool: found a state of {len(clips)} clips, wanted at most {self.size}; "
                "resume with the size that the run began with"
            )
        self._clips = [clip.clone() for clip in clips]
