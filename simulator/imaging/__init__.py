"""The chain of an ultrasound recording: beamforming, velocimetry, filtering, resampling."""
