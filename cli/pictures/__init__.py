"""Pictures of sequences (PNG, PDF, SVG, GIF, MP4) and the charts of evaluations."""
