"""What a magnetic resonance scanner shows of tissues: two sequences of a hand, or of labels."""
