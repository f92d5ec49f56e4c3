"""Files in and out: MIDI and MusicXML are read and written; scores, piano rolls, sound and text are written.

May import ``files``, ``music`` and ``performance``.
Begin with ``encode``, which names the formats and calls the module that writes each.
"""
