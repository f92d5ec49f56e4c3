"""Note values: how notes and rests of any duration are written with ties, in each time signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emomelody.music.meter import TimeSignature

# Note values in steps, longest first, with the steps of a bar on which each may begin. Other notes are split
# and tied, so that the beats and the middle of the bar stay visible. In 6/8 only a note of a whole bar hides
# its middle; in 3/4 no dotted quarter ends the bar, because after another one it would look like 6/8.
_NOTE_VALUES: dict[TimeSignature, tuple[tuple[int, Sequence[int]], ...]] = {
    TimeSignature.FOUR_FOUR: (
        (16, (0,)),
        (12, (0, 4)),
        (8, (0, 4, 8)),
        (6, (0, 2, 8, 10)),
        (4, (0, 2, 4, 6, 8, 10, 12)),
        (3, (0, 1, 4, 5, 8, 9, 12, 13)),
        (2, (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14)),
        (1, range(16)),
    ),
    TimeSignature.THREE_FOUR: (
        (12, (0,)),
        (8, (0, 4)),
        (6, (0, 2, 4)),
        (4, (0, 2, 4, 6, 8)),
        (3, (0, 1, 4, 5, 8, 9)),
        (2, (0, 1, 2, 4, 5, 6, 8, 9, 10)),
        (1, range(12)),
    ),
    TimeSignature.SIX_EIGHT: (
        (12, (0,)),
        (6, (0, 6)),
        (4, (0, 2, 6, 8)),
        (3, (0, 1, 2, 3, 6, 7, 8, 9)),
        (2, (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)),
        (1, range(12)),
    ),
}
# Values, with their steps, that hide a beat of 3/4. A note that needs a tie anyway is split at the beat.
_HIDING_A_BEAT = {TimeSignature.THREE_FOUR: {(6, 2), (4, 2), (4, 6)}}
# Rests begin at multiples of their own length, and have dots only where they fill a beat of 6/8. A bar of
# rest is one rest; otherwise each beat of 3/4 has its own, and a quarter rest in 6/8 begins a beat.
_REST_VALUES: dict[TimeSignature, tuple[tuple[int, Sequence[int]], ...]] = {
    TimeSignature.FOUR_FOUR: tuple((value, range(0, 16, value)) for value in (16, 8, 4, 2, 1)),
    TimeSignature.THREE_FOUR: tuple((value, range(0, 12, value)) for value in (12, 4, 2, 1)),
    TimeSignature.SIX_EIGHT: ((12, (0,)), (6, (0, 6)), (4, (0, 6)), (2, range(0, 12, 2)), (1, range(12))),
}
for _values in (_NOTE_VALUES, _REST_VALUES):
    _values[TimeSignature.TWO_TWO] = _values[TimeSignature.FOUR_FOUR]
    _values[TimeSignature.TWO_FOUR] = tuple(  # as in the first half of a bar of 4/4
        (value, [step for step in steps if step + value <= TimeSignature.TWO_FOUR.bar])
        for value, steps in _values[TimeSignature.FOUR_FOUR]
        if value <= TimeSignature.TWO_FOUR.bar
    )


def split_values(
    onset: int, duration: int, meter: TimeSignature = TimeSignature.FOUR_FOUR, *, rest: bool = False
) -> Iterator[tuple[int, int]]:
    """Split a note or rest into written values, as (onset, duration) in steps, none across a barline."""
    end = onset + duration
    values, hiding = (_REST_VALUES if rest else _NOTE_VALUES)[meter], _HIDING_A_BEAT.get(meter, set())
    while onset < end:
        step = onset % meter.bar
        room = min(end - onset, meter.bar - step)
        value = next(
            value
            for value, steps in values
            if value <= room and step in steps and (onset + value == end or (value, step) not in hiding)
        )
        yield onset, value
        onset += value
