"""Translation of paired image slices: one sequence of magnetic resonance imaging from another."""
