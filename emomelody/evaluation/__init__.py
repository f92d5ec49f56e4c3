"""Evaluation of models and of other systems' melodies: figures, and in ``presentation`` how they are shown.

May import every package but ``training``, ``api`` and ``cli``. Begin with ``evaluate`` (all figures of a
system as one dictionary), then the ``evaluate_*`` function of a block.
"""
