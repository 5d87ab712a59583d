"""Frames in and out of one socket, against the other end of a socket pair."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from struct import pack

import pytest
from amqp.exceptions import UnexpectedFrame

from services.chassis.wire import FRAME_MOST, OUTPUT_LIMIT, Transport
from tests.unit.chassis.socket_pair import Frame, Line

FRAMES: list[Frame] = [
    (1, 1, b"\0\x3c\0\x3c"),
    (8, 0, b""),
    (3, 65535, bytes(range(256))),
    (2, 7, b"\xce" * 9),
]


def _bytes(frames: list[Frame]) -> bytes:
    return b"".join(pack(">BHI", kind, channel, len(data)) + data + b"\xce" for kind, channel, data in frames)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


# ---------------------------------------------------------------- in


def test_frames_split_anywhere_arrive_whole(line: Line) -> None:
    whole = _bytes(FRAMES)
    for place in range(len(whole) + 1):
        found = []
        for piece in (whole[:place], whole[place:]):
            line.broker.sendall(piece)
            while (frame := line.frame()) is not None:
                found.append(frame)
        assert found == FRAMES, place


def test_frames_that_come_a_byte_at_a_time_arrive_whole(line: Line) -> None:
    found = []
    for byte in _bytes(FRAMES):
        line.broker.sendall(bytes((byte,)))
        if (frame := line.frame()) is not None:
            found.append(frame)
    assert found == FRAMES


def test_many_frames_need_one_read(line: Line) -> None:
    line.broker.sendall(_bytes(FRAMES * 20))
    first = line.frame()
    line.broker.close()
    assert [first, *(line.frame() for _ in range(len(FRAMES) * 20 - 1))] == FRAMES * 20
    with pytest.raises(ConnectionResetError):
        line.frame()


def test_a_frame_larger_than_one_read_arrives_whole(line: Line) -> None:
    body = bytes(range(256)) * 1000
    whole = _bytes([(3, 1, body), *FRAMES])
    found = []
    for start in range(0, len(whole), 10_000):
        line.broker.sendall(whole[start : start + 10_000])
        while (frame := line.frame()) is not None:
            found.append(frame)
    assert found == [(3, 1, body), *FRAMES]


def test_what_was_read_before_a_pause_is_not_lost(line: Line) -> None:
    whole = _bytes(FRAMES[:1])
    line.broker.sendall(whole[:-1])
    assert line.frame() is None
    assert line.frame() is None
    line.broker.sendall(whole[-1:])
    assert line.frame() == FRAMES[0]


def test_a_frame_that_does_not_end_where_it_says_is_an_error(line: Line) -> None:
    line.broker.sendall(_bytes(FRAMES[:1])[:-1] + b"\0")
    with pytest.raises(UnexpectedFrame):
        line.frame()


def test_a_frame_of_nonsensical_length_is_not_waited_for(line: Line) -> None:
    line.broker.sendall(pack(">BHI", 1, 0, FRAME_MOST + 1) + b"\0")
    with pytest.raises(UnexpectedFrame):
        line.frame()


def test_a_closed_connection_is_an_error_not_an_endless_read(line: Line) -> None:
    line.broker.close()
    with pytest.raises(ConnectionResetError):
        line.frame()


def test_whatever_is_read_counts_as_heard(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.transport.heard_at = 0.0
    assert line.frame() is None
    assert line.transport.heard_at == 0.0
    line.broker.sendall(b"\x08")
    assert line.frame() is None
    assert line.transport.heard_at > 0.0


# ---------------------------------------------------------------- out


def test_writes_of_one_turn_leave_together(line: Line) -> None:
    for piece in (b"one", memoryview(b"two"), b"three"):
        line.transport.write(piece)
    assert len(line.loop.soon) == 1
    assert line.heard() == b""
    line.loop.turn()
    assert line.heard() == b"onetwothree"
    assert line.transport.unsent == 0
    line.transport.write(b"four")
    line.loop.turn()
    assert line.heard() == b"four"


def test_what_the_socket_does_not_take_leaves_later_and_in_order(line: Line) -> None:
    sent = bytes(range(256)) * 8192
    line.transport.write(sent)
    line.loop.turn()
    assert 0 < line.transport.unsent < len(sent)
    line.transport.write(b"the end")
    assert not line.loop.soon  # the one that waits for the socket takes this with it
    heard = b""
    for _ in range(1000):
        heard += line.heard()
        line.loop.writable()
        if not line.transport.unsent:
            break
    assert heard + line.heard() == sent + b"the end"
    line.transport.write(b"!")
    line.loop.turn()
    assert line.heard() == b"!"


def test_a_socket_that_takes_nothing_is_asked_again_only_when_it_can(line: Line) -> None:
    line.transport.write(b"x" * (4 << 20))
    line.loop.turn()
    waiting = line.transport.unsent
    line.loop.writable()
    assert line.transport.unsent == waiting
    assert len(line.loop.when_writable) == 1
    assert not line.loop.soon


def test_output_is_full_beyond_its_limit_and_empty_again_afterwards(line: Line) -> None:
    line.transport.write(b"x" * OUTPUT_LIMIT)
    assert not line.transport.full
    line.transport.write(b"x")
    assert line.transport.full
    line.loop.turn()
    for _ in range(10_000):
        line.heard()
        line.loop.writable()
        if not line.transport.unsent:
            break
    assert not line.transport.full


def test_writing_to_a_broken_socket_is_left_to_the_reader_to_find(line: Line) -> None:
    line.broker.close()
    line.transport.write(b"gone")
    line.loop.turn()
    assert line.transport.unsent == 0
    line.transport.write(b"gone too")
    line.loop.turn()
    assert line.transport.unsent == 0


def test_a_flush_after_the_socket_is_gone_is_harmless(line: Line) -> None:
    line.transport.write(b"late")
    line.transport.sock.close()
    line.transport.sock = None
    line.loop.turn()


def test_before_the_loop_takes_over_writes_go_straight_out() -> None:
    ours, broker = socket.socketpair()
    with ours, broker:
        transport = Transport("broker.invalid:5672")
        transport.sock = ours
        transport._write = ours.sendall
        transport.write(b"AMQP\0\0\x09\x01")
        assert broker.recv(8) == b"AMQP\0\0\x09\x01"
        transport.sock = None
