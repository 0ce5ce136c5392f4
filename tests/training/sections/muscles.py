"""Masks and images of muscles that are known exactly."""

import numpy as np
import scipy


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


def stripes(shape, degrees, *, noise=0.0, pixel_shape=1.0, period=9.0, seed=0):
    """Return an image of bright stripes that fall by `degrees`, of uneven brightness, and noise."""
    rows, columns = grid(shape, pixel_shape)
    angle = np.radians(degrees)
    return textured(rows * np.cos(angle) - columns * np.sin(angle), noise, period, seed)


def rings(shape, centre, *, noise=0.0, period=9.0, seed=0):
    """Return an image of bright rings about a point."""
    rows, columns = grid(shape)
    return textured(np.hypot(rows - centre[0], columns - centre[1]), noise, period, seed)


def textured(across, noise, period, seed):
    """Return stripes across a distance, each as bright as is drawn, with noise."""
    random = np.random.default_rng(seed)
    number = np.floor(across / period).astype(int)
    number -= number.min()
    bright = random.uniform(0.3, 1, number.max() + 1)[number]
    values = bright * np.exp(-(((across / period) % 1 - 0.5) ** 2) / 0.03)
    values += noise * random.standard_normal(across.shape)
    return np.clip(60 + 120 * values, 0, 255).astype(np.uint8)


def speckled(shape, degrees, *, smear=4.0, fascicles=120, seed=0):
    """Return fascicles in speckle that is smeared along rows, compressed as scanners do."""
    random = np.random.default_rng(seed)
    rows, columns = grid(shape)
    power = np.full(shape, 0.25)
    for _ in range(fascicles):
        row, column = random.uniform(0, shape[0]), random.uniform(0, shape[1])
        angle = np.radians(degrees + random.normal(0, 1.5))
        down, aside = rows - row, columns - column
        along = (aside * np.cos(angle) + down * np.sin(angle)) / random.uniform(20, 90)
        across = (down * np.cos(angle) - aside * np.sin(angle)) / 1.5
        power += random.exponential(1) * np.exp(-(along**2) - across**2)
    noise = random.standard_normal((2, *shape)) * np.sqrt(power)
    echo = scipy.ndimage.gaussian_filter(noise, (0, 1, smear))
    envelope = np.hypot(*echo)
    compressed = 110 + 80 * np.log10(envelope / np.median(envelope))
    return np.clip(compressed, 0, 255).astype(np.uint8)
