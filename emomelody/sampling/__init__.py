"""Sampling: requests, decoding, and the folder and samples.json that ``sample`` writes.

May import music, emotions, performance, formats, weights, files and workers; no torch. Begin with
``request.py`` (what can be requested), then ``sampler.py`` (how a request becomes melodies), ``decoder.py``
(the models) and ``runs`` (how melodies become files).
"""
