"""``emomelody sample``: its options, their checks, the runs that it plans and what it prints.

Begin with ``command``.
"""
