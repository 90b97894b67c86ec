"""The wire format of judge and SUT: JSON lines over a stream socket, with a length limit and exact types.

The judge trusts no input: a frame that is too long or not JSON raises `WireError`. The SUT reports values that are not
plain data (`find_unplain`).
"""

from __future__ import annotations

import enum
import select
import threading
import time
from array import array
from socket import CMSG_LEN, MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import msgspec

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from _typeshed import FileDescriptorLike

MAX_FRAME: Final = 1_000_000  # bytes; a longer reply is an attack or a mistake
MAX_DEPTH: Final = 32
MAX_BITS: Final = 4096  # of an integer
FD_SPACE: Final = CMSG_LEN(array("i").itemsize)  # one file descriptor per message
SHOWN: Final = 60  # characters of a value in a message
_PLAIN_SCALARS: Final = (str, int, bool, type(None))

T = TypeVar("T")
OBJECTS: Final = msgspec.json.Decoder(dict[str, Any])
encode = msgspec.json.encode
decode = msgspec.json.decode


def shown(value: object) -> str:
    """Return plain data as JSON on one line with spaces, for messages."""
    return msgspec.json.format(encode(value), indent=0).decode()


class WireError(Exception):
    """The received data is not a frame of this format."""


class Closed(Exception):
    """The other end closed the connection."""


def poll_for(*files: FileDescriptorLike) -> select.poll:
    """Return a `poll` object for readable files; not select(2), because that fails for descriptors above 1023."""
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    return poll


class Channel:
    """One end of a connection: sends and receives frames, one JSON object per line.

    With `takes_fds` it collects received file descriptors in `fds`; otherwise the kernel discards them.
    """

    def __init__(self, sock: socket.socket, *, max_frame: int = MAX_FRAME, takes_fds: bool = False) -> None:
        self.socket = sock
        self.fds: list[int] = []
        self.received = 0  # bytes so far
        self._takes_fds = takes_fds
        self._max_frame = max_frame
        self._begun = bytearray()  # a partial frame
        self._unread = b""  # received data that is not split into frames yet
        self._sending = threading.Lock()  # so that a log line from another thread does not split an answer
        self._poll = poll_for(sock)

    def send(
        self, frame: msgspec.Struct | dict[str, Any], fds: Sequence[int] = (), left: Callable[[], float] | None = None
    ) -> None:
        """Send one frame. Raises `Closed` if the other end closed the connection.

        `left` returns the remaining seconds; it is required with `fds`, which are sent as copies. Raises `TimeoutError`
        if the time ends before the whole frame is sent; the connection is unusable after that.
        """
        data = encode(frame) + b"\n"
        try:
            with self._sending:
                if left is None:
                    self.socket.sendall(data)
                else:
                    self._send_within(left, data, fds)
        except (BrokenPipeError, ConnectionResetError) as gone:
            raise Closed from gone

    def _send_within(self, left: Callable[[], float], data: bytes | memoryview, fds: Sequence[int]) -> None:
        while True:
            try:
                if fds:
                    rights = [(SOL_SOCKET, SCM_RIGHTS, array("i", fds))]
                    sent = self.socket.sendmsg([data], rights, MSG_DONTWAIT)
                else:
                    sent = self.socket.send(data, MSG_DONTWAIT)
            except BlockingIOError:
                _await_room(self.socket, left)
                continue
            if sent == len(data):
                return
            data, fds = memoryview(data)[sent:], ()

    @overload
    def receive(self, timeout: float | None = None) -> dict[str, Any] | None: ...

    @overload
    def receive(self, timeout: float | None, decoder: msgspec.json.Decoder[T]) -> T | None: ...

    def receive(self, timeout: float | None = None, decoder: msgspec.json.Decoder[Any] = OBJECTS) -> Any:
        """Return the next decoded frame, or None if no whole frame arrives within `timeout` seconds.

        A timeout of None waits without end. Raises `Closed`, and `WireError` for a frame that is too long or not of the
        decoder's type.
        """
        deadline = time.monotonic() + timeout if timeout else None
        while True:
            line = self._take_line()
            if line is not None:
                return _parse(line, decoder)
            try:
                piece = self._receive(0 if timeout is None else MSG_DONTWAIT)
            except BlockingIOError:
                if deadline is None or not self._readable_until(deadline):
                    return None
                continue
            except ConnectionResetError as gone:
                raise Closed from gone
            if not piece:
                raise Closed
            self._unread = piece
            self.received += len(piece)

    def _receive(self, flags: int) -> bytes:
        if not self._takes_fds:
            return self.socket.recv(65536, flags)
        piece, ancillary, _, _ = self.socket.recvmsg(65536, FD_SPACE, flags)
        for level, kind, fds in ancillary:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                self.fds += array("i", fds)
        return piece

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        self.socket.close()

    def _take_line(self) -> bytes | bytearray | None:
        line: bytes | bytearray
        line, end, self._unread = self._unread.partition(b"\n")
        if self._begun or not end:
            self._begun += line
            line = self._begun
        if len(line) > self._max_frame:
            raise WireError(f"a frame of more than {self._max_frame:,} bytes")
        if not end:
            return None
        if self._begun:
            self._begun = bytearray()
        return line

    def _readable_until(self, deadline: float) -> bool:
        """Wait for data until the deadline; return whether there is any."""
        return bool(self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _await_room(sock: socket.socket, left: Callable[[], float]) -> None:
    """Wait until a socket is writable. Raises `TimeoutError` when no time is left."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while (seconds := left()) > 0:
        if poll.poll(seconds * 1000):
            return
    raise TimeoutError


def _parse(line: bytes | bytearray, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as invalid:
        raise WireError(f"a frame of another type: {invalid}") from invalid
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise WireError(f"a frame that is not JSON: {broken}") from broken


def find_unplain(value: object, path: str = "", depth: int = 0) -> str | None:
    """Return a description of the first part of `value` that is not plain data; None if all of it is.

    Plain data is exactly `str`, `int`, `bool`, `None`, and `list` and `dict` (with string keys) of plain data. A member
    of a `StrEnum` or `IntEnum` counts as its value. A float is not plain data, because money in floats is a bug.
    """
    if isinstance(value, enum.Enum) and isinstance(value, str | int):
        value = value.value
    where = f"at {path} " if path else ""
    if type(value) in _PLAIN_SCALARS:
        problem = _find_unsendable(value)
        return problem and f"{where}{problem}"
    if depth == MAX_DEPTH:
        return f"{where}nesting deeper than {MAX_DEPTH} levels"
    if type(value) is list:
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    elif type(value) is dict:
        for key in value:
            if type(key) is not str or _find_unsendable(key):
                return f"{where}a dict key of type {type(key).__name__} ({_short(key)})"
        items = ((f"{path}[{key!r}]", item) for key, item in value.items())
    else:
        return f"{where}a {type(value).__name__} ({_short(value)})"
    for item_path, item in items:
        problem = find_unplain(item, item_path, depth + 1)
        if problem:
            return problem
    return None


def _find_unsendable(value: object) -> str | None:
    """Return why JSON cannot represent a plain scalar: a lone surrogate, or an integer beyond `MAX_BITS`."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"an int of {value.bit_length():,} bits"
    if isinstance(value, str) and not value.isascii() and value.encode(errors="replace").decode() != value:
        return f"a str that is not valid Unicode ({_short(value)})"
    return None


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a learner's __repr__ may raise anything
        text = "its repr() raises"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
