"""Two-sample tests: can generated melodies be told from real ones?

Begin with ``classifiers`` (three classifiers in cross-validation) and ``discrepancy`` (a kernel test).
"""
