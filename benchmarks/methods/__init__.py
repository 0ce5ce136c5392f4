"""All methods of identification on the same recordings, side by side."""
