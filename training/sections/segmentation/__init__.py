"""Networks that find aponeuroses in images, in place of a hand that draws them."""
