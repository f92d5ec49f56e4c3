"""Files in and out: MIDI, MusicXML and ABC are read; MIDI, scores, piano rolls, sound and text are written.

May import ``files``, ``music`` and ``performance``.
Begin with ``encode``, which names the formats and calls the module that writes each.
"""
