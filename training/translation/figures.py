"""Figures of an evaluation of translations: those of Ali et al. 2022, Fig. 1 to 3."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..charts import Chart
from ..colours import COLOURS, GREY, VELOCITY_COLOURS
from .metrics.consistency import correlation_by_lag, lag_frames
from .metrics.features import histogram, k_space, log_variance, measure
from .metrics.findings import Domain, TranslatedDomain, TranslationEvaluation

SHOWN = 3
"""Sequences of each store that are shown."""

SIGNALS = 2
"""Sequences of which signals are shown."""

HIGHEST = 80.0
"""Highest frequency that is shown, Hz: the band ends at 50."""

MAP_COLOURS = "viridis"
K_SPACE_COLOURS = "magma"
EXPERIMENTAL = "#8a0509"
OTHERS = tuple(colour for colour in COLOURS if colour != EXPERIMENTAL)


def draw_charts(evaluation: TranslationEvaluation) -> list[Chart]:
    """Draw all figures of an evaluation of translations.

    Returns
    -------
    list of Chart
        ``translation-features``, ``translation-signals``, and ``translation-differences-1`` and so
        on, one for each translated store.
    """
    return [
        draw_features(evaluation),
        draw_signals(evaluation),
        *(draw_differences(evaluation, number) for number in range(len(evaluation.translations))),
    ]


def draw_features(evaluation: TranslationEvaluation) -> Chart:
    """Draw variance maps, histograms and K-spaces of some sequences of each store (Fig. 1)."""
    settings = evaluation.settings
    stores = _stores(evaluation)
    count = min(SHOWN, max(len(store.features) for store, _, _ in stores))
    figure = Figure(figsize=(3.5 * count + 0.4, 1.25 * len(stores) + 0.9), dpi=150,
                    layout="constrained")  # fmt: skip
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(len(stores), 3 * count, squeeze=False)
    shown = [store.features[:count] for store, _, _ in stores]
    highest = max(
        float(np.quantile(log_variance(each.variance, settings), 0.995))
        for row in shown
        for each in row
    )
    low, high = settings.span
    middles = low + (np.arange(settings.bins) + 0.5) * (high - low) / settings.bins
    depth, width = _size(evaluation)
    for row, (store, name, colour) in zip(grid, stores, strict=True):
        for number in range(count):
            axes = row[3 * number : 3 * number + 3]
            if number >= len(store.features):
                for each in axes:
                    each.axis("off")
                continue
            variance = store.features[number].variance
            _image(axes[0], log_variance(variance, settings), MAP_COLOURS,
                   (min(low, 0.0), highest), (0, width, depth, 0))  # fmt: skip
            share = histogram(variance, settings)
            axes[1].fill_between(middles, share, color=colour, linewidth=0, step="mid", alpha=0.8)
            axes[1].set_yscale("log")
            axes[1].set(xlim=(low, high), ylim=(0.3 / variance.size, 1.0), box_aspect=1)
            axes[1].tick_params(labelsize=5, length=2, pad=1)
            axes[1].minorticks_off()
            image = k_space(variance, settings)
            extent = (0.5, image.shape[1] + 0.5, 0.5, image.shape[0] + 0.5)
            _image(axes[2], image, K_SPACE_COLOURS, (0, 1), extent, origin="lower")
        row[0].set_ylabel(_short(name, 15), fontsize=8, color=colour)
    below = (f"{width:.3g} x {depth:.3g} mm", "log(1 + variance)", "kx (points)")
    for number in range(count):
        titles = (f"{number + 1}: variance map", "histogram", "K-space")
        for place, (title, label) in enumerate(zip(titles, below, strict=True)):
            column = grid[:, 3 * number + place]
            column[0].set_title(title, fontsize=7, pad=3)
            last = [axes for axes in column if axes.axison][-1:]
            for axes in last:
                axes.set_xlabel(label, fontsize=6, labelpad=2)
    return _finished(
        "translation-features",
        "Spatial features of both domains and of translations",
        "Log variance maps (all of one scale), their histograms (share of pixels, logarithmic) and "
        "K-spaces "
        "(kx to the right, kz upwards) of the first sequences; a translated sequence stands below "
        "its input.",
        figure,
        evaluation,
    )


def draw_signals(evaluation: TranslationEvaluation) -> Chart:
    """Draw signals of single pixels, their spectra and cross-correlations (Fig. 2)."""
    rate, settings = evaluation.frame_rate, evaluation.settings
    most = lag_frames(evaluation.a.signals.shape[1], rate, settings.lag)
    lags = np.arange(-most, most + 1) * 1000 / rate
    examples = min(SIGNALS, *(len(each.signals) for each in evaluation.translations))
    figure = Figure(figsize=(10.6, 2.05 * (examples + 1) + 0.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(
        examples + 1, 3, squeeze=False, gridspec_kw={"width_ratios": (2.2, 1, 1)}
    )
    # The experimental row comes last: its signals have no input.
    named = [each for each in _stores(evaluation) if each[0] is not evaluation.b]
    for number, (trace, spectra, correlation) in enumerate(grid[:examples]):
        source = evaluation.a.signals[number]
        for store, name, colour in named:
            signal = store.signals[number]
            _trace(trace, signal, rate, colour, name)
            _spectrum(spectra, signal, evaluation, colour)
            if store is not evaluation.a:
                found = correlation_by_lag(_row(source), _row(signal), most)[0]
                correlation.plot(lags, found, color=colour, linewidth=1)
                best = int(np.nan_to_num(found, nan=-np.inf).argmax())
                correlation.plot(lags[best], found[best], "o", color=colour, markersize=3)
        correlation.axvline(0, color="0.8", linewidth=0.7, zorder=0)
        correlation.axhline(0, color="0.8", linewidth=0.7, zorder=0)
        correlation.set(ylim=(-1.05, 1.05), xlim=(lags[0], lags[-1]))
        _label(correlation, "Lag (ms)", "Correlation with input")
        trace.set_title(f"Sequence {number + 1}, the pixel that moves most", fontsize=8)
        trace.margins(y=0.15)  # room for the legend
    if examples:
        grid[0][0].legend(fontsize=6, frameon=False, loc="upper right", ncols=4)
        grid[0][1].set_title("Their spectra", fontsize=8)
        grid[0][2].set_title("Cross-correlation", fontsize=8)
    trace, spectra, means = grid[-1]
    _trace(trace, evaluation.b.signals[0], rate, EXPERIMENTAL, "B")
    trace.set_title("Experimental sequence 1, the pixel that moves most", fontsize=8)
    _spectrum(spectra, evaluation.b.signals[0], evaluation, EXPERIMENTAL)
    lowest, highest = [], []
    for store, name, colour in _stores(evaluation):
        faint = min(0.25, 8 / len(store.features))
        for features in store.features:
            mean = np.log10(np.maximum(features.spectrum, 1e-12))
            means.plot(features.frequency, mean, color=colour, linewidth=0.3, alpha=faint)
        whole = np.mean([np.log10(np.maximum(each.spectrum, 1e-12)) for each in store.features], 0)
        means.plot(store.features[0].frequency, whole, color=colour, linewidth=1.2,
                   label=_short(name), zorder=3)  # fmt: skip
        inside = store.features[0].frequency <= HIGHEST
        lowest.append(whole[inside].min())
        highest.append(whole.max())
    means.set(xlim=(0, HIGHEST), ylim=(min(lowest) - 0.7, max(highest) + 0.7))
    means.axvspan(*settings.band, color="0.93", zorder=0, linewidth=0)
    means.set_title("Mean spectra of whole sequences", fontsize=8)
    means.legend(fontsize=6, frameon=False)
    _label(means, "Frequency (Hz)", "log10 of power (1/Hz)")
    for axes in grid[-1][:1]:
        _label(axes, "Time (s)", "Velocity (SD)")
    return _finished(
        "translation-signals",
        "Temporal features, and what is kept of the content",
        "Signals of single pixels before and after translation, their spectra, and their "
        "cross-correlation with the input (dot: the greatest); an experimental signal; and mean "
        "spectra of all pixels of all sequences (thin) and their mean (grey: the band compared).",
        figure,
        evaluation,
    )


def draw_differences(evaluation: TranslationEvaluation, number: int) -> Chart:
    """Draw what a translation changes: frames, differences, similarity maps (Fig. 3).

    Parameters
    ----------
    evaluation : TranslationEvaluation
    number : int
        The place of the translation.
    """
    translation = evaluation.translations[number]
    depth, width = _size(evaluation)
    extent = (0.0, width, depth, 0.0)
    before, after = evaluation.a.frames[0], translation.frames[0]
    frames = len(before)
    figure = Figure(figsize=(9.6, 8.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    halves: Any = figure.subfigures(2, 1, height_ratios=(3, 2.1))
    upper, lower = halves
    left, right = upper.subfigures(1, 2, width_ratios=(3, 2))

    shown: Any = None
    rows: Any = left.subplots(3, frames, squeeze=False)
    limit = float(np.quantile(np.abs([before, after]), 0.998)) or 1.0
    for name, images, axes in (
        ("input", before, rows[0]),
        ("output", after, rows[1]),
        ("difference", after - before, rows[2]),
    ):
        for place, (image, each) in enumerate(zip(images, axes, strict=True)):
            shown = _image(each, image, VELOCITY_COLOURS, (-limit, limit), extent)
            if images is before:
                each.set_title(f"{evaluation.a.instants[0][place]:.3f} s", fontsize=7, pad=3)
        axes[0].set_ylabel(name, fontsize=8)
    _bar(left, shown, rows.ravel().tolist(), "Velocity (SD)")
    size = f"{depth:.3g} mm deep and {width:.3g} mm wide"
    left.suptitle(f"Sequence 1, the most active frames ({size})", fontsize=8)

    experimental: Any = right.subplots(3, 2, squeeze=False)
    most = float(np.quantile(np.abs(evaluation.b.frames[:, :2]), 0.998)) or 1.0
    for place, axes in enumerate(experimental):
        for instant, each in enumerate(axes):
            if place >= len(evaluation.b.frames):
                each.axis("off")
                continue
            image = evaluation.b.frames[place][instant]
            shown = _image(each, image, VELOCITY_COLOURS, (-most, most), extent)
    _bar(right, shown, experimental.ravel().tolist(), "Velocity (SD)")
    right.suptitle("Experimental frames, one sequence a row", fontsize=8)

    _draw_maps(lower, translation, evaluation, OTHERS[number % len(OTHERS)])
    return _finished(
        f"translation-differences-{number + 1}",
        f"What the translation {translation.name} changes",
        "Frames before and after, and their difference; experimental frames; similarity maps, the "
        "mean over all frames of the difference (output less input, both standardised) and of its "
        "size; and these by depth, each sequence (thin) and the mean of all. In units of a "
        "sequence's SD.",
        figure,
        evaluation,
    )


def _draw_maps(
    figure: Any, translation: TranslatedDomain, evaluation: TranslationEvaluation, colour: str
) -> None:
    """Draw similarity maps of some sequences, and similarity by depth of all."""
    depth, width = _size(evaluation)
    count = min(SHOWN, len(translation.distance))
    ratios = (1,) * count + (0.05, 1.15, 1.15)
    grid: Any = figure.subplots(2, count + 3, width_ratios=ratios, squeeze=False)
    for axes in grid[:, count]:
        axes.axis("off")
    curves = list(grid[0, count + 1 :])
    for axes in grid[1, count + 1 :]:
        axes.remove()
    whole = grid[0, 0].get_gridspec()
    for place, axes in enumerate(curves):
        axes.set_subplotspec(whole[:, count + 1 + place])
    kinds = (
        ("difference", translation.difference, VELOCITY_COLOURS, True),
        ("its size", translation.distance, MAP_COLOURS, False),
    )
    place = (np.arange(translation.distance.shape[1]) + 0.5) * evaluation.pixel_size[0]
    for row, axes, (name, maps, colours, signed) in zip(grid, curves, kinds, strict=True):
        shown: Any = None
        most = float(np.quantile(np.abs(maps[:count]), 0.998)) or 1.0
        for number in range(count):
            shown = _image(row[number], maps[number], colours, (-most if signed else 0.0, most),
                           (0, width, depth, 0))  # fmt: skip
        row[0].set_ylabel(f"mean of {name}" if signed else f"mean of\n{name}", fontsize=8)
        _bar(figure, shown, row[:count].tolist(), "SD")
        profiles = maps.mean(axis=2, dtype=np.float64)  # (sequence, depth)
        for profile in profiles:
            axes.plot(profile, place, color="0.75", linewidth=0.4)
        axes.plot(profiles.mean(axis=0), place, color=colour, linewidth=1.5)
        if signed:
            axes.axvline(0, color="0.5", linewidth=0.6, zorder=0)
        axes.set_ylim(depth, 0)
        _label(axes, f"Mean of {name} (SD)", "Depth (mm)" if signed else "")
        axes.locator_params(axis="x", nbins=4)
        axes.set_title("By depth", fontsize=8)
    for number in range(count):
        grid[0, number].set_title(f"Sequence {number + 1}", fontsize=7, pad=3)


def _stores(evaluation: TranslationEvaluation) -> list[tuple[Domain, str, str]]:
    """Return the stores with their names and colours."""
    return [
        (evaluation.a, "A", GREY),
        (evaluation.b, "B", EXPERIMENTAL),
        *(
            (each, each.name, OTHERS[number % len(OTHERS)])
            for number, each in enumerate(evaluation.translations)
        ),
    ]


def _size(evaluation: TranslationEvaluation) -> tuple[float, float]:
    """Return depth and width of the images, mm."""
    depth, width = (
        pixels * mm
        for pixels, mm in zip(
            evaluation.a.features[0].variance.shape, evaluation.pixel_size, strict=True
        )
    )
    return depth, width


def _image(
    axes: Axes, image: NDArray[Any], colours: str, limits: tuple[float, float],
    extent: tuple[float, float, float, float], origin: Any = "upper",
) -> Any:  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    return axes.imshow(image, cmap=colours, vmin=limits[0], vmax=limits[1], extent=extent,
                       origin=origin, interpolation="nearest")  # fmt: skip


def _bar(figure: Any, image: Any, axes: list[Axes], label: str) -> None:
    bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=30, shrink=0.8)
    bar.set_label(label, fontsize=7)
    bar.ax.tick_params(labelsize=6)
    bar.ax.locator_params(nbins=5)


def _row(signal: NDArray[Any]) -> NDArray[np.float64]:
    return signal[None].astype(np.float64)


def _trace(axes: Axes, signal: NDArray[Any], rate: float, colour: str, name: str) -> None:
    axes.plot(np.arange(len(signal)) / rate, signal, color=colour, linewidth=0.8,
              label=_short(name))  # fmt: skip
    axes.set_xlim(0, len(signal) / rate)
    _label(axes, "Time (s)", "Velocity (SD)")


def _spectrum(
    axes: Axes, signal: NDArray[Any], evaluation: TranslationEvaluation, colour: str
) -> None:
    if np.ptp(signal) == 0:
        return
    # The signal as an image of pixels that are alike: measured as the sequences are.
    found = measure(np.tile(signal[:, None, None], (1, 2, 2)), evaluation.frame_rate,
                    evaluation.settings)  # fmt: skip
    inside = found.frequency <= HIGHEST
    axes.semilogy(found.frequency[inside], np.maximum(found.spectrum[inside], 1e-9), color=colour,
                  linewidth=1)  # fmt: skip
    axes.minorticks_off()
    axes.set_xlim(0, HIGHEST)
    _label(axes, "Frequency (Hz)", "Power (1/Hz)")


def _label(axes: Axes, horizontal: str, vertical: str) -> None:
    axes.set_xlabel(horizontal, fontsize=7, labelpad=2)
    axes.set_ylabel(vertical, fontsize=7, labelpad=2)
    axes.tick_params(labelsize=6, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(name: str, most: int = 18) -> str:
    """Return a name as matplotlib writes it as it is: no mathematics, and not left out of legends.

    Of a long one, the end: of places that is what differs.
    """
    shown = name if len(name) <= most else f"…{name[1 - most :]}"
    return f"{' ' * shown.startswith('_')}{shown}".replace("$", r"\$")


def _finished(
    name: str, title: str, text: str, figure: Figure, evaluation: TranslationEvaluation
) -> Chart:
    figure.suptitle(_short(title, int(figure.get_figwidth() * 11)), fontsize=10)
    settings = evaluation.settings.describe()
    wide = int(figure.get_figwidth() * 17)
    figure.supxlabel("\n".join(textwrap.wrap(settings, wide)), fontsize=6, color="0.35")
    return Chart(name, title, f"{text} {settings}", figure)
