"""How axes of figures look."""

from matplotlib.axes import Axes


def finish(axes: Axes, abscissa: str, ordinate: str) -> None:
    """Give axes their labels, and scores from 0 to 1 on the ordinate."""
    axes.set_ylim(0, 1.04)
    axes.set_xlabel(abscissa, fontsize=8)
    axes.set_ylabel(ordinate, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(axis="y", linewidth=0.3, color="#cccccc")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
