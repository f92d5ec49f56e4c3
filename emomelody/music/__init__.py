"""Melodies apart from files and models: emotion, notes, tokens, key, features, the latent plane.

May import ``errors`` only.
Begin with ``emotion`` and ``melody``, then read ``tokens`` and ``plane``.
"""
