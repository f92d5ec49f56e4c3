"""Weights files: a model's arrays with its configuration, vocabulary and emotion plane. numpy, no torch.

May import ``errors``, ``files``, ``music`` and ``emotions``. Begin with ``checkpoint.py``; ``config.py`` has
the sizes and tensors of the models, ``container.py`` the file format.
"""
