"""Which units are in a recording: methods that find them, and metrics that score what they find."""
