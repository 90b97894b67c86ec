"""Imports the grader's own catalogue of katas, asks it for the solutions, and shows what it finds.

What is imported comes from its file system, in which there is no more of the grader than what serves a program.
"""
# stops: strong, reduced
# through: practice
# seen: fail: (Stolen|catalogue -> )


def _look():
    from drill_katas.catalog.katas import shipped

    show((shipped().get("fp_drift").solutions / "ledger.py").read_text(), "EXACT = Context")


try:
    _look()
except Stolen:
    raise
except Exception:
    tell(catalogue=_look)
