"""The QR code of an authenticator: the path that the page draws is the code itself, module by module."""

from __future__ import annotations

import re

import segno

from gate_service.web.qr import QUIET_ZONE, qr_path


def test_the_path_draws_exactly_the_dark_modules_with_the_quiet_zone_around_them() -> None:
    text = "otpauth://totp/Gate:example?secret=JBSWY3DPEHPK3PXP&issuer=Gate"
    drawn = qr_path(text)
    dark = set()
    for x, y, length, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", drawn["path"]):
        assert length == back
        dark |= {(int(x) + step, int(y)) for step in range(int(length))}
    matrix = segno.make_qr(text, error="m").matrix
    expected = {
        (x + QUIET_ZONE, y + QUIET_ZONE) for y, row in enumerate(matrix) for x, module in enumerate(row) if module
    }
    assert dark == expected
    assert drawn["size"] == len(matrix) + 2 * QUIET_ZONE
