"""Pairs of volumes of one anatomy, such as T1 and T2, as stores of paired slices."""
