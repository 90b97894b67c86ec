"""Replaces sorted, sum, abs, isinstance, and other builtins, so that every comparison succeeds.

It replaces them in its own process, and no comparison happens there.
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
