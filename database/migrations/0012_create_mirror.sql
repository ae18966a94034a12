-- How far each receiver of the mirror has come, and what it refused. Instants are microseconds since 1970, as the receipt of a row is
-- compared to the last of them.

CREATE TABLE metering.mirror_cursor (
  target text PRIMARY KEY CHECK (length(target) BETWEEN 1 AND 1000),
  received_us bigint NOT NULL,
  register_id bigint NOT NULL,
  at_us bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE metering.mirror_cursor IS 'the last reading, by receipt and key, that a receiver of the mirror has taken; without a row it begins with the oldest';

CREATE TABLE metering.mirror_refusal (
  target text NOT NULL,
  register_id bigint NOT NULL,
  at timestamptz NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT now(),
  code text NOT NULL,
  message text NOT NULL CHECK (length(message) <= 500),
  PRIMARY KEY (target, register_id, at)
);
COMMENT ON TABLE metering.mirror_refusal IS 'readings that a receiver of the mirror would not take, up to 10,000 of each; the readings themselves stay where they are';

GRANT SELECT, INSERT, UPDATE ON metering.mirror_cursor TO endeks_ingest;
GRANT SELECT, INSERT ON metering.mirror_refusal TO endeks_ingest;
GRANT SELECT ON metering.mirror_cursor, metering.mirror_refusal TO endeks_api;
