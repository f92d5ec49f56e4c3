"""The models in torch, and their losses.

May import ``errors``, ``music``, ``emotions`` and ``weights``; nothing here trains, samples or prints.
Begin with ``cvae`` (the paper's models), then ``emoreg_va`` (ours).
"""
