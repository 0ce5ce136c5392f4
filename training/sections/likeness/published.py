"""What Katakis et al. 2023 report of their images (doi:10.3390/biomedinformatics3020027)."""

MUSCLES = ("tibialis anterior", "rectus femoris", "gastrocnemius medialis", "biceps brachii")

PAIRS_PUBLISHED = {
    "psnr_published": (61.928, 61.486, 60.544, 60.462),
    "ssim_published": (0.996, 0.994, 0.992, 0.993),
    "lpips": (0.006, 0.005, 0.005, 0.008),
    "fid": (3.395, 1.958, 2.681, 3.819),
}
"""Table 2: between real and sampled images of each of :data:`MUSCLES`."""

SSIM_WITHIN_PUBLISHED = {
    "real": (0.995, 0.996, 0.996, 0.995),
    "other": (0.995, 0.994, 0.992, 0.992),
}
"""Table 3: within real (of several subjects), and within sampled images, halved."""

GREY_PUBLISHED = (
    "Of Katakis et al. 2023, 100 images a set: skewness 0.95 (real) and 1.31 (sampled) of the "
    "tibialis anterior, 1.32 and 1.67 of the rectus femoris; entropy over pixels 10.64 to 10.92 "
    "(real) and 10.83 to 11.03 (sampled), over four muscles."
)

FID = (
    "The Fréchet distance is FID's formula with other features than Inception's, whose weights are "
    "not here: {features}, standardised by the real images. It is no FID of anybody else, and is "
    "to be read beside that of real halves alone (Katakis et al. 2023 report a FID of {published})."
)


def span(values: tuple[float, ...], decimals: int) -> str:
    """Return the least and the greatest of some values as text."""
    return f"{min(values):.{decimals}f}–{max(values):.{decimals}f}"
