"""The ranges of General MIDI's instruments, and the octave in which an instrument can play a line."""

from __future__ import annotations

from collections.abc import Sequence

OCTAVES = (-4, 4)  # octaves down and up, inclusive
# Lowest and highest sounding MIDI pitch by program, as orchestration books give them for good players.
# Programs that are not listed, synthesisers and effects, play every pitch.
RANGES = {
    **dict.fromkeys(range(6), (21, 108)),  # pianos
    **dict.fromkeys((6, 7), (29, 89)),  # harpsichord, clavinet
    8: (60, 108),  # celesta
    9: (79, 108),  # glockenspiel
    10: (60, 96),  # music box
    11: (53, 89),  # vibraphone
    12: (45, 96),  # marimba
    13: (65, 108),  # xylophone
    **dict.fromkeys(range(16, 21), (36, 96)),  # organs
    **dict.fromkeys((21, 23), (53, 93)),  # accordions
    22: (48, 84),  # harmonica
    **dict.fromkeys(range(24, 32), (40, 86)),  # guitars
    **dict.fromkeys(range(32, 40), (28, 67)),  # basses
    40: (55, 100),  # violin
    41: (48, 88),  # viola
    42: (36, 76),  # cello
    43: (28, 60),  # double bass
    46: (24, 103),  # harp
    **dict.fromkeys(range(52, 55), (40, 81)),  # choirs
    **dict.fromkeys((56, 59), (52, 82)),  # trumpets
    57: (40, 72),  # trombone
    58: (26, 60),  # tuba
    60: (35, 77),  # horn
    64: (56, 87),  # soprano saxophone
    65: (49, 80),  # alto saxophone
    66: (44, 75),  # tenor saxophone
    67: (37, 68),  # baritone saxophone
    68: (58, 91),  # oboe
    69: (52, 81),  # English horn
    70: (34, 74),  # bassoon
    71: (50, 91),  # clarinet
    72: (74, 108),  # piccolo
    73: (60, 96),  # flute
    74: (65, 98),  # recorder
    **dict.fromkeys(range(75, 80), (60, 96)),  # other flutes
    110: (55, 100),  # fiddle
}


def playable_octave(pitches: Sequence[int], program: int, wanted: int) -> int:
    """The octave shift nearest to ``wanted`` with which an instrument can play these MIDI pitches.

    Where none suits all of them, it is the one that suits most.
    """
    low, high = RANGES.get(program, (0, 127))

    def distance(octave: int) -> tuple[int, int]:
        outside = sum(not low <= pitch + 12 * octave <= high for pitch in pitches)
        return outside, abs(octave - wanted)

    return min(range(OCTAVES[0], OCTAVES[1] + 1), key=distance)
