"""The cutter alone, with a toy format: `<` two letters `>`; lower case is a failed check."""

from devices.weighbridge.cutter import NOISE_RUN_BYTES, Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Reason, Rejected, Status, WeightFrame


def scan(window: Window) -> Scanned:
    if len(window.data) < 4:
        return None
    frame = window.data[:4]
    if frame[3:] != b">":
        return Drop(Reason.LENGTH, 4)
    if not frame[1:3].isupper():
        return Drop(Reason.CHECKSUM, 4)
    return Take(WeightFrame("1", None, None, None, Status.OK, frame))


def cut(*chunks: bytes) -> list[tuple[str, bytes]]:
    cutter = FrameCutter(seek=seek_any(b"<"), scan=scan, limit=4)
    frames: list[Decoded] = [frame for chunk in chunks for frame in cutter.feed(chunk)] + cutter.flush()
    return [(str(frame.reason) if isinstance(frame, Rejected) else "frame", frame.raw) for frame in frames]


def test_a_failed_frame_is_told_once_and_whole() -> None:
    assert cut(b"<ab><CD>") == [("checksum", b"<ab>"), ("frame", b"<CD>")]


def test_a_good_frame_inside_a_failed_one_is_found() -> None:
    assert cut(b"<a<CD>") == [("length", b"<a"), ("frame", b"<CD>")]


def test_a_failed_frame_does_not_swallow_the_noise_behind_it() -> None:
    assert cut(b"<ab>xyz") == [("checksum", b"<ab>"), ("noise", b"xyz")]


def test_the_end_of_input_inside_a_frame_is_incomplete() -> None:
    assert cut(b"<CD><E") == [("frame", b"<CD>"), ("incomplete", b"<E")]


def test_line_ends_between_frames_are_not_told() -> None:
    assert cut(b"<AB>\r\n<CD>\n") == [("frame", b"<AB>"), ("frame", b"<CD>")]


def test_long_noise_comes_in_pieces_whatever_the_chunks() -> None:
    noise = b"x" * (NOISE_RUN_BYTES + 10)
    whole = cut(noise)
    assert [len(raw) for _, raw in whole] == [NOISE_RUN_BYTES, 10]
    assert cut(*(noise[at : at + 7] for at in range(0, len(noise), 7))) == whole


def test_a_scan_that_never_settles_is_cut_off_at_its_limit() -> None:
    cutter = FrameCutter(seek=seek_any(b"<"), scan=lambda _window: None, limit=4)
    assert next(str(frame.reason) for frame in cutter.feed(b"<<<<xxxxx") if isinstance(frame, Rejected)) == "length"
    assert len(cutter._buffer) < 4


def test_a_decoder_starts_anew_after_a_flush() -> None:
    cutter = FrameCutter(seek=seek_any(b"<"), scan=scan, limit=4)
    cutter.feed(b"<A")
    cutter.flush()
    assert [frame.raw for frame in cutter.feed(b"B>")] == []
    assert [frame.raw for frame in cutter.flush()] == [b"B>"]
