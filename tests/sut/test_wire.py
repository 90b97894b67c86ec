"""The wire format: frames between judge and SUT, and the allowed values."""

from __future__ import annotations

import contextlib
import enum
import json
import socket
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drill_katas.sut.wire import MAX_DEPTH, Channel, Closed, WireError, decode, encode, find_unplain

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)
FRAMES = st.dictionaries(TEXT, PLAIN, max_size=5)


class Pair:
    """The two ends of a connection, the far one without a `Channel`."""

    def __init__(self, **options):
        near, self.far = socket.socketpair()
        self.channel = Channel(near, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.channel.close()
        self.far.close()


@pytest.fixture
def pair():
    with Pair() as pair:
        yield pair


# Channel


@pytest.mark.long
@given(st.lists(FRAMES, min_size=1, max_size=5))
@example([{"newline": "a\nb\r\n\u2028", "": [], "deep": [[[{"a": None}]]]}])
def test_frames_arrive_unchanged_and_in_order(frames):
    with Pair() as pair:
        other = Channel(pair.far)
        for frame in frames:
            pair.channel.send(frame)
        assert [other.receive(timeout=5) for _ in frames] == frames
        assert other.receive(timeout=0) is None


def test_a_frame_is_one_line_of_json(pair):
    pair.channel.send({"text": "a\nb", "number": 1})
    line = pair.far.recv(4096)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == {"text": "a\nb", "number": 1}


@pytest.mark.long
@given(st.lists(FRAMES, min_size=1, max_size=3), st.data())
def test_a_frame_may_arrive_in_any_pieces(frames, data):
    stream = b"".join(encode(frame) + b"\n" for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    received = []
    with Pair() as pair:
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            pair.far.sendall(stream[start:end])
            while (frame := pair.channel.receive(timeout=0)) is not None:
                received.append(frame)
    assert received == frames


def test_a_late_frame_is_not_lost(pair):
    assert pair.channel.receive(timeout=0) is None
    pair.far.sendall(b'{"a": ')
    assert pair.channel.receive(timeout=0.01) is None
    pair.far.sendall(b'1}\n{"b"')
    assert pair.channel.receive(timeout=5) == {"a": 1}
    assert pair.channel.receive(timeout=0) is None
    pair.far.sendall(b": 2}\n")
    assert pair.channel.receive() == {"b": 2}


def test_receiver_without_timeout_waits_for_frame(pair):
    received = []
    waiting = threading.Thread(target=lambda: received.append(pair.channel.receive()))
    waiting.start()
    pair.far.sendall(b'{"late": true}\n')
    waiting.join(timeout=30)
    assert received == [{"late": True}]


@pytest.mark.parametrize("over", [-1, 0])
def test_a_frame_up_to_the_cap_arrives(over):
    with Pair(max_frame=100) as pair:
        line = encode({"a": "x" * (100 - len('{"a":""}') + over)})
        assert len(line) == 100 + over
        pair.far.sendall(line + b"\n")
        assert pair.channel.receive(timeout=5) == decode(line)


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["without its end", "with its end"])
@pytest.mark.parametrize("size", [101, 1000, 100_000])
def test_frames_over_the_cap_are_refused(size, end):
    with Pair(max_frame=100) as pair:
        line = encode({"a": "x" * (size - len('{"a":""}'))})
        sender = threading.Thread(target=send_while_it_lasts, args=(pair.far, line + end))
        sender.start()
        with pytest.raises(WireError, match="a frame of more than 100 bytes"):
            pair.channel.receive(timeout=5)
        pair.channel.close()
        sender.join(timeout=30)


def send_while_it_lasts(sock, data):
    with contextlib.suppress(OSError):
        sock.sendall(data)


def test_endless_frame_is_refused_before_filling_memory():
    with Pair() as pair:
        sender = threading.Thread(target=send_while_it_lasts, args=(pair.far, b'"' + b"x" * 50_000_000))
        sender.start()
        with pytest.raises(WireError, match="a frame of more than 1,000,000 bytes"):
            pair.channel.receive(timeout=30)
        assert len(pair.channel._begun) < 1_200_000
        pair.channel.close()
        sender.join(timeout=30)


NOT_JSON = {
    "words": b"hello",
    "nothing": b"",
    "half an object": b'{"a": ',
    "two objects": b'{"a": 1} {"b": 2}',
    "a number that is none": b'{"a": NaN}',
    "an endless number": b'{"a": 1e999}',
    "no UTF-8": b"\xff\xfe",
    "no UTF-8 in a string": b'{"a": "\xff"}',
    "no UTF-8 in a key": b'{"\xff": 1}',
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "deep nesting": b"[" * 200_000,
    "deep nesting of objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("line", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused(pair, line):
    sender = threading.Thread(target=send_while_it_lasts, args=(pair.far, line + b"\n"))
    sender.start()
    with pytest.raises(WireError, match=r"a frame (that is not JSON|of another type)"):
        pair.channel.receive(timeout=5)
    sender.join(timeout=30)


@given(st.binary(max_size=200).map(lambda junk: junk.replace(b"\n", b"")))
@example(b'{"kind": "\xff"}')
def test_no_bytes_whatever_raise_anything_else(junk):
    with Pair() as pair:
        pair.far.sendall(junk + b"\n")
        try:
            frame = pair.channel.receive(timeout=5)
        except WireError:
            return
        assert isinstance(frame, dict)


@pytest.mark.parametrize(
    ("line", "name"),
    [(b"[1]", "array"), (b"1", "int"), (b'"a"', "str"), (b"null", "null"), (b"true", "bool"), (b"1.5", "float")],
)
def test_frame_that_is_not_object_is_refused(pair, line, name):
    pair.far.sendall(line + b"\n")
    with pytest.raises(WireError, match=f"a frame of another type: Expected `object`, got `{name}`"):
        pair.channel.receive(timeout=5)


def test_closed_connection_differs_from_silent_one(pair):
    pair.far.sendall(b'{"last": 1}\n{"half": ')
    pair.far.close()
    assert pair.channel.receive(timeout=5) == {"last": 1}
    for timeout in (5, None):
        with pytest.raises(Closed):
            pair.channel.receive(timeout=timeout)


def test_sending_to_a_closed_connection_says_so(pair):
    pair.far.close()
    with pytest.raises(Closed):
        pair.channel.send({"a": 1})


def test_reset_connection_counts_as_closed():
    """The far end goes with bytes unread: TCP and Unix sockets then reset in place of an orderly end."""
    with Pair() as pair:
        pair.channel.send({"never": "read"})
        pair.far.close()
        with pytest.raises(Closed):
            pair.channel.receive(timeout=5)


def test_closing_twice_is_fine(pair):
    pair.channel.close()
    pair.channel.close()


def test_threads_send_whole_frames():
    with Pair() as pair:
        threads = [
            threading.Thread(
                target=lambda n=number: [pair.channel.send({"n": n, "x": "x" * 20_000}) for _ in range(20)]
            )
            for number in range(4)
        ]
        other = Channel(pair.far)
        for thread in threads:
            thread.start()
        numbers = [other.receive(timeout=30)["n"] for _ in range(80)]
        for thread in threads:
            thread.join(timeout=30)
    assert sorted(numbers) == sorted([0, 1, 2, 3] * 20)


# Plain data


@given(PLAIN)
def test_plain_data_crosses_and_arrives_unchanged(value):
    assert find_unplain(value) is None
    assert decode(encode({"ok": value})) == {"ok": value}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.floats() | st.binary() | st.just(1j),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=10,
)


@given(ANYTHING)
@example("\ud800")
@example({"\udcff": 1})
@example([1 << 20_000])
@example(-(10**5000))
def test_accepted_values_can_be_written_and_read(value):
    """Otherwise the answer would kill its program, and the report would show a crash."""
    if find_unplain(value) is None:
        assert decode(encode({"ok": value})) == {"ok": value}


class Money(int):
    pass


class Name(str):
    __slots__ = ()


class Answer(enum.StrEnum):
    PAID = "paid"


class Size(enum.IntEnum):
    SMALL = 1


class Color(enum.Enum):
    RED = "red"


class Mute:
    def __repr__(self):
        raise ValueError


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def test_str_and_int_enums_cross_as_values():
    """As in production, where `Answer.PAID` equals "paid"."""
    answer = {"status": Answer.PAID, "sizes": [Size.SMALL]}
    assert find_unplain(answer) is None
    assert decode(encode({"ok": answer})) == {"ok": {"status": "paid", "sizes": [1]}}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1.5, "a float (1.5)"),
        (float("nan"), "a float (nan)"),
        (b"raw", "a bytes (b'raw')"),
        ((1, 2), "a tuple ((1, 2))"),
        ({1}, "a set ({1})"),
        (1j, "a complex (1j)"),
        (Money(5), "a Money (5)"),
        (Name("x"), "a Name ('x')"),
        (Color.RED, "a Color (<Color.RED: 'red'>)"),
        (Mute(), "a Mute (its repr() raises)"),
        ([1, [2, 3.5]], "at [1][1] a float (3.5)"),
        ({"a": {"b": [None, b""]}}, "at ['a']['b'][1] a bytes (b'')"),
        ({1: "x"}, "a dict key of type int (1)"),
        ({"a": {None: 1}}, "at ['a'] a dict key of type NoneType (None)"),
        ({Name("a"): 1}, "a dict key of type Name ('a')"),
        ([1, 2.5, (3,)], "at [1] a float (2.5)"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_unplain_values_are_named_with_place(value, problem):
    assert find_unplain(value) == problem


def test_a_long_value_is_shown_cut_short():
    problem = find_unplain(["x", b"y" * 10_000])
    assert problem.startswith("at [1] a bytes (b'yyyy")
    assert problem.endswith("...)")
    assert len(problem) < 100


def test_nesting_has_a_limit():
    assert find_unplain(nested(MAX_DEPTH - 1)) is None
    assert find_unplain(nested(MAX_DEPTH)) == f"at {'[0]' * MAX_DEPTH} nesting deeper than {MAX_DEPTH} levels"
    knot = {}
    knot["again"] = knot
    assert f"nesting deeper than {MAX_DEPTH} levels" in find_unplain(knot)


@given(PLAIN, st.floats() | st.binary() | st.tuples(st.integers()))
def test_one_unplain_value_spoils_the_whole(plain, spoiler):
    assert find_unplain([plain, spoiler]).startswith(f"at [1] a {type(spoiler).__name__} ")
    assert find_unplain({"a": plain, "b": [spoiler]}).startswith(f"at ['b'][0] a {type(spoiler).__name__} ")
