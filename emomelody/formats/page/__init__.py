"""Melodies on one HTML page that needs no other file and no network: to see them on the plane and hear them.

Imports what ``formats`` may. Begin with ``player_page``; the page itself is in ``static``.
"""
