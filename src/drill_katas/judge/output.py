"""The printed output of a SUT, of which the judge retains a bounded part."""

from __future__ import annotations

from collections import deque
from typing import Final

MAX_OUTPUT: Final = 4 << 20  # bytes a SUT may print during one check
RETAINED_OUTPUT: Final = 16 << 10  # bytes that are retained of its beginning, and as many of its end


class Output:
    """The beginning and the end of a SUT's output, and its total size."""

    def __init__(self) -> None:
        self.total = 0
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece of output."""
        self.total += len(piece)
        room = RETAINED_OUTPUT - len(self._head)
        self._head += piece[:room]
        rest = piece[room:] if room > 0 else piece
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail_size - len(self._tail[0] if self._tail else b"") > RETAINED_OUTPUT:
            self._tail_size -= len(self._tail.popleft())

    def text(self) -> str:
        """Return the retained output as text without control characters; a line shows how many bytes are left out."""
        tail = b"".join(self._tail)[-RETAINED_OUTPUT:]
        left_out = self.total - len(self._head) - len(tail)
        gap = f"\n... {left_out:,} bytes left out ...\n".encode() if left_out else b""
        text = (bytes(self._head) + gap + tail).decode(errors="replace")
        return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)
