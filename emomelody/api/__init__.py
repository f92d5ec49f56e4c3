"""The Python interface: a model to sample from, and melodies to write, show, play and measure.

model = emomelody.load("emoreg-va")
for number, melody in enumerate(model.sample("sad", n=20, seed=1)):
    melody.write(f"sad-{number}.mid")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.api.melody import GeneratedMelody, Point
from emomelody.data.user_tune import UserTune, read_tune
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.words import parse_emotion
from emomelody.errors import EmomelodyError
from emomelody.music.draft import Draft
from emomelody.music.melody import Melody
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.setting import EXPRESSIVE
from emomelody.sampling.own import OwnTune
from emomelody.sampling.request import SPREAD, TUNE_BARS, DecodingConfig, Request, Sample
from emomelody.sampling.runs.generation import with_pickup
from emomelody.sampling.sampler import sample
from emomelody.sampling.targets import default_bars
from emomelody.weights.checkpoint import Checkpoint, find_weights, load_checkpoint

__all__ = ["GeneratedMelody", "Model", "Point", "load"]

if TYPE_CHECKING:
    from emomelody.evaluation.evaluate import Evaluation


@dataclass(frozen=True, repr=False)
class Model:
    """Trained weights to sample from, to place melodies with and to evaluate."""

    checkpoint: Checkpoint

    def __repr__(self) -> str:
        size = f"{self.checkpoint.parameter_count / 1e6:.1f} million parameters"
        details = ", ".join([*self.styles, size, f"SHA-256 {self.checkpoint.checksum[:12]}"])
        return f"<{self.checkpoint.name}: {details}>"

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles and meters that it has learned, such as ``folk 6/8``; none by base and emoreg."""
        return tuple(known.name for known in self.checkpoint.styles)

    def sample(
        self,
        emotion: str | Emotion | None = None,
        *,
        point: tuple[float, float] | None = None,
        path: str | None = None,
        like: str | Path | GeneratedMelody | Melody | None = None,
        keep: str | None = None,
        to: str | Path | GeneratedMelody | Melody | None = None,
        continued: str | Path | GeneratedMelody | Melody | None = None,
        spread: float = SPREAD,
        n: int = 1,
        seed: int = 0,
        bars: int | None = None,
        style: str | None = None,
        meter: str | None = None,
        form: str | None = None,
        temperature: float | None = None,
        top_p: float = 1.0,
        chords: bool = False,
    ) -> list[GeneratedMelody]:
        """``n`` melodies of an emotion, at a point (valence, arousal) in [−1, 1]², or along a path.

        - ``emotion``: any name of one of the four, or a word of ``emotions.words``, such as ``gloomy``.
        - ``path``: written as ``sad@0 happy@8``, emotions or points V,A at bars counted from 0.
        - ``like``: a MIDI, MusicXML or ABC file, or a melody in C, which is varied, more with a larger
          ``spread`` (0 … 1), near its own emotion or moved to the emotion, point or path. With ``keep``, as
          ``1-4,9``, these bars are kept, the others composed; ``n`` melodies lead to a second one, ``to``.
        - ``continued``: a file or melody that goes on for ``bars`` bars.
        - ``seed``: 0 … 2³² − 1, 0 where it is not given. A larger ``n`` leaves the first melodies unchanged.
        - ``bars``: 1 … 64, by default 8 or those of ``like``, but 4 by base and emoreg.
        - ``style``: chorale, folk or own, by default the first that the model has learned in the meter.
        - ``meter``: 4/4, 3/4 or 6/8, by default 4/4 or that of the file or melody.
        - ``form``: letters, such as ``AABA``, for sections of equal length. ``chords``: add chords.
        - ``temperature`` (above 0, at most 10) and ``top_p`` (0 … 1) are those of token sampling.

        Base and emoreg make four bars in 4/4. Raises EmomelodyError for a request that cannot be met.
        """
        own, goal = _own_tune(like if continued is None else continued), _own_tune(to)
        draft = _draft(own, continued is not None, keep, bars)
        varied = own.melody if own and not draft else None
        request = Request(
            n,
            emotion=parse_emotion(emotion) if isinstance(emotion, str) else emotion,
            point=point,
            path=_parse_path(path) if path is not None else None,
            like=varied,
            to=goal.melody if goal else None,
            draft=draft,
            mode=own.mode if own else None,
            spread=spread,
            bars=_bars(bars, draft or varied) or default_bars(self.checkpoint),
            style=None if style is None else Style.parse(style),
            meter=_parse_meter(meter, own.melody if own else None),
            form=form,
            seed=seed,
            decoding=DecodingConfig(temperature, top_p),
            chords=chords,
        )
        return [_generated(request, s, own) for s in sample(self.checkpoint, request)]

    def place(self, piece: str | Path | GeneratedMelody | Melody) -> Point:
        """Where a MIDI, MusicXML or ABC file, or a melody in C, lies on the plane.

        It is the mean of the points of its blocks of four bars, from its first note on. Needs ``emoreg-va``,
        whose encoder does not need a label. Raises EmomelodyError for other models and for a meter that the
        model has not learned, and BadInput for a file that cannot be read and a melody without a note.
        """
        tune = _tune(piece)
        own = OwnTune.of(self.checkpoint, tune.from_its_first_note, tune.mode)
        return Point(*self.checkpoint.plane.to_point(own.centre))

    def evaluate(
        self,
        data: str | Path | None = None,
        *,
        style: str | None = None,
        meter: str = Meter.FOUR_FOUR,
        n: int = 250,
        seed: int = 0,
        seeds: int = 1,
    ) -> Evaluation:
        """All figures of ``emomelody evaluate``: ``figures`` is a dictionary, ``to_frame()`` a data frame.

        ``data`` is a folder of real melodies as ``preprocess`` writes it, of which those of a ``style``
        (chorale, folk or own; default: the first that it has) in a ``meter`` (4/4, 3/4 or 6/8) are used.
        Without it, the folder ``data`` is used, else the chorales or folk tunes in the user's cache, which
        are built there once. For each of ``seeds`` seeds from ``seed`` on, ``n`` melodies of each emotion are
        sampled. Raises EmomelodyError where the data cannot be used, for a meter that the model does not
        make, and for a number or seed out of range.
        """
        from emomelody.data.dataset import load as load_data
        from emomelody.evaluation.evaluate import evaluate_models
        from emomelody.evaluation.reference import default_data, default_windows

        name, kind = self.checkpoint.name, None if style is None else Style.parse(style)
        in_meter = Meter.parse(meter)
        folder = default_data(default_windows([name]), kind, in_meter) if data is None else Path(data)
        dataset = load_data(folder, meter=in_meter, style=kind)
        (evaluation,) = evaluate_models(
            {name: self.checkpoint}, dataset, per_emotion=n, seeds=range(seed, seed + seeds)
        )
        return evaluation


