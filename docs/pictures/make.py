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
KEYS = ["ArrowDown"] * 3 + ["f"] * 4 + ["Shift+ArrowRight"] * 2
"""What is pressed in the page: the third unit, its fourth firing from there, and some 40 ms on."""

SIZES = {"viewer": (1440, 810), "viewer-narrow": (420, 1000)}
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
            page.goto(address, wait_until="networkidle")
            page.wait_for_selector("#score:not([hidden])")
            for key in KEYS:
                page.keyboard.press(key)
            page.wait_for_selector("#detail .neighbours td")
            page.wait_for_timeout(2000)  # until all is drawn
            page.screenshot(path=folder / f"{name}.png")
            with Image.open(folder / f"{name}.png") as picture:
                picture.convert("RGB").save(folder / f"{name}.png", optimize=True)
        chromium.close()


def _words(command):
    return [sys.executable, "-m", *command.split()]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
