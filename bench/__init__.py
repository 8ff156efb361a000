"""The benchmark: a large practice built by SQL, and every hot path beside the plain SQL that does the same.

`make bench` runs it; README.md beside this file says what is measured and how to read it.
"""
