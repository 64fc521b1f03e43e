"""The bench of the record commits what it counts, on both sides."""

from contextlib import closing

from gate_service.bench import commits
from gate_service.bench.loop import run_loop
from sync.store import FILE_NAME, sqlite_module
from sync.verify import verify_directory

SPAN_S = 0.4


def rows(folder):
    with closing(sqlite_module.connect(str(folder / FILE_NAME))) as connection:
        return connection.execute("SELECT COUNT(*) FROM records").fetchone()[0]


def test_both_sides_commit_what_they_count_and_the_product_keeps_its_chain(tmp_path):
    product, raw = tmp_path / "product", tmp_path / "raw"
    per_s = run_loop(commits._product(product, 8, 0.0, SPAN_S))
    report = verify_directory(product)
    assert report.findings == []
    assert 0 < per_s * SPAN_S * 0.5 <= report.records
    assert 0 < commits._raw(raw, 8, 0.0, SPAN_S) * SPAN_S * 0.5 <= rows(raw)


def test_a_slow_disk_is_slow_for_both(tmp_path):
    assert run_loop(commits._product(tmp_path / "product", 1, 0.05, SPAN_S)) < 20
    assert commits._raw(tmp_path / "raw", 1, 0.05, SPAN_S) < 20
