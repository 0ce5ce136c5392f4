"""The experiments of a paper on measuring muscle thickness, with simulated images beside."""
