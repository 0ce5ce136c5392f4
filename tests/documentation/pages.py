"""The README and the pages of the documentation, and the code in them."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
MADE = {"auto", "site"}
"""Folders of what is built."""

PAGES = [README, *sorted(p for p in DOCS.rglob("*.md") if not MADE & set(p.parts))]


def blocks_of(page, language):
    """Return the blocks of code in a language, also those in lists."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(code) for _, code in found]


def commands_of(page):
    """Return the commands of a page, without comments."""
    lines = "".join(blocks_of(page, "sh")).splitlines()
    return [line.split(" #")[0].strip() for line in lines if line.startswith("musim ")]


def name_of(page):
    """Return where a page lies, below the root."""
    return page.relative_to(ROOT).as_posix()
