"""``emomelody sample``."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from emomelody.cli.inputs import load_weights
from emomelody.cli.options import MAX_SEED, Command, Quiet, Verbose, given_options
from emomelody.cli.output import fail, list_skipped, output, progress_bar
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import NAME, Format
from emomelody.music.emotion import Emotion
from emomelody.music.key import parse_key
from emomelody.music.melody import TEMPO
from emomelody.performance.setting import OCTAVES, PLAIN, TEMPOS, VELOCITIES, VELOCITY, parse_program

if TYPE_CHECKING:
    from emomelody.models.checkpoint import Checkpoint
    from emomelody.music.melody import Melody
    from emomelody.sampling.folder import Entry
    from emomelody.sampling.generation import ArrangedSample, Recipe


STDOUT = Path("-")


WHAT, HOW, SET, FILES = "What", "How it is drawn", "How it is set", "Files"  # panels of sample's help

EXAMPLES = """
Examples:

emomelody sample --emotion sad -n 20

emomelody sample --path 'sad@0 happy@8' --bars 12 --format wav
"""


def sample(
    context: typer.Context,
    emotion: Annotated[
        str | None,
        typer.Option(
            "--emotion",
            "-e",
            metavar="NAME",
            help="happy, angry, sad or relaxed (also e1–e4, Q1–Q4).",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    point: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="VALENCE AROUSAL",
            help="Instead: a point of the plane, each −1 … 1.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(
            metavar="'PLACE@BAR …'",
            help="Instead: emotions or V,A at bars from 0 on, as 'sad@0 happy@8'.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    like: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Like the first four bars of this piece (MIDI, MusicXML); with an emotion, point or path:"
            " that melody there; several: only say where they lie.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The melodies of this samples.json again; the last two panels may change them.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    num: Annotated[
        int, typer.Option("--num", "-n", metavar="N", min=1, help="How many melodies.", rich_help_panel=WHAT)
    ] = 1,
    bars: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Length of each.", rich_help_panel=WHAT)
    ] = 4,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="emoreg-va; emoreg or base (no path, like or bars); a weights file or run folder.",
            rich_help_panel=HOW,
        ),
    ] = "emoreg-va",
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=MAX_SEED,
            help="The same seed makes the same files.",
            show_default="random",
            rich_help_panel=HOW,
        ),
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0,
            max=1,
            help="How far from the piece of --like.",
            show_default="0.1",
            rich_help_panel=HOW,
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Of each token's draw.",
            show_default="emoreg-va 1.05, else the likeliest token",
            rich_help_panel=HOW,
        ),
    ] = None,
    top_p: Annotated[
        float,
        typer.Option(
            "--top-p",
            metavar="X",
            help="Draw from the likeliest tokens that make up this share.",
            rich_help_panel=HOW,
        ),
    ] = 1.0,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 …", rich_help_panel=HOW)
    ] = "cpu",
    key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="As A, Bb or 'F# minor'; the mode must be the emotion's.", rich_help_panel=SET
        ),
    ] = PLAIN.tonic,
    octave: Annotated[
        int,
        typer.Option(
            metavar="N", min=OCTAVES[0], max=OCTAVES[1], help="Octaves up or down.", rich_help_panel=SET
        ),
    ] = 0,
    tempo: Annotated[
        float,
        typer.Option(
            metavar="BPM", min=TEMPOS[0], max=TEMPOS[1], help="Beats per minute.", rich_help_panel=SET
        ),
    ] = TEMPO,
    program: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="General MIDI sound: piano, violin, flute … or 0–127.",
            rich_help_panel=SET,
        ),
    ] = str(PLAIN.program),
    velocity: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=VELOCITIES[0],
            max=VELOCITIES[1],
            help="Loudness of each note.",
            rich_help_panel=SET,
        ),
    ] = VELOCITY,
    expressive: Annotated[
        bool,
        typer.Option(
            "--expressive",
            help="Octave, tempo and velocity, where not given, as the emotion asks.",
            rich_help_panel=SET,
        ),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Where the files go; - sends one file to stdout.",
            rich_help_panel=FILES,
        ),
    ] = Path("samples"),
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="mid, musicxml, svg (a score), png (a piano roll) or wav; several may be given.",
            show_default="mid",
            rich_help_panel=FILES,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of a file; {model} is a field too.", rich_help_panel=FILES),
    ] = NAME,
    soundfont: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A SoundFont (.sf2) for wav and --play; needs FluidSynth.",
            show_default=False,
            rich_help_panel=FILES,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Also draw each melody here.", rich_help_panel=FILES)
    ] = False,
    play: Annotated[
        bool, typer.Option("--play", help="Also play each melody here.", rich_help_panel=FILES)
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of the same names.", rich_help_panel=FILES)
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write melodies of an emotion, or of a point of the plane, and samples.json, which tells how."""
    given = given_options(context)
    like, to_stdout = like or [], out == STDOUT
    _check_sample_options(given, like, formats or [])
    asked = Emotion.parse(emotion) if emotion is not None else None  # a typing error is told at once
    tonic, mode = parse_key(key)
    choices = {"octave": octave, "tempo": tempo, "program": parse_program(program), "velocity": velocity}
    changes: dict[str, Any] = {option: value for option, value in choices.items() if option in given}
    if "key" in given:
        changes["tonic"] = tonic
    if expressive:
        changes = {"octave": None, "tempo": None, "velocity": None} | changes
    from emomelody.formats.encode import check, encode
    from emomelody.models.inference import pick_device
    from emomelody.music.path import EmotionPath
    from emomelody.sampling import folder, generation, index
    from emomelody.sampling.request import SPREAD, DecodingConfig, Request

    if again:
        recipe = index.read_recipe(again)
    else:
        request = Request(
            num,
            emotion=asked,
            point=point,
            path=EmotionPath.parse(path) if path is not None else None,
            spread=SPREAD if spread is None else spread,
            bars=bars,
            seed=int.from_bytes(os.urandom(4)) if seed is None else seed,
            drawing=DecodingConfig(temperature, top_p),
        )
        recipe = generation.Recipe(model, request, like=str(like[0]) if like else None)
    recipe = replace(
        recipe,
        model=model if "model" in given else recipe.model,
        setting=replace(recipe.setting, **changes),
        formats=tuple(dict.fromkeys(formats)) if formats else recipe.formats,
        name=name if "name" in given else recipe.name,
        soundfont=soundfont or recipe.soundfont,
    )
    check(recipe.formats, recipe.soundfont)
    if to_stdout:
        _check_stdout(recipe, show)
    player = _find_player() if play else None
    checkpoint = load_weights(recipe.model)
    if recipe.checksum not in (None, checkpoint.checksum):
        raise EmomelodyError(
            f"{again}: made with other weights than {recipe.model} now is; --model says where"
        )
    checkpoint.model.to(pick_device(device))
    if like:
        heard = _place(checkpoint, like, output.err if to_stdout else output.out)
        if len(heard) > 1:
            return
        recipe = replace(recipe, request=replace(recipe.request, like=heard[0]))
    summary = _Summary(mode, recipe)
    kept: list[ArrangedSample] = []  # to be shown or played
    if to_stdout:
        piece, only = next(generation.arrange_samples(checkpoint, recipe))
        summary.add(only.emotion, hash(only.melody))
        sys.stdout.buffer.write(encode(piece, recipe.formats[0], recipe.soundfont))
    else:
        with progress_bar(transient=True) as progress:
            task = progress.add_task("writing", total=recipe.request.n)

            def on_entry(entry: Entry) -> None:
                summary.add(entry.emotion, entry.melody)
                if entry.made:
                    kept.append(entry.made)
                progress.advance(task)

            folder.write_folder(checkpoint, recipe, out, force=force, keep=show or play, on_entry=on_entry)
    if show:
        _show(kept)
    _say_what_was_made(recipe, summary, checkpoint, out)
    if player:
        _play(kept, recipe.soundfont, player)


