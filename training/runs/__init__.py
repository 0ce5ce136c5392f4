"""Training runs: settings, sources of batches, the loop, run folders and safe checkpoints."""
