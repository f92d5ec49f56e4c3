"""``emomelody evaluate``: its options, what it reads, writes and prints.

Begin with ``command``.
"""
