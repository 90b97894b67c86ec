"""What a SUT prints, kept within bounds."""

from __future__ import annotations

from collections import deque
from typing import Final

MAX_OUTPUT: Final = 4 << 20  # bytes a SUT may print during one check
KEPT_OUTPUT: Final = 16 << 10  # bytes of its beginning, and of its end, that are kept


class Output:
    """What a SUT printed: its beginning and its end, and how much there was in all."""

    def __init__(self) -> None:
        self.total = 0
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.total += len(piece)
        room = KEPT_OUTPUT - len(self._head)
        self._head += piece[:room]
        rest = piece[room:] if room > 0 else piece
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail_size - len(self._tail[0] if self._tail else b"") > KEPT_OUTPUT:
            self._tail_size -= len(self._tail.popleft())

    def text(self) -> str:
        """Return what is kept, as text without control characters; what was left out is said."""
        tail = b"".join(self._tail)[-KEPT_OUTPUT:]
        left_out = self.total - len(self._head) - len(tail)
        gap = f"\n... {left_out:,} bytes left out ...\n".encode() if left_out else b""
        text = (bytes(self._head) + gap + tail).decode(errors="replace")
        return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)
