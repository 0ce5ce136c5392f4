"""Units told by learned judgement: candidates from windows, what is seen of each, how probable."""
