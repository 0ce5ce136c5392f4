"""The largest of many numbers, without sorting them."""

from ...simulator.acceleration import kernel


@kernel
def choose(rank, count, most, order):
    """Put the places of the largest `most` of `count` numbers first in `order` (quickselect)."""
    for one in range(count):
        order[one] = one
    low, high = 0, count - 1
    while low < high:
        pivot = rank[order[(low + high) >> 1]]
        left, right = low, high
        while left <= right:
            while rank[order[left]] > pivot:
                left += 1
            while rank[order[right]] < pivot:
                right -= 1
            if left <= right:
                order[left], order[right] = order[right], order[left]
                left += 1
                right -= 1
        if most - 1 <= right:
            high = right
        elif most - 1 >= left:
            low = left
        else:
            break
