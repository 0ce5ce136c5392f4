"""The scores of paired translation: the tables and figures of Grant-Jacob et al. 2021, and more."""
