"""What ``formats.score`` writes scores with: note values and chord symbols.

Imports what ``formats`` may.
"""
