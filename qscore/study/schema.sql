CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS annotators (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  created REAL NOT NULL,
  consented REAL,
  revoked REAL
);

CREATE TABLE IF NOT EXISTS trials (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  condition TEXT NOT NULL,
  block INTEGER NOT NULL,          -- conditions are asked one after the other
  grp TEXT NOT NULL,
  query TEXT,                      -- NULL: may be asked whatever else was
  is_catch INTEGER NOT NULL,
  wanted INTEGER NOT NULL,
  shuffle INTEGER NOT NULL,
  answered INTEGER NOT NULL DEFAULT 0,
  CHECK (answered <= wanted)       -- the last line of defence: no answer too many can be written
);
CREATE INDEX IF NOT EXISTS trials_open ON trials (is_catch, block) WHERE answered < wanted;

CREATE TABLE IF NOT EXISTS assignments (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,         -- opaque, in the addresses of pages and images
  trial INTEGER NOT NULL REFERENCES trials (id),
  annotator INTEGER NOT NULL REFERENCES annotators (id),
  reserved REAL NOT NULL,
  expires REAL NOT NULL,
  shown REAL,
  answered REAL,
  day TEXT,                        -- UTC, of the answer
  choice TEXT,
  suits TEXT,
  response_ms INTEGER,
  UNIQUE (trial, annotator)
);
CREATE INDEX IF NOT EXISTS assignments_held ON assignments (trial, expires) WHERE answered IS NULL;
CREATE INDEX IF NOT EXISTS assignments_own ON assignments (annotator);

CREATE TRIGGER IF NOT EXISTS count_answers AFTER UPDATE OF answered ON assignments
WHEN old.answered IS NULL AND new.answered IS NOT NULL
BEGIN
  UPDATE trials SET answered = answered + 1 WHERE id = new.trial;
END;
