"""The viewer: a page in the browser, served from stores on this machine alone."""
