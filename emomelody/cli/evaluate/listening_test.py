"""``emomelody evaluate --listening-test``: a page for listeners."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer

from emomelody.cli.evaluate.real_data import RealData
from emomelody.cli.inputs import load_weights
from emomelody.cli.options import UsageError, given_options
from emomelody.cli.output import output, plural
from emomelody.cli.result_files import check_new
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput

TEST_MELODIES = 3  # of each system and emotion, where --num is not given
MOST_MELODIES = 50  # of each: more than any listener would hear
HEADING = "How do these melodies sound to you?"
UNUSED = {
    "generated": "--generated",
    "judge_data": "--judge-data",
    "seeds": "--seeds",
    "report": "--report",
    "json_file": "--json",
    "csv_file": "--csv",
}


def check_listening_test(context: typer.Context) -> None:
    """Raise UsageError where options are given that a listening test has no use for."""
    ignored = [flag for name, flag in UNUSED.items() if name in given_options(context)]
    if ignored:
        raise UsageError(f"--listening-test writes a page alone: leave out {', '.join(ignored)}")


def write_listening_test(
    page: Path, models: list[str], real: RealData, per_emotion: int, seed: int, *, plain: bool, force: bool
) -> None:
    """Write the page of a test of some models, as they are played by default or ``plain``.

    Raises BadInput where the page cannot be written, or exists without ``force``.
    """
    from emomelody.evaluation.listening.answers import REAL
    from emomelody.evaluation.listening.stimuli import make_stimuli
    from emomelody.evaluation.reference import default_windows
    from emomelody.files import write_whole
    from emomelody.formats.page.listening import listening_page
    from emomelody.performance.setting import EXPRESSIVE, PLAIN

    if per_emotion > MOST_MELODIES:
        raise UsageError(f"--num {per_emotion} makes too long a listening test: use {MOST_MELODIES} or fewer")
    if page.suffix != ".html":
        raise BadInput(page, "its name must end in .html")
    check_new(page, force=force)
    checkpoints = {name: load_weights(name) for name in models}
    dataset = real.load(default_windows([c.name for c in checkpoints.values()]))
    with output.err.status("sampling"):
        setting = PLAIN if plain else EXPRESSIVE
        stimuli = make_stimuli(checkpoints, dataset, per_emotion, seed, setting)
    facts = [stimulus.to_json() for _, stimulus in stimuli]
    write_whole(page, listening_page([piece for piece, _ in stimuli], facts, heading=HEADING))
    counts = Counter(stimulus.system for _, stimulus in stimuli)
    of_each = ", ".join(f"{count} {system}" for system, count in sorted(counts.items()))
    print(f"Wrote a listening test of {plural(len(stimuli), 'melody')} to {page} ({of_each})")
    if counts[REAL] < per_emotion * len(Emotion):
        output.note(f"only {plural(counts[REAL], 'real melody')} to compare with: the data has no more")
    output.note("open it in a browser, or send it; put the files of answers into a folder for --answers")
