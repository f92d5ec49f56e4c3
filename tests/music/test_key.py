"""Names of keys, their signatures, and the spelling of pitches."""

from __future__ import annotations

import pytest
from pieces import KEYS

from emomelody.errors import EmomelodyError
from emomelody.music.key import note_name, parse_key, signature, spell


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("A minor", "A", "minor"),
        ("f#m", "F#", "minor"),
        ("B♭", "Bb", None),
        ("b", "B", None),
        (" Eb Major ", "Eb", "major"),
    ],
)
def test_a_key_is_parsed_with_or_without_a_mode(text: str, tonic: str, mode: str | None) -> None:
    assert parse_key(text) == (tonic, mode)


@pytest.mark.parametrize("text", ["", "H", "A dur", "C##", "major"])
def test_an_unknown_key_is_refused(text: str) -> None:
    with pytest.raises(EmomelodyError, match="unknown key"):
        parse_key(text)


def test_a_tonic_without_a_signature_in_the_mode_is_respelled() -> None:
    assert (signature("Db", "major"), signature("Db", "minor")) == ("Db", "C#m")


def test_pitches_are_spelled_as_usual_in_their_key() -> None:
    for key, names in {
        "C": "C4 C♯4 D4 E♭4 E4 F4 F♯4 G4 G♯4 A4 B♭4 B4",
        "Cm": "C4 D♭4 D4 E♭4 E4 F4 F♯4 G4 A♭4 A4 B♭4 B4",
        "Am": "C4 C♯4 D4 D♯4 E4 F4 F♯4 G4 G♯4 A4 B♭4 B4",
        "E": "B♯3 C♯4 D4 D♯4 E4 E♯4 F♯4 G4 G♯4 A4 A♯4 B4",
        "Ebm": "C4 D♭4 D4 E♭4 F♭4 F4 G♭4 G4 A♭4 A4 B♭4 C♭5",
    }.items():
        assert [note_name(pitch, key) for pitch in range(60, 72)] == names.split()


def test_spelling_keeps_the_pitch() -> None:
    natural = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
    for tonic in KEYS:
        for mode in ("major", "minor"):
            for pitch in range(128):
                letter, alteration, octave = spell(pitch, signature(tonic, mode))
                assert 12 * (octave + 1) + natural[letter] + alteration == pitch
