"""Masks and images of muscles that are known exactly."""

import numpy as np


def grid(shape, pixel_shape=1.0):
    """Return the places of pixels, along depth and along width, in pixels of depth."""
    rows, columns = np.indices(shape, float)
    return rows, columns * pixel_shape


def band(shape, distance, height=4.0):
    """Return a drawn line: True within half its height of where a distance is zero."""
    return (np.abs(distance) <= height / 2).reshape(shape)


def straight(shape, *, depth, degrees, height=4.0, pixel_shape=1.0, between=(0.0, 1.0)):
    """Return a straight line that has `depth` in the image's middle and falls by `degrees`."""
    rows, columns = grid(shape, pixel_shape)
    middle = (shape[1] - 1) / 2 * pixel_shape
    angle = np.radians(degrees)
    distance = (rows - depth) * np.cos(angle) - (columns - middle) * np.sin(angle)
    share = np.arange(shape[1]) / (shape[1] - 1)
    return band(shape, distance, height) & (share >= between[0]) & (share <= between[1])


def parallel(shape, *, thickness, degrees=0.0, pixel_shape=1.0, middle=None, height=4.0):
    """Return two parallel lines, a thickness apart, about the image's middle or another depth."""
    middle = (shape[0] - 1) / 2 if middle is None else middle
    apart = thickness / np.cos(np.radians(degrees)) / 2
    options = {"degrees": degrees, "pixel_shape": pixel_shape, "height": height}
    upper = straight(shape, depth=middle - apart, **options)
    return upper | straight(shape, depth=middle + apart, **options)


def arcs(shape, *, radii, centre, height=4.0):
    """Return concentric arcs about a point above or below the image."""
    rows, columns = grid(shape)
    distance = np.hypot(rows - centre[0], columns - centre[1])
    return band(shape, distance - radii[0], height) | band(shape, distance - radii[1], height)
