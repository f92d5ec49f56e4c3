"""Evaluation of models and of other systems' melodies: figures, the verdict, tables, the report.

May import every package but ``training``, ``api`` and ``cli``. Begin with ``evaluate`` (all figures of a
system as one dictionary), then the ``evaluate_*`` function of a block.
"""
