"""Training: a data folder in, a run folder with weights, history and pictures out.

May import ``errors``, ``files``, ``music``, ``emotions``, ``formats``, ``data``, ``weights`` and
``models``.
Begin with ``trainer`` (the loop), then ``recipes`` (loss, optimiser and schedule of each model).
"""
