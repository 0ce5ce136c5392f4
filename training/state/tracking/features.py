"""Corners of an image, and where they are in the next one; Cunningham et al. 2017, section III.D.

Corners are where the smaller eigenvalue of the matrix of gradients is largest (Shi and Tomasi 1994,
doi:10.1109/CVPR.1994.323794); they are followed by the method of Lucas and Kanade in pyramids
(Bouguet 2001).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .libraries import opencv

QUALITY = 1e-3
"""Least eigenvalue of a corner, as a share of the image's largest: no more than keeps corners out
of black."""

TURNS, CLOSE = 30, 3e-3
"""A corner is sought in so many turns, or until it moves by no more than so much, px."""


@dataclass(frozen=True)
class Tracker:
    """How corners are found and followed.

    Parameters
    ----------
    count : int
        Corners of an image, at the most.
    window : int
        Side of what is compared around a corner, and of what gradients are summed over, px; odd.
    apart : float
        Between corners, at least, px. With 3 px an image of 120 x 496 px just has the 1,000 that
        the paper found to be the most that there are.
    levels : int
        Of the pyramid, each of half the resolution, beside the image itself.
    """

    count: int = 1000
    window: int = 15
    apart: float = 3.0
    levels: int = 3

    def corners(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return places of an image's corners, the strongest first.

        Parameters
        ----------
        image : uint8 array of shape (depth, width)

        Returns
        -------
        float32 array of shape (corner, 2)
            Depth and width, px, from the middle of the first pixel; none in an even image.

        Raises
        ------
        InputError
            If OpenCV is not installed.
        """
        found = opencv().goodFeaturesToTrack(
            np.ascontiguousarray(image), self.count, QUALITY, self.apart, blockSize=self.window
        )
        if found is None:
            return np.empty((0, 2), np.float32)
        return found.reshape(-1, 2)[:, ::-1].copy()

    def follow(
        self,
        image: NDArray[np.uint8],
        following: NDArray[np.uint8],
        corners: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return how far corners have moved from one image to the next.

        Parameters
        ----------
        image, following : uint8 array of shape (depth, width)
        corners : float32 array of shape (corner, 2)
            Of the first, as :meth:`corners` gives them.

        Returns
        -------
        displacements : float32 array of shape (corner, 2)
            Down and to the right, px.
        found : bool array of shape (corner,)
            Whether it was found again, within the image; displacements of others mean nothing.

        Raises
        ------
        InputError
            If OpenCV is not installed.
        """
        cv2 = opencv()
        if not len(corners):
            return np.empty((0, 2), np.float32), np.empty(0, bool)
        begin = np.ascontiguousarray(corners[:, ::-1])
        criteria = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, TURNS, CLOSE
        # Stubs do not say that the guess of where to begin may be left out.
        end, status, _ = cv2.calcOpticalFlowPyrLK(
            np.ascontiguousarray(image), np.ascontiguousarray(following), begin, None,  # type: ignore[arg-type]
            winSize=(self.window, self.window), maxLevel=self.levels, criteria=criteria,
        )  # fmt: skip
        last = np.array(image.shape[::-1]) - 1
        found = (status.ravel() != 0) & np.all((end >= 0) & (end <= last), axis=1)
        return (end - begin)[:, ::-1], found
