-- How long raw data is kept, and when it moves into the columnstore, is data of the utility, not of the program. What a bill used
-- is copied into the bill when it is issued; what nobody has billed or decided yet is never dropped, however old.

-- Whether the tables are hypertables, not whether somebody installed the extension: a database that was made with partitions
-- stays with partitions, and would find nobody to make them otherwise.
CREATE OR REPLACE FUNCTION metering.has_timescale() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table WHERE partrelid = pg_catalog.to_regclass('metering.reading'))
$$;

CREATE TABLE metering.storage_policy (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  keep_months integer CHECK (keep_months BETWEEN 2 AND 1200),
  columnstore_after_days integer NOT NULL DEFAULT 45 CHECK (columnstore_after_days BETWEEN 45 AND 36500),
  readings_dropped_before timestamptz
);
COMMENT ON COLUMN metering.storage_policy.keep_months IS 'raw readings and their exchanges are kept so long after their instant and their receipt; null for ever';
COMMENT ON COLUMN metering.storage_policy.readings_dropped_before IS 'readings before this may be gone: validation changes nothing before it';

-- A database that has older readings already keeps them until somebody says otherwise: an upgrade drops nothing.
INSERT INTO metering.storage_policy (keep_months)
SELECT CASE WHEN EXISTS (SELECT FROM metering.reading WHERE at < now() - interval '13 months') THEN NULL ELSE 13 END;

-- Finds what was received lately without a cost to those who write: one entry for some thousands of rows. Rows of old instants
-- arrive late, so their receipt decides when they have been kept long enough; and the mirror follows the receipt.
CREATE INDEX reading_received ON metering.reading USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);

-- What still needs readings, from when on. Each reason holds back all that is younger.
CREATE FUNCTION metering.readings_needed() RETURNS TABLE (reason text, needed_from timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'open exception', min(from_at) FROM metering.exception WHERE state = 'open' HAVING min(from_at) IS NOT NULL
  UNION ALL
  SELECT 'undecided conflict', min(at) FROM metering.reading_conflict WHERE decided_at IS NULL HAVING min(at) IS NOT NULL
  UNION ALL
  SELECT 'span to be validated', min(from_at) FROM metering.dirty HAVING min(from_at) IS NOT NULL
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
COMMENT ON FUNCTION metering.readings_needed() IS 'for which reason readings can''t be dropped, and from which instant on';

-- The months or chunks of a table, oldest first. Only partitions that ensure_partitions made have a name that tells their month.
CREATE FUNCTION metering.storage_parts(table_name text) RETURNS TABLE (part regclass, from_at timestamptz, to_at timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
  IF metering.has_timescale() THEN
    RETURN QUERY SELECT format('%I.%I', c.chunk_schema, c.chunk_name)::regclass, c.range_start, c.range_end
      FROM timescaledb_information.chunks c WHERE c.hypertable_schema = 'metering' AND c.hypertable_name = table_name ORDER BY c.range_start;
  ELSE
    RETURN QUERY SELECT t.part, t.month, t.month + interval '1 month'
      FROM (SELECT c.oid::regclass AS part, to_timestamp(right(c.relname, 6), 'YYYYMM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('metering.%I', table_name)::regclass AND c.relname ~ ('^' || table_name || '_\d{6}$')) t
      ORDER BY t.month;
  END IF;
END
$$;

-- Before this instant readings may be gone. Whoever calls it keeps them from being dropped until its transaction ends.
CREATE FUNCTION metering.readings_floor() RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('metering.readings_floor', 0));
  RETURN (SELECT readings_dropped_before FROM metering.storage_policy);
END
$$;

-- Drops one part of a table whole.
CREATE FUNCTION metering.drop_part(table_name text, part regclass, from_at timestamptz, to_at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
  IF metering.has_timescale() THEN
    EXECUTE format('SELECT %s.drop_chunks(%L::regclass, older_than => %L::%s, newer_than => %L::%s)',
      (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'timescaledb'), 'metering.' || table_name,
      to_at, (SELECT kind FROM metering.time_table WHERE name = table_name), from_at, (SELECT kind FROM metering.time_table WHERE name = table_name));
  ELSE
    EXECUTE format('DROP TABLE %s', part);
  END IF;
END
$$;

CREATE FUNCTION metering.drop_expired(most integer) RETURNS TABLE (dropped text)
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
    (SELECT min(from_at) FROM metering.dirty) - interval '1 day') INTO bound;
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
COMMENT ON FUNCTION metering.drop_expired(integer) IS 'drops at most so many months or chunks whose rows are all older than the policy keeps them and that nothing needs';

-- Compression by TimescaleDB's own job where its licence has it; retention is never its job, as it asks nobody who needs the data.
CREATE FUNCTION metering.apply_storage_policy() RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  api regnamespace;
  wanted interval;
  each record;
BEGIN
  IF NOT metering.has_timescale() THEN
    RETURN 'partitions';
  END IF;
  IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'timescale' THEN
    RETURN 'hypertables';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('metering.apply_storage_policy', 0));
  SELECT extnamespace::regnamespace INTO api FROM pg_extension WHERE extname = 'timescaledb';
  SELECT make_interval(days => columnstore_after_days) INTO wanted FROM metering.storage_policy;
  FOR each IN
    SELECT h.hypertable_name AS name, h.compression_enabled AS enabled, s.segment_by, s.order_by,
      (SELECT (j.config ->> 'compress_after')::interval FROM timescaledb_information.jobs j
       WHERE j.hypertable_schema = 'metering' AND j.hypertable_name = h.hypertable_name AND j.proc_name = 'policy_compression') AS standing
    -- received_at among the order has its bounds kept for each batch, for those who look for what came lately
    FROM (VALUES ('reading', 'register_id', 'at, received_at'), ('exchange', 'gateway_id', 'id')) AS s (name, segment_by, order_by)
    JOIN timescaledb_information.hypertables h ON h.hypertable_schema = 'metering' AND h.hypertable_name = s.name
  LOOP
    IF NOT each.enabled THEN
      EXECUTE format('ALTER TABLE metering.%I SET (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
        each.name, each.segment_by, each.order_by);
    END IF;
    CONTINUE WHEN each.standing IS NOT DISTINCT FROM wanted;
    IF each.standing IS NOT NULL THEN
      EXECUTE format('SELECT %s.remove_compression_policy(%L)', api, 'metering.' || each.name);
    END IF;
    EXECUTE format('SELECT %s.add_compression_policy(%L, compress_after => %L::interval)', api, 'metering.' || each.name, wanted);
  END LOOP;
  RETURN 'columnstore';
END
$$;

GRANT SELECT ON metering.storage_policy TO endeks_ingest, endeks_rating, endeks_api;
GRANT EXECUTE ON FUNCTION metering.apply_storage_policy(), metering.drop_expired(integer), metering.readings_needed(), metering.readings_floor() TO endeks_ingest;
GRANT EXECUTE ON FUNCTION metering.readings_needed() TO endeks_api;
