-- The script for SQLite. Its last output line is the result of SQLite's own check.
CREATE TABLE readings (id INTEGER PRIMARY KEY, station TEXT, day INTEGER, value REAL, note BLOB);
WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 200000)
INSERT INTO readings
  SELECT n, 'station ' || (n * 7919 % 613), n % 365, (n * 31 % 1009) / 8.0, zeroblob(n * 13 % 97)
  FROM counted;
CREATE INDEX by_station ON readings (station, day);
SELECT station, count(*), sum(value), max(length(note))
  FROM readings GROUP BY station ORDER BY sum(value) DESC, station LIMIT 20;
SELECT day, group_concat(id) FROM readings WHERE day % 50 = 0 GROUP BY day;
SELECT count(DISTINCT upper(station) || day) FROM readings;
DELETE FROM readings WHERE id % 5 <> 0;
VACUUM;
SELECT count(*), total(value) FROM readings;
PRAGMA integrity_check;
