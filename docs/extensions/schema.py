"""The table of a store's variables, from the schema that declares them."""

from pathlib import Path


def write(app):
    """Write ``auto/included/variables.md``."""
    from musim.datasets.schema import describe

    place = Path(app.srcdir) / "auto" / "included"
    place.mkdir(parents=True, exist_ok=True)
    (place / "variables.md").write_text(describe() + "\n", encoding="utf-8")


def setup(app):
    """Write the table before pages are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
