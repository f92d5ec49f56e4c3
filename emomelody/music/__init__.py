"""What can be said of a melody without files or models: emotion, notes, tokens, key, features, the plane.

May import ``errors`` only.
Begin with ``emotion`` and ``melody``, then read ``tokens`` and ``plane``.
"""
