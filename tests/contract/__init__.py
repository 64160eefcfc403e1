"""What the Admin API promises, asked of every server that the other tests rely on.

The same tests run against the sandbox in each of its manners and against real Ory Kratos, so that neither the
sandbox nor our idea of the API can drift from the real thing unnoticed. Where releases are known to differ, the
difference is a trait in `families.py`. Where sandbox and real server disagree, the real one is right.
"""
