"""B-mode videos of muscle with the signals of its state: made, rendered and read."""
