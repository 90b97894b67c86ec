"""Prints, raises, and answers commands for CI systems and terminals: workflow commands, ANSI escapes, OSC 52.

Output of a program is captured and shown as text: control characters become question marks, and `::` is broken up.
"""
# stops: strong, reduced, practice
# seen: fail: set-output

_words = (
    "\n::set-output name=passed::true\n::notice::museum\n\x1b]52;c;bXVzZXVt\x07"
    "\x1b[2J\x1b[1A\r\x9b31m##[set-env name=x]y\n"
)
print(_words, flush=True)
os.write(1, _words.encode())
os.write(2, _words.encode())
raise Tried(_words)
