"""Sampling: requests, decoding, and the folder and samples.json that ``sample`` writes.

May import music, performance, formats, models, files and workers. Begin with ``request.py`` (what can be
requested), then ``sampler.py`` (how a request becomes melodies) and ``folder.py`` (how they become files).
"""
