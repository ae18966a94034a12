-- When the first number of a range arrived: since then the gap before it is known. What stands now was last extended then.
ALTER TABLE metering.sequence_range ADD COLUMN began_at timestamptz;
UPDATE metering.sequence_range SET began_at = received_at;
ALTER TABLE metering.sequence_range ALTER COLUMN began_at SET DEFAULT now(), ALTER COLUMN began_at SET NOT NULL;

-- Message numbers that a gateway gave up before they were acknowledged, as it declared them. A declaration that was not acknowledged
-- comes again, and its range may have grown since.
CREATE TABLE metering.sequence_loss (
  gateway_id text NOT NULL,
  epoch text NOT NULL,
  lane text NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL CHECK (last >= first),
  readings bigint NOT NULL CHECK (readings >= 0),
  received_at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL,
  PRIMARY KEY (gateway_id, epoch, lane, first)
);
COMMENT ON TABLE metering.sequence_loss IS 'message numbers that a gateway declared lost, and how many readings were in them';

-- Every epoch and lane counts from 1. A number that is neither stored nor declared, though a later one is, is an open gap; one that
-- arrives after all fills it. Ranges may overlap, so each is held against the furthest number of all before it.
CREATE VIEW metering.sequence_gap AS
  SELECT gateway_id, epoch, lane, before + 1 AS first, first - 1 AS last, 'open' AS state, began_at AS since, NULL::bigint AS readings, NULL AS reason
  FROM (
    SELECT covered.*, coalesce(max(last) OVER (PARTITION BY gateway_id, epoch, lane ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM (SELECT gateway_id, epoch, lane, first, last, began_at FROM metering.sequence_range
      UNION ALL SELECT gateway_id, epoch, lane, first, last, received_at FROM metering.sequence_loss) covered
  ) each WHERE first > before + 1
  UNION ALL
  SELECT gateway_id, epoch, lane, first, last, 'declared', received_at, readings, reason FROM metering.sequence_loss;
COMMENT ON VIEW metering.sequence_gap IS 'message numbers that are missing: open, or declared as lost by the gateway';

GRANT SELECT, INSERT, UPDATE (last, readings) ON metering.sequence_loss TO endeks_ingest;
GRANT DELETE ON metering.sequence_range TO endeks_ingest; -- of ranges that have grown into one
GRANT SELECT ON metering.sequence_loss, metering.sequence_gap TO endeks_rating, endeks_api;
