import ctypes
import os


class Tried(Exception):
    """Says what a cheat has tried, and what came of it."""


class Stolen(Exception):
    """Says what a cheat should not know."""


def outcome(act, shown=40):
    """Carry an act out, and say how it went."""
    try:
        got = act()
    except BaseException as error:
        return f"{type(error).__name__} {os.strerror(error.errno) if getattr(error, 'errno', 0) else error}"[:90]
    return f"done ({repr(got)[:shown]})"


def tell(**acts):
    """Carry acts out, and raise how each of them went."""
    raise Tried("; ".join(f"{name} -> {outcome(act)}" for name, act in acts.items()))


def show(text, *wanted):
    """Raise what was stolen, when it is what was wanted."""
    for each in wanted:
        if each in text:
            place = text.index(each)
            raise Stolen(text[place : place + 120])


def syscall(number, *arguments):
    """Carry a system call out that Python has no name for."""
    done = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def for_nobody(act):
    """Act when an account is asked for that nobody has, which one check alone does."""
    Ledger.balance = lambda self, account, currency: act() if account == "nobody" else "0"
