"""What ``sample`` takes from files: a melody to vary, to complete, or to lead to another one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from emomelody.cli.output import output
from emomelody.cli.sample.options import Options
from emomelody.errors import BadInput
from emomelody.music.draft import Draft
from emomelody.music.melody import BARS, Melody
from emomelody.music.meter import Meter
from emomelody.performance.setting import EXPRESSIVE, Setting
from emomelody.sampling.request import MAX_BARS, TUNE_BARS

MAX_DRAFT_BARS = 256  # kept and open
STEPS = 5  # melodies between two


@dataclass(frozen=True)
class Material:
    """What a request takes from the user's files, and what its melodies are to sound like."""

    file: Path | None = None
    like: Melody | None = None
    to: Melody | None = None
    draft: Draft | None = None
    pickup: Melody | None = None
    mode: str | None = None
    bars: int | None = None  # of the melodies; None: as asked for
    meter: Meter = Meter.FOUR_FOUR
    setting: Setting = EXPRESSIVE


def read_material(options: Options) -> Material:
    """What the options take from files. Raises BadInput for one that cannot be used, UsageError for bars."""
    if options.file is None:
        return Material()
    from emomelody.data.user_tune import read_tune

    tune = read_tune(options.file)
    for remark in tune.remarks:
        output.note(f"{options.file}: {remark}")
    own = Material(options.file, mode=tune.mode, meter=tune.melody.meter, setting=tune.own_setting)
    if options.continued:
        new = options.bars or TUNE_BARS
        return _with_draft(own, Draft.continued(tune.melody, new), tune.pickup)
    if options.keep:
        draft = Draft.keeping(tune.melody, options.keep, options.bars)
        return _with_draft(own, draft, tune.pickup)
    like = tune.bars(options.from_bar) if options.from_bar else tune.from_its_first_note
    if options.goal:
        goal = read_tune(options.goal, (own.meter,)).from_its_first_note
        bars = min(_blocks(like), _blocks(goal)) * BARS
        return replace(own, like=like, to=goal, bars=options.bars or min(bars, MAX_BARS))
    # The notes before its first bar belong to no other one.
    pickup = tune.pickup if like == tune.melody else None
    if like.bars > MAX_BARS:
        output.note(f"{tune.path} has {like.bars} bars: the first {MAX_BARS} of them are varied")
    like = like.beginning(min(like.bars, MAX_BARS))
    return replace(own, like=like, pickup=pickup, bars=options.bars or like.bars)


def _with_draft(own: Material, draft: Draft, pickup: Melody | None) -> Material:
    if draft.bars > MAX_DRAFT_BARS:
        raise BadInput(
            own.file or "", f"{draft.bars} bars with the new ones: no more than {MAX_DRAFT_BARS} can be"
        )
    return replace(own, draft=draft, pickup=pickup, bars=draft.bars)


def _blocks(melody: Melody) -> int:
    return -(-melody.bars // BARS)
