"""What a calf does in a trial, and what is measured of it: drive, torque, angle, EMG and motion."""
