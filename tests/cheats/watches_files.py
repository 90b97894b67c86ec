"""Watches the folders of other runs with inotify, and lists them, to learn about other submissions.

They are outside its file system, and seccomp refuses inotify.
"""
# stops: strong, reduced
# seen: fail: (Stolen|watch -> )

import glob


def _watch():
    found = glob.glob("/tmp/kata-*/*") + glob.glob(os.path.dirname(SECRET_FILE) + "/tmp/kata-*/*")
    here = os.getcwd()
    others = [each for each in found if not (here.startswith(each) or each.startswith(here))]
    if others:
        raise Stolen(f"files of others: {others}")
    fd = syscall(294, 0)  # inotify_init1
    for folder in (b"/tmp", b"/etc", b"/home"):
        syscall(254, fd, folder, 0x100)  # inotify_add_watch: IN_CREATE
        raise Stolen(f"what happens in {folder}")
    return "nobody"


if "Stolen" in outcome(_watch):
    raise Stolen(outcome(_watch))
tell(watch=_watch)
