"""The root of a segment: the Merkle tree hash of RFC 6962, section 2.1, over the hashes of its records. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def merkle_root(hashes: Iterable[str]) -> str:
    """Root over record hashes (lower-case hexadecimal) in their order; of none, the hash of nothing.

    A leaf is SHA-256(0x00 || the 32 bytes of the hash), a node SHA-256(0x01 || left || right).
    """
    level = [hashlib.sha256(b"\x00" + bytes.fromhex(one)).digest() for one in hashes]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        # A last node without a neighbour rises as it is: the same tree as splitting at the largest power of two.
        joined = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = joined + level[len(joined) * 2 :]
    return level[0].hex()
