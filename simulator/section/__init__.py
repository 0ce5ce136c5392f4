"""The muscle's longitudinal section as scanners show it: images in grey levels, with truth."""
