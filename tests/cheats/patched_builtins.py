"""Replaces sorted, sum, abs, isinstance and str's neighbours by functions that make everything come out right.

They are replaced in its own process, and no comparison is made there.
"""
# stops: strong, reduced, practice
# seen: fail: sorted is patched: \[\]

import builtins

builtins.sorted = lambda *_, **__: []
builtins.sum = builtins.abs = builtins.max = builtins.min = lambda *_, **__: 0
builtins.all = builtins.any = lambda *_: True


def _patched():
    raise Tried(f"sorted is patched: {sorted([2, 1])}")


for_nobody(_patched)