def _parse_path(path: str) -> EmotionPath:
    if not isinstance(path, str):
        raise EmomelodyError(f"path {path!r} is not a text such as 'sad@0 happy@8'")
    return EmotionPath.parse(path)


def _parse_meter(meter: str | None, like: Melody | None) -> Meter:
    """The meter, or where none is given that of the melody to vary, or 4/4."""
    if meter is not None:
        return Meter.parse(meter)
    return Meter.FOUR_FOUR if like is None else like.meter


def _own_tune(piece: str | Path | GeneratedMelody | Melody | None) -> UserTune | None:
    return None if piece is None else _tune(piece)


def _tune(piece: str | Path | GeneratedMelody | Melody) -> UserTune:
    """A file, or a melody in C of which nothing else is known."""
    if isinstance(piece, str | Path):
        return read_tune(Path(piece))
    melody = piece.melody if isinstance(piece, GeneratedMelody) else piece
    if not isinstance(melody, Melody):
        raise EmomelodyError(f"{piece!r} is neither a file nor a melody")
    return UserTune(melody.beginning(melody.bars))


def _draft(own: UserTune | None, continued: bool, keep: str | None, bars: int | None) -> Draft | None:
    """The draft of a melody to be continued, or of which bars are kept; None for neither."""
    if own is None and keep is not None:
        raise EmomelodyError("keep needs like: the file or melody of which bars are kept")
    if own and continued:
        return Draft.continued(own.melody, bars or TUNE_BARS)
    return Draft.keeping(own.melody, keep, bars) if own and keep is not None else None


def _bars(bars: int | None, own: Draft | Melody | None) -> int | None:
    """The bars of a melody: those of a draft, else as asked for, else those of the melody to vary."""
    if isinstance(own, Draft) or (own and bars is None):
        return own.bars
    return bars


def _generated(request: Request, made: Sample, own: UserTune | None) -> GeneratedMelody:
    pickup, setting = (None if request.to else own.pickup, own.own_setting) if own else (None, EXPRESSIVE)
    whole, modes = with_pickup(made, pickup), request.modes(made.trajectory)
    modes = modes if pickup is None else modes[:1] + modes
    return GeneratedMelody(
        whole.melody, made.emotion, made.description, whole.trajectory, modes, setting, whole.chords
    )


def load(name: str | Path = "emoreg-va") -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    return Model(load_checkpoint(find_weights(str(name))))
