"""A recording that is fully described, and its data in one order of axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import File, LazyArray
from .recording_kinds import ORDER, PART


@dataclass(frozen=True, kw_only=True)
class DescribedRecording:
    """A recording whose description is complete.

    Parameters
    ----------
    kind : {"rf", "iq", "velocity"}
    variable, real, imaginary : str
        Names of the data: one variable, or the two parts of IQ data.
    axes : tuple of str or None
        Of each axis of the data in the file its name; None for one of length 1 without a name.
    lengths : mapping of str to int
        Length of every axis of :data:`ORDER`; 1 for those that the data lack. Of :data:`PART` too,
        where the data have it.
    dtype : numpy.dtype
        Type of :meth:`array`.
    frame_rate : float
        Hz.
    centre_frequency, sampling_frequency, demodulation_frequency : float or None
        Hz. None where the kind has none; demodulation of ``rf`` too, unless it is complex.
    sound_speed : float
        m/s.
    pitch, element_width : float or None
        mm.
    first_samples : tuple of float
        s, one a transmit; empty unless `kind` is ``rf``.
    angles : tuple of float
        Of the plane waves, degrees, one a transmit; empty unless `kind` is ``rf``.
    bandwidth : float or None
        Fraction of the centre frequency.
    f_number : float or None
    depth_step, width_step, depth_start, width_start : float or None
        Pixels and the centre of the first one, mm; None for ``rf``.
    velocity_scale : float
        What a value of 1 in the file is in mm/s, towards the transducer.
    sign : {1, -1}
        1 if velocity towards the transducer is positive in the file.
    saturation : (float, float) or None
        Least and greatest value that the receiver can give; None if they are not known.
    turned : tuple of str
        Axes that fall in the file, and rise in :meth:`array`.
    remarks : tuple of str
        What in the file does not fit together, and what was made of it, in a line each.
    """

    kind: str
    variable: str
    real: str
    imaginary: str
    axes: tuple[str | None, ...]
    lengths: Mapping[str, int]
    dtype: np.dtype[Any]
    frame_rate: float
    centre_frequency: float | None
    sampling_frequency: float | None
    demodulation_frequency: float | None
    sound_speed: float
    pitch: float | None
    element_width: float | None
    first_samples: tuple[float, ...]
    angles: tuple[float, ...]
    bandwidth: float | None
    f_number: float | None
    depth_step: float | None
    width_step: float | None
    depth_start: float | None
    width_start: float | None
    velocity_scale: float
    sign: int
    saturation: tuple[float, float] | None
    turned: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of :meth:`array`."""
        return tuple(self.lengths[name] for name in ORDER[self.kind])

    def array(self, file: File) -> LazyArray:
        """Return the data with their axes in the order of :data:`ORDER`, read piece by piece.

        Parameters
        ----------
        file : File
            The file that the description was resolved with.

        Returns
        -------
        LazyArray of shape (sequence, time, transmit, channel, sample) or (sequence, time, depth, \
width)
            Values as the file has them, in its unit and with its sign, with axes that rise; complex
            for IQ data in two parts, be they variables or along an axis.
        """
        order = ORDER[self.kind]
        names = [name for name in (self.variable, self.real, self.imaginary) if name]
        parts = [file.array(name) for name in names]
        # The axes that are there, in the file's order, and where each goes.
        kept = [str(name) for name in self.axes if name]
        whole = [name for name in kept if name != PART]
        turn = [whole.index(name) for name in order if name in whole]

        def read_piece(slices: tuple[slice, ...]) -> NDArray[Any]:
            wanted = {**dict(zip(order, slices, strict=True)), PART: slice(None)}
            for name in self.turned:
                n, there = self.lengths[name], wanted[name]
                wanted[name] = slice(n - there.stop, n - there.start)
            inner = tuple(slice(None) if name is None else wanted[name] for name in self.axes)
            # What MATLAB leaves out: last axes of length 1.
            pieces = [part.read(inner[: len(part.shape)]) for part in parts]
            piece = pieces[0]
            if len(pieces) == 2:
                piece = np.empty(pieces[0].shape, self.dtype)
                piece.real, piece.imag = pieces
            piece = piece.reshape([*piece.shape, *[1] * (len(self.axes) - piece.ndim)])
            bare = tuple(i for i, name in enumerate(self.axes) if name is None)
            piece = piece.squeeze(axis=bare)
            if PART in kept:
                real, imaginary = np.moveaxis(piece, kept.index(PART), 0)
                piece = np.empty(real.shape, self.dtype)
                piece.real, piece.imag = real, imaginary
            piece = piece.transpose(turn)
            piece = piece.reshape([s.stop - s.start for s in slices])
            if not self.turned:
                return piece
            return np.flip(piece, tuple(order.index(name) for name in self.turned)).copy()

        return LazyArray(self.shape, self.dtype, read_piece)
