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
plausible, and of the analytic model with blur, gain, drift, dead pixels and dropped frames, \
some of it in tissue of any form. \
The likeliest that are no copies or mixtures of likelier ones beside them are units; \
a network of convolutions, learned from the same recordings, then looks at 24 mm around each \
(its map, its share of the motion, what others move there, noise, how far motion spreads) and \
outlines it. What is seen to move sharply is refined as by refine.

It assumes that a unit's train comes out of several windows, that units are 1.6-18 mm wide, and \
that twitches are of some 60-100 ms. It does not assume that motion ends where a territory \
does, nor how it spreads. Recordings whose noise or motion is like none that was simulated are \
judged by what is nearest.

It works on images of 24 x 24 pixels and more, square or not, of up to 130 mm (larger ones are \
refused), with pixels of 0.1-1 mm, at 100 Hz to 5 kHz, from half a second on; what is faster than \
100 Hz is not looked at. Of more than 8 s it looks at the 8 s that move most and reads trains in \
the rest. A quick recording of 128 x 128 pixels and 2 s takes two to five seconds of one \
processor, and memory is four to six times the recording's. Half a second at 100 Hz shows half \
of the units, and what is shorter is judged by what it never learned."""
