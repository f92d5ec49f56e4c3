"""The chords under melodies: do they fit, move and close as those of real chorales do?

Begin with ``figures`` (the block of ``evaluate``), then ``metrics``. May import what ``evaluation`` may.
"""