def _check_sample_options(given: set[str], like: list[Path], formats: list[Format]) -> None:
    """Raise EmomelodyError for options of ``sample`` that exclude each other."""
    recorded = ("emotion", "point", "path", "like", "num", "bars", "seed", "spread", "temperature", "top_p")
    told = sorted(f"--{option.replace('_', '-')}" for option in given.intersection(recorded))
    if "again" in given and told:
        raise EmomelodyError(f"--again takes that from the file: leave out {', '.join(told)}")
    if "spread" in given and not like:
        raise EmomelodyError("--spread is the distance from a piece: it needs --like")
    if len(like) > 1 and given & {"emotion", "point", "path"}:
        raise EmomelodyError("several pieces are only placed: give one --like, or no emotion, point and path")
    if "soundfont" in given and Format.WAV not in formats and "play" not in given:
        raise EmomelodyError("--soundfont is for sound: it needs --format wav or --play")


def _check_stdout(recipe: Recipe, show: bool) -> None:
    """Raise EmomelodyError where stdout cannot take what is asked for."""
    if recipe.request.n > 1 or len(recipe.formats) > 1 or show:
        raise EmomelodyError("--out - is for one file: one melody in one format, without --show")
    if sys.stdout.isatty():
        raise EmomelodyError("--out - writes the file to stdout: send it into a file or program (> or |)")


