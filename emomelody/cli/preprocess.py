"""``emomelody preprocess``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from emomelody.cli.inputs import check_data_folder, run_preprocess
from emomelody.cli.options import Command, Quiet, UsageError, Verbose, choice, seed_number, whole_number
from emomelody.cli.output import fail, list_skipped, output, plural
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError

if TYPE_CHECKING:
    from emomelody.data.labelling import Rule
    from emomelody.data.preprocess import Report
    from emomelody.data.sources import LabelledSources
    from emomelody.emotions.rule import Arousal

MELODIES, OUTPUT = "Melodies and labels", "Output"  # panels of the help

EXAMPLES = """
Examples:

emomelody preprocess

emomelody preprocess --corpus all -o all

emomelody preprocess my-songs --labels labels.csv -o mine
"""


SourcesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Files or folders of MIDI (.mid, .midi, .kar), MusicXML (.xml, .musicxml, .mxl) or ABC (.abc,"
        " one or more tunes). Without any: --corpus.",
        show_default=False,
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option(
        parser=choice("chorales", "folk", "all"),
        metavar="NAME",
        help="What to read of the music that comes with music21: the Bach chorales, the folk tunes of"
        " O'Neill's, Ryan's and Aird's collections, or all of both.",
        show_default="chorales",
        rich_help_panel=MELODIES,
    ),
]
WindowsOption = Annotated[
    str,
    typer.Option(
        parser=choice("first", "all"),
        metavar="NAME",
        help="The four-bar windows of each piece: all (from barline to barline), or first (one from the"
        " beginning, as in the paper).",
        rich_help_panel=MELODIES,
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV file with the columns file,emotion, or file,valence,arousal with numbers from -1 to 1,"
        " which emoreg-va is then trained to reproduce.",
        show_default=False,
        rich_help_panel=MELODIES,
    ),
]
# Relative by default: whatever the user's music is like, it has a calmer and a livelier half, and a model of
# four emotions needs both. By a fixed threshold, folders of uniformly dense or sparse music have one alone.
ArousalOption = Annotated[
    str | None,
    typer.Option(
        parser=choice("notes", "time", "quantile"),
        metavar="NAME",
        help="What the rule takes for high arousal: quantile (the upper half of all melodies read, by onsets"
        " per second, so that even uniformly dense or sparse music has both sides), time (more than 1.3"
        " onsets per second), or notes (more than ten onsets in four bars of 4/4, seven in 3/4 or 6/8)."
        " Seconds are counted at the file's tempo, or at 120 BPM. In MIDI files with a tempo, people's"
        " arousal labels follow onsets per second much more closely than onsets per bar.",
        show_default="quantile; notes for a --corpus",
        rich_help_panel=MELODIES,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(
        parser=seed_number,
        metavar="N",
        help="Chooses the held-out fifth of the tunes.",
        rich_help_panel=MELODIES,
    ),
]
OutOption = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", help="The folder to write.", rich_help_panel=OUTPUT),
]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Write into a folder that is not empty.", rich_help_panel=OUTPUT),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        parser=whole_number(1),
        metavar="N",
        help="Number of processes.",
        show_default="one per core",
        rich_help_panel=OUTPUT,
    ),
]


def preprocess(
    sources: SourcesArgument = None,
    corpus: CorpusOption = None,
    windows: WindowsOption = "all",
    labels: LabelsOption = None,
    arousal: ArousalOption = None,
    seed: SeedOption = 0,
    out: OutOption = Path("data"),
    force: ForceOption = False,
    jobs: JobsOption = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make training data: four-bar melodies in C with an emotion each.

    Writes manifest.csv and the folders e1 (happy), e2 (angry), e3 (sad) and
    e4 (relaxed) of MIDI files.

    An emotion comes from --labels, else from a parent folder with its name,
    else from a rule: many onsets are high arousal (--arousal), more notes of
    C major than of C minor are positive valence.

    Music in 4/4, 3/4 and 6/8 is used, and in 2/2, 4/2, 2/4 and 1/4, which
    are read in 4/4: two bars of 2/4 as one. Other meters are skipped.
    """
    from emomelody.data.windows import Windows
    from emomelody.emotions.rule import Arousal

    found = _find_sources(sources or [], corpus, labels)
    check_data_folder(out, force)
    by = Arousal(arousal or ("quantile" if sources else "notes"))
    report = run_preprocess(found.sources, out, Windows(windows), by, seed, jobs)
    output.out.print(table(report))
    output.out.print(
        escape(f"Wrote {plural(report.melodies, 'melody')} and manifest.csv to {out}"), soft_wrap=True
    )
    if labels and report.labels_from.get("csv") != report.melodies:
        output.note(_label_origins(report, labels))
    if report.labels_from.get("rule") and report.rule.arousal is not Arousal.NOTES:
        output.note(_arousal(report.rule, asked=by))
    if report.without_melody:
        output.note(_without_melody(report.without_melody))
    if output.verbose:
        list_skipped_windows(report)
    bad = [*found.bad, *report.bad]
    list_skipped(bad)
    if bad:
        fail(f"{plural(len(bad), 'source')} could not be used; the melodies of the others are in {out}", 1)


