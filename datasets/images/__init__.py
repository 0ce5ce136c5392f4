"""B-mode images: found, read with masks drawn on them, scaled, and those alike grouped."""
