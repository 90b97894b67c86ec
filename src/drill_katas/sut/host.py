"""Executes the judge's requests on the learner's modules and answers with plain data.

`protocol.py` defines the requests and replies.
"""

from __future__ import annotations

import errno
import functools
import importlib
import inspect
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from drill_katas.sut import clock, driver, telemetry
from drill_katas.sut.opacity import is_of_contract, is_public
from drill_katas.sut.package import bind_package, module_from_elsewhere
from drill_katas.sut.protocol import (
    REQUESTS,
    AdvanceClock,
    CallMethod,
    CloseObject,
    Import,
    JudgeRequest,
    Kind,
    Metrics,
    Open,
    Problem,
    Reply,
    Serve,
    Tasks,
    VirtualTime,
)
from drill_katas.sut.upstream_client import UpstreamClient
from drill_katas.sut.wire import Channel, Closed, find_unplain

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy
    from aiohttp.web import Application

    from drill_katas.sut.web import AppLoop

MAX_MESSAGE: Final = 1_000  # characters of an exception's message that are sent
SHOWN_FRAMES: Final = 10  # frames of a deep stack that are sent, at each end


class CallRefused(Exception):
    """A request failed, or the module breaks the contract; carries the error answer."""

    def __init__(self, kind: Kind, message: str, error: BaseException | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.problem = Problem(
            kind=kind,
            type=type(error).__name__ if error else "",
            message=sendable(message),
            frames=frames_of(error) if error else [],
        )


def sendable(text: str) -> str:
    """Return the text as valid Unicode of at most `MAX_MESSAGE` characters and an ellipsis."""
    text = text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}..."
    return text.encode("utf-8", "backslashreplace").decode()


class Host:
    """The opened objects of one SUT. `answer` never raises, whatever the learner's code does."""

    def __init__(
        self, package: str, modules: list[str], folder: str, *, opaque: bool = False, keeps_error: bool = False
    ) -> None:
        self._opaque = opaque
        self._keeps_error = keeps_error  # False in a SUT, because a traceback keeps the sessions of a failed call open
        self._package = package
        self._modules = modules
        self._folder = folder
        self.last_error: BaseException | None = None
        self._objects: dict[int, Any] = {}
        self._engines: dict[int, list[Any]] = {}
        self._numbers = iter(range(1, sys.maxsize))
        self._fds: list[int] = []  # file descriptors of the request
        self._loop: AppLoop | None = None  # event loop of the applications
        self._operations: dict[type[JudgeRequest], Callable[[Any], Any]] = {
            Import: self._import,
            Open: self._open,
            CallMethod: self._call,
            Serve: self._serve_app,
            Tasks: self._tasks,
            CloseObject: self._close,
            Metrics: lambda _: telemetry.read_metrics(),
            VirtualTime: lambda _: clock.make_virtual(),
            AdvanceClock: self._advance,
        }

    def answer(self, request: JudgeRequest, fds: list[int]) -> Reply:
        """Execute one request with its file descriptors and return the reply."""
        self._fds = fds
        try:
            with telemetry.trace(request.trace):
                return Reply(ok=self._operations[type(request)](request))
        except CallRefused as refused:
            self.last_error = refused.error if self._keeps_error else None
            return Reply(error=replace(refused.problem, frames=[]) if self._opaque else refused.problem)

    def _import(self, _: Import) -> None:
        bind_package(self._package, self._folder)
        for module in self._modules:
            _guarded("import", importlib.import_module, f"{self._package}.{module}")
        if elsewhere := module_from_elsewhere(self._package, self._folder):
            raise CallRefused("elsewhere", elsewhere)

    def _open(self, request: Open) -> int:
        number = next(self._numbers)
        self._engines[number] = []
        args = [self._resolve(arg, number) for arg in request.args]
        factory = self._find(request.target)
        self._objects[number] = self._called(request.target, factory, args)
        return number

    def _call(self, request: CallMethod) -> Any:
        thing = self._objects[request.number]
        name = f"{type(thing).__name__}.{request.method}"
        public = not self._opaque or is_public(request.method)
        bound = _guarded("raised", getattr, thing, request.method, None) if public else None
        if not callable(bound):
            raise CallRefused("missing", f"{name} is missing")
        value = self._called(name, bound, request.args)
        problem = find_unplain(value)
        if problem:
            raise CallRefused("unplain", f"{name} returned {problem}")
        return value

    def _close(self, request: CloseObject) -> None:
        self._objects.pop(request.number, None)
        for engine in self._engines.pop(request.number, ()):
            engine.dispose()

    def _serve_app(self, request: Serve) -> None:
        from drill_katas.sut.web import AppLoop  # noqa: PLC0415 - slow, and only katas with applications need it

        target, node = request.target, request.node
        factory, number = self._find(target), next(self._numbers)
        self._engines[number] = []
        settings = {name: self._resolve(value, number) for name, value in request.settings.items()}
        world = self._world("World")
        self._loop = self._loop or AppLoop()
        make = functools.partial(
            self._make_app, target, factory, lambda: world(node["name"], node["links"], **settings)
        )
        self._loop.serve(make, node["name"], socket.socket(fileno=self._fds.pop(0)))

    def _tasks(self, _: Tasks) -> list[list[list[Any]]]:
        return self._loop.stacks() if self._loop and not self._opaque else []

    def _advance(self, request: AdvanceClock) -> float:
        if self._loop:
            return self._loop.advance(request.seconds)
        clock.advance(request.seconds)
        return request.seconds

    def _called(self, name: str, target: Callable[..., Any], args: list[Any]) -> Any:
        """Call a function of the contract. Its signature is checked only after a `TypeError`, because that is slow."""
        try:
            return _guarded("raised", target, *args)
        except CallRefused as refused:
            if isinstance(refused.error, TypeError):
                _check_signature(name, target, args, shown=not self._opaque)
            raise

    def _find(self, target: str) -> Any:
        wanted, _, target = target.rpartition(".")
        for module in [wanted] if wanted else self._modules:
            found = getattr(sys.modules.get(f"{self._package}.{module}"), target, None)
            if found is not None and (not self._opaque or is_of_contract(target, found, self._package)):
                return found
        raise CallRefused("missing", f"{target} is missing{f' in {wanted}.py' if wanted else ''}")

    def _resolve(self, arg: Any, number: int) -> Any:
        """Return the learner's argument for `arg`: the client of a resource, or plain data unchanged."""
        match arg:
            case {"$database": {"address": address, "service": service, "client": client}}:
                return self._world(client)(functools.partial(self._engine, number, address, service))
            case {"$database": {"address": address, "service": service}}:
                return self._engine(number, address, service)
            case {"$upstream": {"address": address, "service": service, "client": client}}:
                return self._world(client)(UpstreamClient(address, service))
            case _:
                return arg

    def _make_app(self, target: str, factory: Any, make_world: Callable[[], Any]) -> Application:
        from aiohttp.web import Application  # noqa: PLC0415

        _check_signature(target, factory, [None], shown=not self._opaque)
        app = _guarded("raised", lambda: factory(make_world()))
        if not isinstance(app, Application):
            raise CallRefused("unplain", f"{target} returned a {type(app).__name__}, not an aiohttp.web.Application")
        return app

    def _world(self, client: str) -> Any:
        module = _guarded("kata", importlib.import_module, f"{self._package}.world")
        if not hasattr(module, client):
            raise CallRefused("kata", f"world.py has no class {client}")
        return getattr(module, client)

    def _engine(self, number: int, address: str, service: str, **options: Any) -> sqlalchemy.Engine:
        """Make an engine that is disposed of when the object `number` is closed."""
        engine = driver.make_engine(address, service, **options)
        self._engines.setdefault(number, []).append(engine)
        return engine


