"""What other threads read of the disk's room between two looks at it."""

from sync.reserve import MIB, Reserve


class Watched(Reserve):
    """Keeps whatever anybody could have read."""

    free_bytes = 0

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "refuses_new":
            self.__dict__.setdefault("said", []).append(value)

    def _free(self):
        return self.free_bytes


def test_while_room_is_short_nobody_reads_that_there_is_some_and_with_room_again_at_once(tmp_path):
    reserve = Watched(tmp_path, 256 * MIB)
    reserve.free_bytes = 200 * MIB
    reserve.said.clear()
    for _ in range(3):
        reserve.look()
    assert all("200 MiB free, at least 256 expected" in why for why in reserve.said)
    reserve.free_bytes = 260 * MIB
    reserve.look()
    assert reserve.said[-1] is None
