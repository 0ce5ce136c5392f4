"""Loops of :mod:`.noise`: quartiles of what neighbouring pixels differ by."""

import numpy as np

from ...simulator.acceleration import bits_of_float32, float32_of_bits, kernel

DIGITS = ((21, 10), (10, 11), (0, 10))
"""First bit and number of bits of the digits by which positive numbers are sorted, from the highest
on: the bits of such numbers rise with them."""


@kernel
def differences(image, bits):
    """Write the bits of the sizes of all differences of neighbours of an image (depth, width)."""
    depth, width = image.shape
    count = 0
    for row in range(depth - 1):
        for column in range(width):
            bits[count] = bits_of_float32(abs(image[row + 1, column] - image[row, column]))
            count += 1
    for row in range(depth):
        for column in range(width - 1):
            bits[count] = bits_of_float32(abs(image[row, column + 1] - image[row, column]))
            count += 1


@kernel
def first_quartiles(images, quartiles):
    """Find the first quartile of the sizes of differences of neighbours in each image.

    Digit by digit, none is sorted: a tenth of the time of numpy.partition, in the memory of one
    image.

    Parameters
    ----------
    images : float32 array of shape (image, depth, width)
        Finite; of two pixels or more.
    quartiles : float32 array of shape (image,), changed in place
    """
    number, depth, width = images.shape
    pairs = (depth - 1) * width + depth * (width - 1)
    bits = np.empty(pairs, np.int32)
    for image in range(number):
        differences(images[image], bits)
        value, before, count = 0, pairs // 4, pairs
        for shift, length in DIGITS:
            mask = (1 << length) - 1
            counts = np.zeros(mask + 1, np.int64)
            for pair in range(count):
                counts[(bits[pair] >> shift) & mask] += 1
            digit = 0
            while before >= counts[digit]:
                before -= counts[digit]
                digit += 1
            value |= digit << shift
            kept = 0
            for pair in range(count):
                if (bits[pair] >> shift) & mask == digit:
                    bits[kept] = bits[pair]
                    kept += 1
            count = kept
        quartiles[image] = float32_of_bits(np.int32(value))
