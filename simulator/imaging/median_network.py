"""Comparator networks that find a median: the same steps whatever the values, so vectors can."""

import functools
from dataclasses import dataclass

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


def across(lists: list[list[int]]) -> tuple[Comparators, list[list[int]]]:
    """Return comparators that narrow down where the median of sorted lists of one length is.

    Of the wires in the same place of all lists the least goes into the first list, and so on; what
    then has more than half of all values below it, or above it, is left out.

    Parameters
    ----------
    lists : list of lists of int
        Wires, sorted; an odd number in all.

    Returns
    -------
    list of (int, int)
    list of lists of int
        Sorted lists of what is left, as many below the median as above it.
    """
    length, half = len(lists[0]), len(lists[0]) * len(lists) // 2
    steps: Comparators = []
    left: list[list[int]] = [[] for _ in lists]
    for place in range(length):
        more, order = sort([wires[place] for wires in lists])
        steps += more
        for number, wire in enumerate(order):
            below = (place + 1) * (number + 1) - 1
            above = (length - place) * (len(lists) - number) - 1
            if below <= half and above <= half:
                left[number].append(wire)
    return steps, [wires for wires in left if wires]


@functools.lru_cache(maxsize=64)
def median_network(rows: int, columns: int) -> tuple[Comparators, Comparators, int]:
    """Return a network for the median of a window, in two stages that share work.

    Neighbouring windows share all columns but one, so columns are sorted once for all windows
    that they are in, and each window looks for the middle of its sorted columns.

    Parameters
    ----------
    rows, columns : int
        Size of the window, odd.

    Returns
    -------
    sorting : list of (int, int)
        Comparators over the wires 0 .. rows - 1 of a column, after which row i holds the i-th
        least value.
    merging : list of (int, int)
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
    while len(lists) > 2 and len({len(wires) for wires in lists}) == 1:
        more, lists = across(lists)
        merging += more
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
    middle = lists[0][len(lists[0]) // 2]
    return sorting, prune(merging, middle), middle


@dataclass(frozen=True)
class MedianSteps:
    """A network as a loop takes it: from where each value comes, and where it goes to.

    Parameters
    ----------
    places : int64 array of shape (place, 2)
        Row and column of a value: rows of the window first, then rows to work in.
    sorting, merging : int64 arrays of shape (step, 4)
        Places of the two values that are compared, and where the lesser and the greater one go; -1
        where nobody wants it. What is sorted has column 0.
    middle : int
        The median's place.
    lines : int
        How many rows to work in there are.
    """

    places: NDArray[np.int64]
    sorting: NDArray[np.int64]
    merging: NDArray[np.int64]
    middle: int
    lines: int


@functools.lru_cache(maxsize=64)
def median_steps(rows: int, columns: int) -> MedianSteps:
    """Return the steps of :func:`median_network`, of which none overwrites what another one wants.

    Parameters
    ----------
    rows, columns : int
        Size of the window, odd.
    """
    sorting, merging, middle = median_network(rows, columns)
    places: dict[tuple[int, int], int] = {}

    def laid_out(
        steps: Comparators, at: list[tuple[int, int]], first: int, wanted: set[int]
    ) -> list[tuple[int, ...]]:
        live, unwanted = set(wanted), []
        for pair in reversed(steps):
            unwanted.append([wire not in live for wire in pair])
            live |= set(pair)
        found = []
        for pair, none in zip(steps, reversed(unwanted), strict=True):
            entry = [places.setdefault(at[wire], len(places)) for wire in pair]
            for wire, unused in zip(pair, none, strict=True):
                at[wire] = first + wire, 0
                entry.append(-1 if unused else places.setdefault(at[wire], len(places)))
            found.append(tuple(entry))
        return found

    column = [(row, 0) for row in range(rows)]
    sorted_by = laid_out(sorting, column, rows, set(range(rows)))
    window = [(row, number) for number in range(columns) for row, _ in column]
    merged_by = laid_out(merging, window, 2 * rows, {middle})
    last = places.setdefault(window[middle], len(places))
    return MedianSteps(
        places=np.array(list(places), np.int64).reshape(-1, 2),
        sorting=np.array(sorted_by, np.int64).reshape(-1, 4),
        merging=np.array(merged_by, np.int64).reshape(-1, 4),
        middle=last,
        lines=rows + rows * columns,
    )
