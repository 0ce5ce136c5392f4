"""Networks that make one kind of image from another: pix2pix, cycleGAN and UNIT."""
