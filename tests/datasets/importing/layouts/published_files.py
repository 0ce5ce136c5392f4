"""Files of published layouts, made small: two frames of a point that plane waves pass."""

import h5py
import numpy as np

ELEMENTS, SAMPLES, PITCH, SPEED = 32, 240, 3e-4, 1500.0  # m, m/s
CENTRE, SAMPLING = 5e6, 2e7  # Hz
ANGLES = np.radians([-12.0, 0.0, 7.0])
POINT = 9e-3, 1.2e-3  # depth and width, m
START = 8e-6
"""When the first sample is taken after a wave passes the array's middle, s."""
PLACES = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH


def echoes(starts=START, removed=None, depth=POINT[0]):
    """Return the point's echoes, float32 (frame, wave, channel, sample), from `starts` on.

    Complex and half as many, if a frequency was `removed`, Hz.
    """
    width = POINT[1]
    out = depth * np.cos(ANGLES) + width * np.sin(ANGLES)
    arrivals = (out[:, None] + np.hypot(depth, width - PLACES)) / SPEED
    times = np.broadcast_to(starts, ANGLES.shape)[:, None] + np.arange(SAMPLES) / SAMPLING
    late = times[:, None] - arrivals[..., None]
    pulse = np.exp(-((late * CENTRE) ** 2) * 2 + 2j * np.pi * CENTRE * late)
    if removed is None:
        return np.stack([pulse.real] * 2).astype("f4")
    pulse *= np.exp(-2j * np.pi * removed * np.arange(SAMPLES) / SAMPLING)
    return np.stack([pulse[..., ::2]] * 2).astype("c8")


def write_picmus(path, data=None, **changes):
    """Write a file as the challenge has them, with a frame or several."""
    data = echoes() if data is None else data
    values = {
        "data/real": np.real(data), "data/imag": np.imag(data), "angles": ANGLES.astype("f4"),
        "initial_time": [START], "modulation_frequency": [0.0], "PRF": [9000.0],
        "sampling_frequency": [SAMPLING], "sound_speed": [SPEED],
        "probe_geometry": np.stack([PLACES, 0 * PLACES, 0 * PLACES]).astype("f4"),
    } | changes  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            file[f"US/US_DATASET0000/{name}"] = np.asarray(value)
    return path


def write_zea(path, data=None, place="", **changes):
    """Write a file as zea's ``data_format.py`` does; `place` is the track."""
    fired = (np.sin(ANGLES)[:, None] * PLACES).min(axis=1) / SPEED
    data = echoes().transpose(0, 1, 3, 2)[..., None] if data is None else data
    frames, waves = data.shape[:2]
    values = {
        "data/raw_data": data, "scan/sampling_frequency": SAMPLING, "scan/sound_speed": SPEED,
        "scan/center_frequency": CENTRE, "scan/initial_times": START - fired,
        "scan/polar_angles": ANGLES, "scan/focus_distances": np.full(waves, np.inf),
        "scan/time_to_next_transmit": np.full((frames, waves), 1 / 9000),
        "scan/probe_geometry": np.stack([PLACES, 0 * PLACES, 0 * PLACES], 1),
        "scan/element_width": 2.5e-4,
    } | changes  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            if value is not None:
                file[place + name if name.split("/")[0] in {"data", "scan"} else name] = value
    return path


def write_uff(path, data=None, waves=None, **changes):
    """Write a file as USTB's ``write_object.m`` does.

    `waves` are of the fields of each wave that differ.
    """
    data = echoes() if data is None else data
    waves = [{}] * len(ANGLES) if waves is None else waves
    values = {
        "sampling_frequency": SAMPLING, "initial_time": START, "sound_speed": SPEED,
        "modulation_frequency": 0.0, "PRF": 9000.0, "pulse/center_frequency": CENTRE,
        "probe/geometry": np.concatenate([[PLACES], np.zeros((6, ELEMENTS))]),
        "probe/element_width": 2.5e-4,
    } | changes  # fmt: skip
    with h5py.File(path, "w") as file:
        file.attrs["version"] = np.array([b"v1.2.0\0"])
        group = file.create_group("channel_data")
        group.attrs["class"] = "uff.channel_data"
        if np.iscomplexobj(data):
            group["data/real"], group["data/imag"] = data.real, data.imag
        else:
            group["data"] = data
        for name, value in values.items():
            if value is not None:
                group[name] = np.atleast_2d(np.asarray(value, "f4"))
        for number, (angle, wave) in enumerate(zip(ANGLES, waves, strict=False), 1):
            place = "sequence" if len(waves) == 1 else f"sequence/sequence_{number:04d}"
            fields = {
                "wavefront": 0, "source/azimuth": angle, "source/elevation": 0,
                "source/distance": np.inf, "delay": 0, "sound_speed": SPEED,
            } | wave  # fmt: skip
            for name, value in fields.items():
                if value is not None:
                    group[f"{place}/{name}"] = np.full((1, 1), value, "f4")
    return path
