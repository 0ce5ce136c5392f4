"""How alike two sets of longitudinal B-mode images are: real, and simulated or sampled ones."""
