"""How what may be a unit is learned: examples, drawn by index, and networks fitted to them."""
