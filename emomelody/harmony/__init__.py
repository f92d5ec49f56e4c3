"""The chords of a melody: what a model of them reads in the notes, the model, and how it is fitted.

May import ``music``. Begin with ``model.py``; ``slots.py`` has its features, ``labels.py`` the chords of
several voices that it learns from. ``fit.py`` alone imports torch.
"""
