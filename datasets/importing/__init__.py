"""From foreign recordings to a store: reading files, describing them, and the imaging chain."""
