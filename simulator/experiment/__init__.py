"""The virtual experiment: how tissue carries the units' motion, and what ultrasound shows of it."""
