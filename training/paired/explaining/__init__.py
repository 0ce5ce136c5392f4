"""Where the answer of a paired translation comes from: how far it looks, and how small it sees."""