def _find_sources(given: list[Path], corpus: str | None, labels: Path | None) -> LabelledSources:
    """The pieces to read. Raises EmomelodyError if there are none."""
    from emomelody.data import sources
    from emomelody.data.labels import read_labels

    if given and corpus:
        raise UsageError("--corpus is for the music that comes with music21: leave out it or the SOURCE")
    if not given:
        if labels:
            raise UsageError("--labels needs a SOURCE with the files that it lists")
        pieces = sources.chorale_sources() if corpus != "folk" else []
        pieces += sources.folk_sources() if corpus in ("folk", "all") else []
        return sources.LabelledSources(pieces, [], set())
    listed = read_labels(labels) if labels else {}
    found = sources.find_sources(given, listed)
    if not found.sources:
        raise EmomelodyError("; ".join(map(str, found.bad)))
    if labels and len(found.unused_labels) == len(listed):
        raise BadInput(labels, f"names no file in {given[0]}, e.g. {min(listed)}: give paths from there on")
    if found.unused_labels:
        count = plural(len(found.unused_labels), "name")
        output.note(f"{labels}: no file for {count}, e.g. {min(found.unused_labels)}")
    return found


def _label_origins(report: Report, labels: Path) -> str:
    """Where labels come from, when not all are from the CSV file."""
    counts = {origin: report.labels_from.get(origin, 0) for origin in ("csv", "folder", "rule")}
    return (
        f"labels: {plural(counts['csv'], 'melody')} from {labels}, {counts['folder']:,} from folder names,"
        f" {counts['rule']:,} from the rule"
    )


def _arousal(rule: Rule, asked: Arousal) -> str:
    """The rule's threshold of arousal, where it is one of onsets per second."""
    why = "" if rule.arousal is asked else ": all melodies are equally fast"
    return f"the rule: arousal is high above {rule.threshold:.2f} onsets per second ({rule.arousal}{why})"


def _without_melody(pieces: Mapping[str, int]) -> str:
    """How many of the user's pieces gave no melody, by reason, each with what can be done about it."""
    from emomelody.data.skipped import remedy

    by_reason = (
        f"{count:,} {reason.removeprefix('piece ').removeprefix('window ')} ({remedy(reason)})"
        for reason, count in sorted(pieces.items(), key=lambda item: -item[1])
    )
    return f"{plural(sum(pieces.values()), 'piece')} gave no melody: {', '.join(by_reason)}"


def list_skipped_windows(report: Report) -> None:
    """Say of each source how many of its windows were skipped, by reason."""
    for source, reasons in report.skipped_by_source.items():
        output.note(f"{source}: {', '.join(f'{reason}: {count}' for reason, count in reasons.items())}")


def table(report: Report) -> Table:
    """Pieces read, melodies by emotion, and what was skipped by reason."""
    table = Table()
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_row("pieces read", f"{report.pieces:,}")
    for emotion in Emotion:
        table.add_row(f"melodies, {emotion.code} {emotion.title}", f"{report.kept.get(emotion, 0):,}")
    for (style, meter), count in sorted(report.kinds.items()):
        table.add_row(f"melodies, {style} in {meter}", f"{count:,}")
    table.add_row("melodies held out", f"{report.held_out:,}")
    for reason, count in sorted(report.skipped.items()):
        table.add_row(f"skipped: {escape(reason)}", f"{count:,}")
    table.add_row("skipped: file cannot be used", f"{len(report.bad):,}")
    return table


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(preprocess)
