"""Runs of ``emomelody sample``: their configuration, their files in a folder, and samples.json."""
