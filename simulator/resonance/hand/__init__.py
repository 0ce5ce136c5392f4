"""A hand of smooth solids: bones with cortex and marrow, muscles, tendons, vessels, fat, skin."""
