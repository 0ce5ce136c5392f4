"""Features that are followed from frame to frame, and what moves where: the method ``klt``."""
