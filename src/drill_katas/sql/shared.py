"""Memory that a judge shares with the SQL server of a check, so that a statement costs no message between the two.

| word | written by | content |
| --- | --- | --- |
| CAUSE | judge | number of the check's call that is under way, 0 if there is none |
| ARMED | judge | 1 while each step has to be asked about |
| DATABASES | judge | number of databases that the server has been sent |
| CHANGES | server | another number after each statement that was recorded |
| LENGTH | server | bytes of the text behind the words: the statement that went beyond a bound |
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Final

CAUSE, ARMED, DATABASES, CHANGES, LENGTH = range(5)
WORD: Final = 8  # bytes
TEXT: Final = 64  # where the text begins
SIZE: Final = mmap.PAGESIZE
MOST_TEXT: Final = 2_000  # bytes


class Shared:
    """A mapping of one page: `words` are its numbers."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, SIZE)
        self.words = memoryview(self._memory)[:TEXT].cast("Q")

    def write_text(self, text: str) -> None:
        """Leave a text, cut to what there is room for."""
        data = text.encode(errors="replace")[:MOST_TEXT]
        self._memory[TEXT : TEXT + len(data)] = data
        self.words[LENGTH] = len(data)

    def text(self) -> str:
        """Return the text that was left."""
        return self._memory[TEXT : TEXT + min(self.words[LENGTH], MOST_TEXT)].decode(errors="replace")

    def close(self) -> None:
        """Unmap the page."""
        self.words.release()
        self._memory.close()


def new_page(folder: str) -> int:
    """Return a descriptor of a page of zeros, in a file without a name."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(SIZE))
        file.flush()
        return os.dup(file.fileno())
