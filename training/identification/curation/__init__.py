"""Units looked through by people: accepted, rejected, changed, and kept with who changed what."""
