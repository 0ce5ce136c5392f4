"""Comparator networks that find a median: the same steps whatever the values, so vectors can."""

import functools

import numpy as np
from numpy.typing import NDArray

Comparators = list[tuple[int, int]]


def merge(first: list[int], second: list[int]) -> tuple[Comparators, list[int]]:
    """Return the comparators that merge two sorted lists of wires, and the wires in order.

    A comparator (i, j) leaves the lesser value on wire i, the greater on wire j. Batcher's odd-even
    merge for lists of any lengths [1]_.

    References
    ----------
    .. [1] Knuth, The Art of Computer Programming 3, 2nd ed. 1998, section 5.3.4.
    """
    if not first or not second:
        return [], first + second
    if len(first) == 1 and len(second) == 1:
        return [(first[0], second[0])], [first[0], second[0]]
    steps, odd = merge(first[::2], second[::2])
    more, even = merge(first[1::2], second[1::2])
    steps = steps + more
    order = [odd[0]]
    for i in range(max(len(odd) - 1, len(even))):
        if i + 1 < len(odd) and i < len(even):
            steps.append((even[i], odd[i + 1]))
            order += [even[i], odd[i + 1]]
        else:
            order.append(odd[i + 1] if i + 1 < len(odd) else even[i])
    return steps, order


def sort(wires: list[int]) -> tuple[Comparators, list[int]]:
    """Return the comparators that sort some wires, and the wires in order (Batcher's sort)."""
    if len(wires) < 2:
        return [], wires
    half = len(wires) // 2
    low_steps, low = sort(wires[:half])
    high_steps, high = sort(wires[half:])
    steps, order = merge(low, high)
    return low_steps + high_steps + steps, order


def prune(steps: Comparators, wanted: int) -> Comparators:
    """Return the comparators that have a say in what one wire holds at the end."""
    live, kept = {wanted}, []
    for low, high in reversed(steps):
        if low in live or high in live:
            live |= {low, high}
            kept.append((low, high))
    return kept[::-1]


@functools.lru_cache(maxsize=64)
def median_network(rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return a network for the median of a window, in two stages that share work.

    Neighbouring windows share all columns but one, so columns are sorted once for all windows
    that they are in, and each window merges its sorted columns.

    Parameters
    ----------
    rows, columns : int
        Size of the window, odd.

    Returns
    -------
    sorting : int64 array of shape (step, 2)
        Comparators over the wires 0 .. rows - 1 of a column, after which row i holds the i-th
        least value.
    merging : int64 array of shape (step, 2)
        Comparators over the wires ``column * rows + i``.
    middle : int
        The wire that holds the median after these.
    """
    steps, order = sort(list(range(rows)))
    # A column comes in any order, so its wires may be named by the ranks that they end with.
    rank = {wire: place for place, wire in enumerate(order)}
    sorting = [(rank[low], rank[high]) for low, high in steps]
    lists = [list(range(c * rows, (c + 1) * rows)) for c in range(columns)]
    merging: Comparators = []
    while len(lists) > 1:
        pairs = [lists[i : i + 2] for i in range(0, len(lists), 2)]
        lists = []
        for pair in pairs:
            if len(pair) == 2:
                more, merged = merge(*pair)
                merging += more
                lists.append(merged)
            else:
                lists.append(pair[0])
    middle = lists[0][rows * columns // 2]
    merging = prune(merging, middle)
    shape = (-1, 2)
    return (
        np.array(sorting, np.int64).reshape(shape),
        np.array(merging, np.int64).reshape(shape),
        middle,
    )
