"""target-c1: the users of any Singer tap as a file that C1 (ConductorOne) imports.

Knows Singer messages and C1's formats, nothing of any source.
"""
