"""From MIDI, MusicXML and ABC files to labelled four-bar melodies, tokens and a split.

May import ``errors``, ``files``, ``workers``, ``music``, ``emotions``, ``performance`` and ``formats``.
Begin with ``preprocess`` (sources to a data folder), then ``dataset`` (a data folder to arrays).
"""
