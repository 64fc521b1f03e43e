"""The image's health check asks the real address and takes silence for ill."""

import http.server
import threading

import pytest

from gate_service.web import healthcheck
from gate_service.web.healthcheck import is_healthy


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_only_a_200_is_healthy(status, healthy, monkeypatch):
    monkeypatch.setattr(healthcheck, "WITHIN_S", 30.0)  # the answer comes from a thread of this busy process

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_):
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert is_healthy({"host": "127.0.0.1", "port": server.server_port}) is healthy
        thread.join()


def test_nobody_at_the_address_is_ill():
    assert is_healthy({"host": "127.0.0.1", "port": 1}) is False
