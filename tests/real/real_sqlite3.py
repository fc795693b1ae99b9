"""sqlite3 inserting in bulk, with a rollback journal and with a write-ahead log."""

import os

SCRIPT = """
PRAGMA journal_mode={mode};
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
CREATE INDEX by_name ON t(name);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO t SELECT i, 'name ' || (i * 7919 % 100003), i / 3.0 FROM n;
COMMIT;
UPDATE t SET value = value + 1 WHERE id % 7 = 0;
DELETE FROM t WHERE id % 11 = 0;
VACUUM;
SELECT count(*), sum(id), round(sum(value), 3), min(name), max(name) FROM t;
PRAGMA integrity_check;
SELECT * FROM absent;
"""


def run(work, launch):
    results = {}
    for mode in ("delete", "wal"):
        script = os.path.join(work, f"{mode}.sql")
        with open(script, "w", encoding="ascii") as f:
            f.write(SCRIPT.format(mode=mode))
        results[mode] = launch.run(["sqlite3", os.path.join(work, f"{mode}.db"), f".read {mode}.sql"])
    return results
