"""What the folder of an evaluation of predicted states holds; known without the networks."""

from ...evaluations import EvaluationFiles

NAME = "cunningham-2017"

SETTINGS = "state.json"
CAPTIONS = "figures.json"
CHANGES, STATES, COHERENCE = "changes.csv", "states.csv", "coherence.csv"
SERIES, DOSES, TESTS = "series.csv", "doses.csv", "test.csv"

DATA = "data"
"""What the store is called, beside doses, that all tables are of."""

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("protocol", "runs", "data", "held_out")),
    tables=(CHANGES, STATES, COHERENCE, SERIES, DOSES, TESTS),
    figures=r"state-(?:r2|series|zoom|coherence|drift|doses)",
    captions=CAPTIONS,
    parts=r"[0-9a-f]{32}\.npz",
    changeable=frozenset(("runs", "doses", "found")),
    described=lambda settings: f"participant {settings['held_out']} of {settings['data']}",
)
"""What the folder of an evaluation holds. A part is what one run predicts of one trial; more runs
and doses join an evaluation that is there."""
