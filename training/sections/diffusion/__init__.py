"""Diffusion models of images of muscle and of what is drawn on them."""
