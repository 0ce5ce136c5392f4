"""What a network of states has learned: what it responds to most, and to which motion."""
