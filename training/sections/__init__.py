"""Muscle architecture in longitudinal B-mode images: thickness, pennation, fascicle length."""
