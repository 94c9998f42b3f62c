CREATE TABLE IF NOT EXISTS naming_places (
  annotator INTEGER NOT NULL REFERENCES annotators (id),
  grp TEXT NOT NULL,
  opened REAL NOT NULL,
  seen REAL NOT NULL,              -- a place without an action is free again some time after this
  PRIMARY KEY (annotator, grp)
);

CREATE TABLE IF NOT EXISTS naming_actions (
  annotator INTEGER NOT NULL REFERENCES annotators (id),
  grp TEXT NOT NULL,
  number INTEGER NOT NULL,         -- 1, 2, 3, ... of this annotator in this group
  client_id TEXT NOT NULL,         -- of the browser: what is sent twice is kept once
  action TEXT NOT NULL,
  received REAL NOT NULL,
  PRIMARY KEY (annotator, grp, number),
  UNIQUE (annotator, grp, client_id)
);

CREATE TABLE IF NOT EXISTS naming_relations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  judge INTEGER REFERENCES annotators (id),   -- NULL: the owner
  grp TEXT NOT NULL,
  name_a TEXT NOT NULL,            -- as name_key gives them, name_a < name_b
  name_b TEXT NOT NULL,
  relation TEXT NOT NULL,
  received REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS naming_judges (
  annotator INTEGER PRIMARY KEY REFERENCES annotators (id),
  looked REAL                      -- from here on the annotator has seen others' names, and names no more
);
