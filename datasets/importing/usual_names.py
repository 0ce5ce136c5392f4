"""Names that recordings' variables usually go by.

They are those of PyMUST, MUST, Verasonics' Vantage, USTB and common usage: last parts of paths, in
lower case without "_", "-", "." and spaces, the surest first.
"""

CHANNELS = (64, 128, 192, 256, 96, 80, 32, 512)
"""Numbers of elements that arrays have, the common ones first."""

NAMES = {
    "frame_rate": ("framerate", "framefrequency", "fps", "framespersecond", "volumerate", "prf",
                   "pulserepetitionfrequency"),
    "centre_frequency": ("fc", "f0", "centrefrequency", "centerfrequency", "transmitfrequency",
                         "txfrequency", "frequency"),
    "sampling_frequency": ("fs", "samplingfrequency", "samplingrate", "samplerate",
                           "decimsamplerate", "adcrate"),
    "sound_speed": ("c", "c0", "soundspeed", "speedofsound", "soundvelocity"),
    "demodulation_frequency": ("fdemod", "demodfrequency", "demodulationfrequency",
                               "modulationfrequency", "fdemodulation"),
    "pitch": ("pitch", "elementpitch", "spacingmm", "elementspacing"),
    "element_width": ("elementwidth", "elwidth", "width"),
    "first_sample": ("t0", "firstsample", "initialtime", "starttime", "tstart"),
    "delays": ("txdelay", "txdelays", "delays"),
    "angles": ("angles", "angle", "theta", "thetas", "steeringangles", "txangles", "steer"),
    "bandwidth": ("bandwidth", "bw", "fractionalbandwidth"),
    "f_number": ("fnumber", "fnum"),
    "depth_step": ("depthstep", "dz", "axialstep", "pixelheight"),
    "width_step": ("widthstep", "dx", "lateralstep", "pixelwidth"),
    "depth_start": ("depthstart", "z0", "zstart"),
    "width_start": ("widthstart", "x0", "xstart"),
    "saturation": ("saturation", "fullscale"),
}  # fmt: skip
ELEMENT_COUNTS = ("nelements", "numelements", "elements", "nchannels", "numchannels", "nelem")
TIME_STEPS = ("dt", "timestep", "frameinterval")
DIMS = {
    "time": ("time", "t", "frame", "frames", "slowtime", "pulse"),
    "sample": ("sample", "samples", "fasttime"),
    "channel": ("channel", "channels", "element", "elements", "receiver"),
    "transmit": ("transmit", "angle", "angles", "tx", "transmission"),
    "depth": ("depth", "z", "axial"),
    "width": ("width", "x", "lateral"),
    "sequence": ("sequence", "trial", "repeat", "recording"),
}
DATA_NAMES = {
    "rf": ("rf", "rfdata", "rcvdata", "channeldata", "rawdata", "echoes"),
    "iq": ("iq", "iqdata", "iqs", "bfiq"),
    "velocity": ("tvi", "velocity", "velocities", "tissuevelocity", "v", "tdi"),
}
REAL_PARTS = ("i", "real", "re", "idata", "inphase", "iqreal", "iqi")
IMAGINARY_PARTS = ("q", "imag", "im", "qdata", "quadrature", "iqimag", "iqq", "imaginary")
