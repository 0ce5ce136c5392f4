"""The evaluation of Cunningham et al. 2017, with drift and doses beside."""
