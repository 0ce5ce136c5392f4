"""Make the pictures of the README and the documentation: `python docs/pictures/make.py [FOLDER]`.

They are made by the commands below and, those of the viewer, in a Chromium that is installed, or
that MUSIM_BROWSER names (with playwright, of the extra `test`). What else the commands write goes.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PLACES = ("chromium", "chromium-browser", "google-chrome")

COMMANDS = (
    "musim generate -n 1 --units 15 --snr 40 --seed 7",
    "musim preview musim.zarr --out motion.gif",
    "musim generate --domain quick --units 8 --fat 4 --frames 1024 --frame-rate 512 -n 1 --seed 5"
    " --out recording.zarr",
    "musim identify recording.zarr --out units.zarr",
)
VIEW = "musim view recording.zarr units.zarr --no-browser"
PLACE = "#unit=2&time=0.8"
"""What is chosen in the page."""

SIZES = {"viewer": (1600, 900), "viewer-narrow": (420, 1000)}
"""Width and height of the page, px."""


def main(folder):
    """Make all pictures in a folder."""
    with tempfile.TemporaryDirectory() as place:
        for command in COMMANDS:
            print(command, flush=True)
            subprocess.run(_words(command), cwd=place, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(Path(place) / "motion.gif", folder / "motion.gif")
        with _served(place) as address:
            _photograph(address, folder)


@contextmanager
def _served(place):
    """Serve the recording and its units; yields the address."""
    server = subprocess.Popen(_words(VIEW), cwd=place, stdout=subprocess.PIPE, text=True)
    try:
        said = server.stdout.readline()
        yield re.search(r"http://\S+", said)[0]
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _photograph(address, folder):
    browser = os.environ.get("MUSIM_BROWSER") or next(filter(None, map(shutil.which, PLACES)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(address + PLACE, wait_until="networkidle")
            page.wait_for_timeout(2000)  # until all layers are drawn
            page.screenshot(path=folder / f"{name}.png")
            _fewer_colours(folder / f"{name}.png")
        chromium.close()


def _fewer_colours(path):
    """Keep 255 colours: a quarter of the bytes, and no difference that is seen."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)


def _words(command):
    return [sys.executable, "-m", *command.split()]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