@dataclass
class _Summary:
    """What is to be said of the melodies, gathered as they are made."""

    mode: str | None  # that they must have
    recipe: Recipe
    count: int = 0
    different: set[int] = field(default_factory=set)  # hashes
    emotion: Emotion | None = None  # of the first

    def add(self, emotion: Emotion, melody: int) -> None:
        """Hear of one more. Raises EmomelodyError where its emotion is in another mode than asked."""
        if self.mode not in (None, emotion.mode):
            begins = ", as the path begins," if self.recipe.request.path else ""
            raise EmomelodyError(
                f"{emotion.title}{begins} is in {emotion.mode}: leave {self.mode} out of --key"
            )
        self.count += 1
        self.different.add(melody)
        self.emotion = self.emotion or emotion


def _show(made: list[ArrangedSample]) -> None:
    from emomelody.formats.text_roll import to_text
    from emomelody.music.features import metrics

    for piece, sample in made:
        print(to_text(piece, metrics(sample.melody)), end="\n\n")


def _find_player() -> tuple[str, ...]:
    from emomelody.formats.audio import find_player

    return find_player()


def _play(made: list[ArrangedSample], soundfont: Path | None, player: tuple[str, ...]) -> None:
    from emomelody.formats.audio import play, to_wav

    for piece, _ in made:
        output.note(f"playing {piece.title}")
        play(to_wav(piece, soundfont), player)


def _say_what_was_made(recipe: Recipe, made: _Summary, checkpoint: Checkpoint, out: Path) -> None:
    from emomelody.models.checkpoint import VA

    request, count = recipe.request, made.count
    likeliest = request.drawing.temperature is None and checkpoint.name != VA
    different = len(made.different)
    if request.point and likeliest and count > 1:
        output.note("one point has one likeliest melody: add --temperature for different ones")
    elif different < count:
        more = ": add --temperature for more" if likeliest else ""
        output.note(f"{different} of the {count} are different{more}")
    what = str(request.path or (made.emotion and made.emotion.title))
    if request.point:
        what += " at {:g} {:g}".format(*request.point)
    if request.like:
        asked = request.emotion or request.point or request.path
        what = f"like {recipe.like}" + (f", {what}" if asked else "")
    melodies = "melody" if count == 1 else "melodies"
    line = f"{count} {melodies}, {what}, model {checkpoint.name}, seed {request.seed}"
    if out == STDOUT:
        output.note(line)
    else:
        print(f"{out}: {line}")


def _place(checkpoint: Checkpoint, files: list[Path], console: Console) -> list[Melody]:
    """Print where the beginnings of pieces lie on the plane; returns them, in C.

    Those that cannot be read are listed after the others, and end the command.
    """
    from emomelody.data.windows import first_window
    from emomelody.evaluation import tables
    from emomelody.models.cvae import LATENT
    from emomelody.sampling.sampler import encode_melody

    heard: list[tuple[Path, Melody]] = []
    bad: list[BadInput] = []
    for path in files:
        try:
            heard.append((path, first_window(path)))
        except BadInput as error:
            bad.append(error)
    if heard:
        latents = [encode_melody(checkpoint, melody) for _, melody in heard]
        places = [checkpoint.plane.to_point(latent[:LATENT]) for latent in latents]
        console.print(tables.places_table([path for path, _ in heard], places))
    if bad and len(files) == 1:
        raise bad[0]
    list_skipped(bad)
    if bad:
        fail(f"{len(bad)} of the {len(files)} files could not be placed", 1)
    return [melody for _, melody in heard]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(sample)
