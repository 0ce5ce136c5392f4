"""Finding units in recordings, and translating recordings: methods, networks and their scores."""
