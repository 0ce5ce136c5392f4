"""How soon `musim view` shows a store of 10,000 sequences.

    python -m benchmarks.viewing
    python -m benchmarks.viewing --store big.zarr --rounds 5

The store is rendered as it is read; nothing of it is in the memory of the process that is timed,
which starts anew each time. Seconds count from the start of the command. A browser that runs
already (Chromium, by playwright) opens the page; then what the page asks for first is asked alone.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

SEQUENCES = 10_000
MIDDLE = SEQUENCES // 2
ASKED = ("about", "colours", "sequence", "units", "frames?layer=velocity&count=32")
FLAGS = ["--disable-gpu", "--no-sandbox"]


def opened(store: str, look: Callable[[str], None]) -> tuple[float, float, float]:
    """Return the seconds after which a store is served and seen, and of processor time.

    Parameters
    ----------
    store : str
    look : callable
        Looks at an address until its first sequence is seen.
    """
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "musim.cli", "view", store, "--no-browser", "-i", str(MIDDLE)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http\S+", process.stdout.readline())
        assert found is not None
        served = time.perf_counter() - start
        look(found[0])
        seen = time.perf_counter() - start
    finally:
        process.terminate()
        process.communicate()
    after = os.times()
    used = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return served, seen, used


def ask(address: str) -> None:
    """Ask for what a page asks for first."""
    place, _, token = address.partition("?token=")
    for name in ASKED:
        mark = "&" if "?" in name else "?"
        request = urllib.request.Request(
            f"{place}api/{name}{mark}sequence={MIDDLE}", headers={"X-Musim-Token": token}
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()


def browser_of(stack: ExitStack) -> Callable[[str], None] | None:
    """Return what opens a page in a browser; None without any."""
    program = os.environ.get("MUSIM_BROWSER") or shutil.which("chromium")
    if program is None:
        return None
    from playwright.sync_api import sync_playwright

    playwright = stack.enter_context(sync_playwright())
    browser: Any = playwright.chromium.launch(executable_path=program, args=FLAGS)
    stack.callback(browser.close)

    def look(address: str) -> None:
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(address)
        for part in ("canvas[data-shown]", "#table tr[data-unit]", "#plot canvas"):
            page.wait_for_selector(part)
        page.close()

    return look


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="of so many sequences; made if not given")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with ExitStack() as stack:
        store = given.store
        if store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            store = str(Path(folder) / "big.zarr")
            subprocess.run(
                [sys.executable, "-m", "musim.cli", "generate", "-n", str(SEQUENCES), "--render",
                 "on-read", "--out", store], check=True,
            )  # fmt: skip
        looks = {"in a browser": browser_of(stack), "by its answers": ask}
        for how, look in looks.items():
            if look is None:
                continue
            opened(store, look)  # so that files are in memory
            times = [opened(store, look) for _ in range(given.rounds)]
            served, seen, used = (statistics.median(part) for part in zip(*times, strict=True))
            least, most = min(one[1] for one in times), max(one[1] for one in times)
            print(
                f"{how}: served {served:.2f} s, seen {seen:.2f} s ({least:.2f}-{most:.2f}), "
                f"processor time of the command {used:.2f} s"
            )


if __name__ == "__main__":
    main()
