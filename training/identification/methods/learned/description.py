"""What the method does and assumes."""

PAGE = """\
Windows of 6-12 mm, which overlap, are each decomposed in four ways: independent maps of middle \
scales, independent gradients of maps in windows of two sizes, and independent trains. \
Candidates that are one train found again and again are gathered; what comes once is left out.

Of each, nineteen traits are seen: how often and in how many ways it was found, how strong and \
how wide its map is and how much of the motion there it holds, whether the maps of halves and \
thirds of the recording are alike, how regularly it fires, and how much of it equal twitches at \
these firings explain. A network of two hidden layers gives the probability that it is a \
unit's; it learned on simulated recordings alone: of the quick experiment with doses wider than \
plausible, and of the analytic model with blur, gain, drift, dead pixels and dropped frames. \
The likeliest that are no copies or mixtures of likelier ones beside them are units; \
territories are then fitted as refine does, and what is seen to move sharply is refined as by \
refine.

It assumes that a unit's train comes out of several windows, that units are 1.6-18 mm wide, and \
that twitches are of some 60-100 ms. It does not assume that motion ends where a territory \
does, nor how it spreads. Recordings whose noise or motion is like none that was simulated are \
judged by what is nearest."""
