"""How far each unit that was found may be believed, without any truth.

What a method says of its units means something else for each method. Here numbers are worked out
from the recording alone, the same way for all (:mod:`.parts`): whether a unit repeats, how its
firings stand out, what it explains, and whether it is another's once more. One model joins them to
a probability (:mod:`.model`).
"""
