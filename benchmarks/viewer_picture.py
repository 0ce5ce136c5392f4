"""Draw the picture of the viewer that stands in the documentation.

    python -m benchmarks.viewer_picture

Simulates a recording, finds its units, opens `musim view` in Chromium (by playwright), plays to a
moment at which units move, takes one of them and keeps what is seen.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).parent.parent / "docs" / "pictures" / "viewer.png"
SIZE = {"width": 1440, "height": 810}
MAKE = (
    "generate -n 1 --units 12 --snr 20 --seed 7 --out musim.zarr",
    "identify musim.zarr --out units.zarr",
)
UNIT, FIRINGS = 1, 4


def main() -> None:
    """Write the picture."""
    program = os.environ.get("MUSIM_BROWSER") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        for command in MAKE:
            subprocess.run([sys.executable, "-m", "musim.cli", *command.split()], cwd=folder,
                           check=True)  # fmt: skip
        view = [sys.executable, "-m", "musim.cli", "view", "musim.zarr", "units.zarr"]
        with subprocess.Popen(
            [*view, "--no-browser"], cwd=folder, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                address = re.search(r"http\S+", process.stdout.readline())
                assert address is not None
                _keep(address[0], program, Path(folder) / "viewer.png")
            finally:
                process.terminate()
        picture = Image.open(Path(folder) / "viewer.png").convert("RGB")
        picture.save(OUT, optimize=True)
    sys.stdout.write(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB\n")


def _keep(address: str, program: str | None, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(address)
        page.wait_for_selector("#score:not([hidden])")
        for _ in range(UNIT + 1):
            page.keyboard.press("ArrowDown")
        for _ in range(FIRINGS):
            page.keyboard.press("f")
        for _ in range(2):  # some 50 ms after the firing, when its velocity is highest
            page.keyboard.press("Shift+ArrowRight")
        page.wait_for_selector("#detail .neighbours td")
        page.wait_for_timeout(1500)
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    main()
