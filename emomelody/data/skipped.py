"""Why pieces and windows are skipped, and what users can do about it."""

from __future__ import annotations

from emomelody.data.corpus import READ_AS

NO_BEAT = "piece played without a beat"
NO_BAR = "piece without a whole bar"
OFF_GRID = "window off the sixteenth grid"
RESTS = "window with more rest than sound"
DUPLICATE = "exact duplicate of another melody"
_METERS = tuple(READ_AS)
_PIECE_IN, _WINDOW_NOT_IN = "piece in ", "window not in "

# By the beginning of the reason.
_REMEDIES = {
    NO_BEAT: "quantise the notes in a notation program or a sequencer first",
    NO_BAR: "at least a bar is needed after the pickup",
    OFF_GRID: "quantise the notes to sixteenths; triplets are not read",
    RESTS: "if another track or part has the melody, name the track Melody or make it the first part",
    DUPLICATE: "it is written once",
    _PIECE_IN: f"only {', '.join(_METERS[:-1])} and {_METERS[-1]} are read",
    _WINDOW_NOT_IN: "four bars must be in one meter",
}


def other_meter(notated: str) -> str:
    """The reason for skipping a piece in a meter that is not used."""
    return _PIECE_IN + notated


def change_of_meter(notated: str) -> str:
    """The reason for skipping a window that is not wholly in the meter of its piece."""
    return _WINDOW_NOT_IN + notated


def remedy(reason: str) -> str:
    """What a user can do about one of the reasons above, or needs to know of it."""
    return next(text for beginning, text in _REMEDIES.items() if reason.startswith(beginning))
