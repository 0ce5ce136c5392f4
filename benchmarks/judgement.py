"""Learn anew to judge what may be a unit: the weights of the method `learned`.

    python -m benchmarks.judgement --make FOLDER -n 600     # examples, resumable
    python -m benchmarks.judgement --fit FOLDER -n 600      # the weights, and how good they are

Makers of :mod:`benchmarks.recordings` are no examples: methods are put to those.
"""

import argparse
import json
import os
from pathlib import Path

from musim.datasets.parallel import open_workers
from musim.training.identification.learning.fitting import Scaling, fit_network
from musim.training.identification.learning.measures import Measures, logistic_regression
from musim.training.identification.learning.settings import JudgeSettings
from musim.training.identification.learning.traits import read_trains, write_example
from musim.training.identification.methods.learned.judgement import WEIGHTS


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--make", type=Path, metavar="FOLDER")
    parser.add_argument("--fit", type=Path, metavar="FOLDER")
    parser.add_argument("-n", type=int, default=600)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    settings = JudgeSettings(examples=given.n)
    if given.make:
        given.make.mkdir(parents=True, exist_ok=True)
        tasks = [(str(given.make), index, settings) for index in range(settings.examples)]
        with open_workers(workers=given.workers) as run:
            run(write_example, tasks, lambda: print(".", end="", flush=True))
        print()
    if given.fit:
        fit(given.fit, settings)


def fit(folder: Path, settings: JudgeSettings) -> None:
    """Learn from the examples in a folder; say how good it is on those that are kept apart."""
    learned, apart = (read_trains(folder, settings, apart=kept) for kept in (False, True))
    scaling = Scaling.of(learned.traits)
    networks = [
        fit_network(number, learned, apart, scaling, settings)
        for number in range(settings.networks)
    ]
    judgement = scaling.judgement(networks)
    WEIGHTS.write_text(json.dumps(judgement.to_json()) + "\n")
    print(f"{len(learned.true)} trains learned from, {len(apart.true)} kept apart")
    plain = logistic_regression(learned, scaling, apart.traits)
    for name, sure in (("networks", judgement.probability(apart.traits)), ("logistic", plain)):
        print(name, Measures.of(sure, apart.true))


if __name__ == "__main__":
    main()
