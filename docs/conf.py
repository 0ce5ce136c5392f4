"""How the documentation is built: `make docs`, offline, with warnings as errors.

Examples of the folders `tutorials` and `gallery` are run as they are built; with MUSIM_DOCS_QUICK=1
they take fewer sequences and steps. What is made of code (commands, variables, pages of the Python
reference, examples) is written to `auto`, which git ignores.
"""

import sys
from importlib.metadata import version as installed
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

from drawings import NOT_TOLD  # noqa: E402

project = "musim"
author = "the musim authors"
copyright = f"{author}, Apache-2.0"  # noqa: A001
release = installed("musim")
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
    "commands",
    "doi_links",
    "native_math",
    "schema",
]
exclude_patterns = ["auto/*/*.py", "auto/included", "extensions", "tutorials", "gallery", "site"]
nitpicky = False
# Settings of examples cannot be compared with those of the last build: all is built anew.
suppress_warnings = ["config.cache"]

# Pages
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
smartquotes = False
highlight_language = "none"

# The Python reference
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"  # docstrings have types, with shapes and units
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
templates_path = ["templates"]

# Examples
sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "gallery"],
    "gallery_dirs": ["auto/tutorials", "auto/gallery"],
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"[/\\]_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "reference_url": {},
    "doc_module": (),
    "plot_gallery": "True",
    "nested_sections": False,
    "parallel": 2,
    "image_scrapers": ("drawings.show_drawings", "matplotlib"),
    "reset_modules": ("matplotlib", "drawings.start_processes_as_scripts_do"),
    "ignore_repr_types": NOT_TOLD,
}

# The site: nothing is fetched from elsewhere
html_theme = "pydata_sphinx_theme"
html_math_renderer = "native"
html_title = "musim"
html_context = {"default_mode": "auto"}
html_static_path = ["static"]
html_css_files = ["musim.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "start": []}
html_theme_options = {
    "logo": {"text": "musim"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-light",
    "pygments_dark_style": "a11y-dark",
}
