"""What ``sample`` prints: the melodies, one sentence about what it wrote, and the words for emotions."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from emomelody.cli.output import output, plain_table, plural
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.words import Word
from emomelody.music.meter import Meter
from emomelody.sampling.request import Request
from emomelody.sampling.runs.generation import ArrangedSample, GenerationConfig
from emomelody.sampling.runs.index import RecordedRun, files

if TYPE_CHECKING:
    from emomelody.cli.sample.options import Options
    from emomelody.sampling.runs.folder import Run, Written


@dataclass
class RunSummary:
    """What is known of a run's melodies, gathered while they are written."""

    model: str  # the name in the weights
    config: GenerationConfig
    style: str | None  # and meter, such as ``folk 6/8``, where one was requested
    count: int = 0
    different: set[int] = field(default_factory=set)  # hashes of the melodies
    kept: list[ArrangedSample] = field(default_factory=list)  # to be shown or played

    @classmethod
    def of(cls, run: Run) -> RunSummary:
        """The summary of a run of which nothing is written yet."""
        checkpoint, config = run
        style, meter = config.request.style, config.request.meter
        known = checkpoint.distribution(style, meter)
        requested = style is not None or meter is not Meter.FOUR_FOUR
        return cls(checkpoint.name, config, known.name if known and requested else None)

    def add(self, written: Written) -> None:
        """Count one more melody."""
        self.count += 1
        self.different.add(written.melody)
        if written.arranged:
            self.kept.append(written.arranged)
        if output.verbose:
            output.note("{}: {} at {:.2f},{:.2f}".format(written.title, written.description, *written.point))

    @property
    def target(self) -> str:
        """The request in a few words: ``sad``, ``like song.mid, sad``."""
        request = self.config.request
        words = [f"{_verb(request)} {self.config.file}"] if self.config.file else []
        if request.path:
            words.append(str(request.path))
        elif request.point:
            words.append("{} at {:g},{:g}".format(request.description, *request.point))
        elif request.grid:
            words.append(f"{request.grid} × {request.grid} points")
        elif request.emotion:
            words.append(request.emotion.title)
        return ", ".join(words)

    @property
    def source(self) -> str:
        """What was sampled from, in a few words: ``folk 6/8, form AABA, emoreg-va, seed 3``."""
        request = self.config.request
        form = f"form {request.form}" if request.form else None
        return ", ".join(filter(None, (self.style, form, self.model, f"seed {request.seed}")))


def _verb(request: Request) -> str:
    """What a request does with the user's file."""
    if request.draft:
        return "completing" if request.draft.kept[-1] else "continuing"
    return "from" if request.to else "like"


def command_line(options: Options, seed: int) -> str:
    """The command that was given, with the seed."""
    chosen = [] if options.again or "seed" in options.given else ["--seed", str(seed)]
    return shlex.join(["emomelody", *sys.argv[1:], *chosen])


def report(summaries: Sequence[RunSummary], destination: str) -> Iterator[str]:
    """The sentences about what was written, one for each style, form, model and seed."""
    for source, group in groupby(summaries, key=lambda summary: summary.source):
        runs = list(group)
        count = plural(sum(run.count for run in runs), "melody")
        targets = [run.target if len(runs) == 1 else f"{run.count} {run.target}" for run in runs]
        yield f"Wrote {count} to {destination} ({', '.join(targets)}, {source})"


def describe_replaced(run: RecordedRun) -> str:
    """What ``--force`` has removed of an earlier run."""
    names = files(run)
    which = f", {names[0]} to {names[-1]}" if len(names) > 1 else f", {names[0]}"
    return f"replaced an earlier run of {plural(len(run['samples']), 'melody')}{which}"


def note_repetitions(summary: RunSummary) -> None:
    """Say where a run holds the same melody several times, and what helps."""
    from emomelody.weights.checkpoint import VA

    different, request = len(summary.different), summary.config.request
    if different == summary.count:
        return
    likeliest = request.decoding.temperature is None and summary.model != VA
    if likeliest and request.waypoints[0].point:
        output.note("one point has one likeliest melody: add --temperature 1 for different ones")
    else:
        hint = ": add --temperature 1 for more" if likeliest else ""
        output.note(f"{different} of the {summary.count} melodies are different{hint}")


def print_melodies(arranged: Sequence[ArrangedSample]) -> None:
    """Print a piano roll and the metrics of each melody."""
    from emomelody.formats.text_roll import to_text
    from emomelody.music.features import metrics

    for piece, sample in arranged:
        print(to_text(piece, metrics(sample.melody)), end="\n\n")


def play_melodies(
    arranged: Sequence[ArrangedSample], soundfont: Path | None, player: tuple[str, ...]
) -> None:
    """Play each melody by a program of the system."""
    from emomelody.formats.audio import play, to_wav

    for piece, _ in arranged:
        output.note(f"playing {piece.title}")
        play(to_wav(piece, soundfont), player)


def words_table() -> Table:
    """The words for emotions: the four, which are whole quadrants, and the others with their points."""
    numbers = ("valence", "arousal")
    table = plain_table(
        f"{len(Emotion) + len(Word)} words for emotions", ("word", *numbers, "emotion"), numbers
    )
    ranges = {+1: "0 to +1", -1: "-1 to 0"}
    for emotion in Emotion:
        table.add_row(emotion.title, ranges[emotion.valence], ranges[emotion.arousal], emotion.title)
    for word in Word:
        valence, arousal = word.point
        table.add_row(word.title, f"{valence:+.2f}", f"{arousal:+.2f}", word.emotion.title)
    return table
