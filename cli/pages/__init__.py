"""Pages of ``musim report``: HTML that opens from the disk; pictures drawn as SVG."""
