"""What can be said of an emotion: names and words, points and paths on the plane, the labelling rule.

May import: music. Begin with ``emotion``, then ``plane``.
"""
