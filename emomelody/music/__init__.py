"""Melodies apart from files, models and emotions: notes, meters, tokens, keys, forms, features.

May import ``errors`` only. Begin with ``melody`` and ``meter``, then read ``tokens`` and ``form``.
"""
