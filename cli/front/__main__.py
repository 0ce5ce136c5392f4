"""``python -m musim``: the command line."""

# pyright: reportMissingImports=false

from musim.cli import main

main()
