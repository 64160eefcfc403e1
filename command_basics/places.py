"""Where an error nobody foresaw came from, for a report: the module by its dotted name, for many files share theirs."""

from __future__ import annotations


def place_of(error: BaseException) -> str:
    """Return `module.name:line` of the innermost frame."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "an unknown place"
