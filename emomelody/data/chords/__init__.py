"""The chords of the chorales: read from all voices, kept beside the melodies in ``chords.csv``.

Begin with ``table.py``.
"""
