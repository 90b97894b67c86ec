"""Imports the grader's catalog of katas, asks it for the solutions, and shows the result.

Imports come from its file system, which contains only the modules that serve a program.
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