def _guarded(kind: Kind, act: Callable[..., Any], *args: Any) -> Any:
    """Run the learner's code and turn every exception into `CallRefused`."""
    try:
        return act(*args)
    except MemoryError as error:
        raise CallRefused("memory", str(error), error) from None
    except BlockingIOError as error:  # from fork(2): too many processes; other calls raise it for other reasons
        raise CallRefused("processes" if _cannot_fork() else kind, str(error), error) from None
    except OSError as error:
        raise CallRefused("memory" if error.errno == errno.ENOMEM else kind, _message_of(error), error) from None
    except SystemExit as error:
        raise CallRefused("exit", f"sys.exit({error.code!r})", error) from None
    except BaseException as error:  # noqa: BLE001 - the learner's code may raise anything
        if isinstance(error, SyntaxError) and kind == "import" and error.lineno:
            raise CallRefused(kind, f"line {error.lineno}: {error.msg}", error) from None
        kind = "processes" if "can't start new thread" in _message_of(error) else kind
        raise CallRefused(kind, _message_of(error), error) from None


def _cannot_fork() -> bool:
    try:
        pid = os.fork()
    except BlockingIOError:
        return True
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return False


def _check_signature(name: str, target: Any, args: list[Any], *, shown: bool) -> None:
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):  # a builtin without a signature
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        raise CallRefused("signature", f"{name}{signature if shown else '(...)'}: {error}") from None


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a learner's __str__ may raise anything
        return "its str() raises"


def frames_of(error: BaseException) -> list[tuple[str, int, str, str]]:
    """Return the traceback of `error`, innermost frame last; each frame is (file, line, function, source)."""
    stack = list(traceback.extract_tb(error.__traceback__))
    if len(stack) > 2 * SHOWN_FRAMES:  # a recursion; leave out its middle
        stack = [*stack[:SHOWN_FRAMES], *stack[-SHOWN_FRAMES:]]
    frames = [_frame(each.filename, each.lineno, each.name, each.line) for each in stack]
    if isinstance(error, SyntaxError):
        frames.append(_frame(error.filename, error.lineno, "<module>", error.text))
    return frames


def _frame(file: str | None, line: int | None, function: str, source: str | None) -> tuple[str, int, str, str]:
    return file or "", line or 0, function, sendable((source or "").rstrip()[:200])


def serve(sock: socket.socket, host: Host) -> None:
    """Answer the judge's requests until it closes the connection."""
    channel = Channel(sock, takes_fds=True)
    telemetry.send_logs_to(lambda line, at: channel.send(Reply(log=line, at=at)))
    while True:
        try:
            request = channel.receive(None, REQUESTS)
            assert request is not None
            channel.send(host.answer(request, channel.fds))
        except Closed:
            return
