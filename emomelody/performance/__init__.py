"""How a melody is played: key, register, tempo, loudness and instrument, fixed or following the emotion.

May import ``music``.
Begin with ``setting``, the user's choices, and ``piece``, which applies them; chords under a melody are in
``accompaniment`` and ``voicing``.
"""
