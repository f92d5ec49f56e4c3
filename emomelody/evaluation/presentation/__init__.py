"""How figures are shown: the verdict, all tables, the report.

Begin with ``tables`` (sheets of text from figures), then ``report`` (one HTML page).
"""
