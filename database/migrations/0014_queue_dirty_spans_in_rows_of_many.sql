-- A row for each register that got a reading would cost half as much as the reading itself: what a batch of readings made dirty is
-- queued many registers to a row. Entry n of each array is one span, its instants in milliseconds since 1970.
ALTER TABLE metering.dirty RENAME TO dirty_before;
ALTER TABLE metering.dirty_before RENAME CONSTRAINT dirty_pkey TO dirty_before_pkey;
CREATE TABLE metering.dirty (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  register_ids bigint[] NOT NULL,
  from_ms bigint[] NOT NULL,
  to_ms bigint[] NOT NULL,
  CHECK (cardinality(register_ids) BETWEEN 1 AND 64 AND cardinality(from_ms) = cardinality(register_ids) AND cardinality(to_ms) = cardinality(register_ids))
);
COMMENT ON TABLE metering.dirty IS 'spans of registers that validation has to look at again, many to a row; read them by metering.dirty_span';
INSERT INTO metering.dirty (register_ids, from_ms, to_ms)
  SELECT ARRAY[register_id], ARRAY[floor(1000 * extract(epoch FROM from_at))::bigint], ARRAY[ceil(1000 * extract(epoch FROM to_at))::bigint]
  FROM metering.dirty_before ORDER BY id;

CREATE VIEW metering.dirty_span AS
  SELECT span.register_id, timestamptz 'epoch' + span.from_ms * interval '1 millisecond' AS from_at,
    timestamptz 'epoch' + span.to_ms * interval '1 millisecond' AS to_at
  FROM metering.dirty d CROSS JOIN LATERAL unnest(d.register_ids, d.from_ms, d.to_ms) AS span (register_id, from_ms, to_ms);
COMMENT ON VIEW metering.dirty_span IS 'every span that validation has to look at again';

-- Both as they were, but for metering.dirty_span in place of metering.dirty.
CREATE OR REPLACE FUNCTION metering.readings_needed() RETURNS TABLE (reason text, needed_from timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'open exception', min(from_at) FROM metering.exception WHERE state = 'open' HAVING min(from_at) IS NOT NULL
  UNION ALL
  SELECT 'undecided conflict', min(at) FROM metering.reading_conflict WHERE decided_at IS NULL HAVING min(at) IS NOT NULL
  UNION ALL
  SELECT 'span to be validated', min(from_at) FROM metering.dirty_span HAVING min(from_at) IS NOT NULL
  UNION ALL
  SELECT 'unbilled supply', min(needed) FROM (
    SELECT greatest(p.valid_from, s.opened_at, billed.to_at) AS needed, least(p.valid_to, s.closed_at) AS ended
    FROM account.supply p
    JOIN account.subscription s ON s.id = p.subscription_id
    LEFT JOIN LATERAL (SELECT max(b.to_at) AS to_at FROM rating.bill b WHERE b.subscription_id = s.id AND b.superseded_at IS NULL) billed ON true
    WHERE p.superseded_at IS NULL
  ) supply WHERE ended IS NULL OR ended > needed
  HAVING min(needed) IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION metering.drop_expired(most integer) RETURNS TABLE (dropped text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  expired timestamptz;
  bound timestamptz;
  each record;
  found_late boolean;
  remaining integer := most;
BEGIN
  IF most NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'between 1 and 100 parts are dropped at once, not %', most USING ERRCODE = '22023';
  END IF;
  SELECT now() - make_interval(months => keep_months) INTO expired FROM metering.storage_policy WHERE keep_months IS NOT NULL;
  IF NOT EXISTS (SELECT FROM metering.storage_parts('reading') p WHERE p.to_at <= expired
    UNION ALL SELECT FROM metering.storage_parts('exchange') p WHERE p.to_at <= expired - interval '1 day') THEN
    RETURN;
  END IF;
  SELECT least(expired, min(needed_from) - interval '1 day') INTO bound FROM metering.readings_needed();
  -- From here on validation waits, and so may open no exception that needs what is being dropped.
  PERFORM pg_advisory_xact_lock(hashtextextended('metering.readings_floor', 0));
  SELECT least(bound, (SELECT min(from_at) FROM metering.exception WHERE state = 'open') - interval '1 day',
    (SELECT min(from_at) FROM metering.dirty_span) - interval '1 day') INTO bound;
  FOR each IN SELECT * FROM metering.storage_parts('reading') p WHERE p.to_at <= bound LOOP
    EXIT WHEN remaining = 0;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE received_at >= $1)', each.part) INTO found_late USING expired;
    CONTINUE WHEN found_late;
    -- The table first: who writes locks it before its part. Then nothing can have come in between unseen.
    LOCK TABLE ONLY metering.reading IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE received_at >= $1)', each.part) INTO found_late USING expired;
    CONTINUE WHEN found_late;
    PERFORM metering.drop_part('reading', each.part, each.from_at, each.to_at);
    UPDATE metering.storage_policy SET readings_dropped_before = greatest(readings_dropped_before, each.to_at);
    remaining := remaining - 1;
    dropped := format('readings from %s to %s', each.from_at::date, each.to_at::date);
    RETURN NEXT;
  END LOOP;
  -- An exchange is never older than its readings by more than clocks differ: a day is kept for that.
  FOR each IN SELECT * FROM metering.storage_parts('exchange') p WHERE p.to_at <= bound - interval '1 day' LOOP
    EXIT WHEN remaining = 0;
    LOCK TABLE ONLY metering.exchange IN ACCESS EXCLUSIVE MODE;
    PERFORM metering.drop_part('exchange', each.part, each.from_at, each.to_at);
    remaining := remaining - 1;
    dropped := format('exchanges from %s to %s', each.from_at::date, each.to_at::date);
    RETURN NEXT;
  END LOOP;
END
$$;

DROP TABLE metering.dirty_before;

-- Each of its values is the first of a block of so many ids.
ALTER SEQUENCE metering.exchange_id INCREMENT BY 1024;

GRANT SELECT, INSERT, UPDATE, DELETE ON metering.dirty TO endeks_ingest; -- UPDATE for FOR UPDATE SKIP LOCKED
GRANT USAGE ON ALL SEQUENCES IN SCHEMA metering TO endeks_ingest;
GRANT SELECT ON metering.dirty_span TO endeks_ingest;
GRANT SELECT ON metering.dirty, metering.dirty_span TO endeks_rating, endeks_api;
