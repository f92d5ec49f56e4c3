"""The models in torch, their losses, and weights files.

May import ``errors``, ``files`` and ``music``; nothing here trains, samples or prints.
Begin with ``cvae`` (the paper's models), then ``emoreg_va`` (ours) and ``checkpoint`` (weights files).
"""
