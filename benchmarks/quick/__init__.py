"""The quick experiment against the full one: whether it shows the same, and how fast."""
