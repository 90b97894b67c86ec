"""Leaves symbolic and hard links to host files in every writable folder, for a cleanup to follow.

Removal does not follow links, and the kernel refuses hard links to files of another owner.
"""
# stops: strong, reduced, practice as root
# seen: fail: soft -> .*hard ->

import glob
import tempfile


def _soft():
    made = 0
    for folder in [tempfile.gettempdir(), *glob.glob("/tmp/kata-*/sut"), "."]:
        try:
            os.symlink(os.path.dirname(CANARY), os.path.join(folder, "link-to-canaries"))
            made += 1
            os.remove(os.path.join(folder, "link-to-canaries")) if folder == tempfile.gettempdir() else None
        except OSError:
            pass
    return made


def _hard():
    path = os.path.join(tempfile.gettempdir(), MARK + "hard")
    os.link(CANARY, path)
    with open(path, "a") as file:
        file.write("changed")


tell(soft=_soft, hard=_hard)
