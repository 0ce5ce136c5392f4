"""Methods as they were published: each by itself, with its numbers as settings."""
