"""HTTP/1.1 on one connection, with an end to how much may stand before the body: nobody has signed in by then."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES: Final = 64 * 1024  # request line and headers; four times what browsers send at most. Site decision


class LimitedHttp(HttpToolsProtocol):
    """The web server's own protocol; it would keep headers without any limit (measured: 8 MB, taken whole)."""

    _is_in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on the body is counted by whoever reads it (`bodies.read_bytes`)."""
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Answer 400 and close once the head is too large."""
        super().data_received(data)
        if not self._is_in_head or self.transport is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > LARGEST_HEAD_BYTES:
            self.send_400_response("Headers too large.")
