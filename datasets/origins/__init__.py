"""The kinds of origins that stores have; :mod:`..origin` reads and writes them."""
