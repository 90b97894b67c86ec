"""Shared memory of the judge and a check's SQL server, so that statements need no messages between the two.

| word | written by | content |
| --- | --- | --- |
| CAUSE | judge | number of the check's call in progress, 0 without one |
| ARMED | judge | 1 while the server must ask about each step |
| DATABASES | judge | number of databases that the judge added |
| CHANGES | server | a counter that changes with each recorded statement |
| LENGTH | server | bytes of the text after the words: the statement that exceeded a limit |
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Final

CAUSE, ARMED, DATABASES, CHANGES, LENGTH = range(5)
WORD: Final = 8  # bytes
TEXT: Final = 64  # offset of the text
SIZE: Final = mmap.PAGESIZE
MOST_TEXT: Final = 2_000  # bytes


class Shared:
    """A mapping of the shared page; `words` are its numbers."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, SIZE)
        self.words = memoryview(self._memory)[:TEXT].cast("Q")

    def write_text(self, text: str) -> None:
        """Write a text, truncated to `MOST_TEXT` bytes."""
        data = text.encode(errors="replace")[:MOST_TEXT]
        self._memory[TEXT : TEXT + len(data)] = data
        self.words[LENGTH] = len(data)

    def text(self) -> str:
        """Return the text of the last `write_text`."""
        return self._memory[TEXT : TEXT + min(self.words[LENGTH], MOST_TEXT)].decode(errors="replace")

    def close(self) -> None:
        """Unmap the page."""
        self.words.release()
        self._memory.close()


def new_page(folder: str) -> int:
    """Return a file descriptor of a page of zeros, in an unnamed file."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(SIZE))
        file.flush()
        return os.dup(file.fileno())
