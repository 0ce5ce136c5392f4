"""Who makes changes."""

import getpass


def login() -> str:
    """Return the name of who is logged in; ``somebody`` where nobody is known to be."""
    try:
        return getpass.getuser() or "somebody"
    except (OSError, KeyError, ImportError):  # a container's number has no name
        return "somebody"
