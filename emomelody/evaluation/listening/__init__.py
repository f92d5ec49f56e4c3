"""The answers of a listening test: read from listeners' files, analysed, and shown as tables.

Begin with ``answers`` (what a file holds, and which files are used), then ``analysis``.
"""
