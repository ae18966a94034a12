-- Time-series tables: hypertables where TimescaleDB is installed, monthly partitions by metering.ensure_partitions() where it is
-- not. There is no default partition: a row for which nobody asked a partition is refused, not hidden.

CREATE TABLE metering.time_table (name text PRIMARY KEY, time_column text NOT NULL, kind text NOT NULL CHECK (kind IN ('date', 'timestamptz')));

CREATE FUNCTION metering.has_timescale() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
$$;

DO $$
DECLARE
  clause text;
  each record;
BEGIN
  FOR each IN
    SELECT * FROM (VALUES
      ('reading', 'at', 'timestamptz',
       'register_id bigint NOT NULL, at timestamptz NOT NULL, raw bigint NOT NULL, exchange_id bigint, received_at timestamptz NOT NULL DEFAULT now(),
        exchange_day date, status integer NOT NULL, scaler smallint NOT NULL, unit text NOT NULL, source text NOT NULL, PRIMARY KEY (register_id, at)'),
      ('exchange', 'day', 'date',
       'id bigint NOT NULL, at timestamptz NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), day date NOT NULL, key_version integer NOT NULL,
        gateway_id text NOT NULL, bus text NOT NULL, address text NOT NULL, protocol text NOT NULL, zone text NOT NULL, identity jsonb NOT NULL,
        profile_hash bytea NOT NULL, sha256 bytea NOT NULL, request bytea NOT NULL, response bytea NOT NULL, PRIMARY KEY (day, id)'),
      ('segment', 'from_at', 'timestamptz',
       'register_id bigint NOT NULL, from_at timestamptz NOT NULL, to_at timestamptz NOT NULL, amount_milli bigint NOT NULL, from_raw bigint NOT NULL,
        to_raw bigint NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now(), superseded_at timestamptz, revision integer NOT NULL,
        scaler smallint NOT NULL, meter_unit text NOT NULL, unit text NOT NULL, quality text NOT NULL, rule text NOT NULL,
        PRIMARY KEY (register_id, from_at, revision), CHECK (to_at > from_at), CHECK (unit IN (''L'', ''Wh'', ''J'')),
        CHECK (quality IN (''measured'', ''estimated'', ''edited''))'),
      ('daily_consumption', 'day', 'date',
       'register_id bigint NOT NULL, amount_milli bigint NOT NULL, day date NOT NULL, unit text NOT NULL, quality text NOT NULL, PRIMARY KEY (register_id, day)')
    ) AS t (name, time_column, kind, columns)
  LOOP
    clause := CASE WHEN metering.has_timescale() THEN '' ELSE format(' PARTITION BY RANGE (%I)', each.time_column) END;
    EXECUTE format('CREATE TABLE metering.%I (%s)%s', each.name, each.columns, clause);
    INSERT INTO metering.time_table VALUES (each.name, each.time_column, each.kind);
    IF metering.has_timescale() THEN
      EXECUTE format('SELECT create_hypertable(%L, %L, chunk_time_interval => interval ''1 month'', create_default_indexes => false)', 'metering.' || each.name, each.time_column);
    END IF;
  END LOOP;
END
$$;

CREATE UNIQUE INDEX segment_live ON metering.segment (register_id, from_at) WHERE superseded_at IS NULL;
COMMENT ON TABLE metering.reading IS 'indexes as sent; never changed or deleted by billing';
COMMENT ON TABLE metering.exchange IS 'the conversation that readings came from, bytes and all, stored once';
COMMENT ON TABLE metering.segment IS 'what rating reads: live rows of a register are gap-free, do not overlap, and add up to the index difference';
COMMENT ON TABLE metering.daily_consumption IS 'what charts read: derived from segments';

CREATE FUNCTION metering.ensure_partitions(first date, last date) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  each record;
  month date;
  made integer := 0;
  partition text;
BEGIN
  IF metering.has_timescale() THEN
    RETURN 0;
  END IF;
  IF first < date '1990-01-01' OR last > current_date + 400 OR last < first THEN
    RAISE EXCEPTION 'partitions from % to % are out of range', first, last USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('metering.ensure_partitions', 0));
  FOR each IN SELECT name, kind FROM metering.time_table LOOP
    month := date_trunc('month', first)::date;
    WHILE month <= last LOOP
      partition := each.name || to_char(month, '_YYYYMM');
      IF to_regclass(format('metering.%I', partition)) IS NULL THEN
        -- months of UTC: bounds must not depend on the session's zone
        EXECUTE format('CREATE TABLE metering.%I PARTITION OF metering.%I FOR VALUES FROM (%L) TO (%L)', partition, each.name,
          CASE each.kind WHEN 'date' THEN month::text ELSE month::text || ' 00:00+00' END,
          CASE each.kind WHEN 'date' THEN (month + interval '1 month')::date::text ELSE (month + interval '1 month')::date::text || ' 00:00+00' END);
        made := made + 1;
      END IF;
      month := (month + interval '1 month')::date;
    END LOOP;
  END LOOP;
  RETURN made;
END
$$;

-- A reader of new rows goes no further than the start of the oldest open transaction: rows carry the start of theirs, so what is
-- recorded before this instant is committed or never will be. One that has only read so far may still write. Readers compare with
-- "<", as the oldest open one may have begun at this very instant.
CREATE FUNCTION metering.horizon() RETURNS timestamptz
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(min(xact_start), clock_timestamp())
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND usename IS DISTINCT FROM 'endeks_grafana' AND pid <> pg_backend_pid()
$$;

CREATE SEQUENCE metering.exchange_id;

CREATE TABLE metering.profile (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  content text NOT NULL,
  gateway_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE metering.profile IS 'profiles as gateways used them, so that evidence decodes again for as long as it is kept';

CREATE TABLE metering.sequence_range (
  gateway_id text NOT NULL,
  epoch text NOT NULL,
  lane text NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL CHECK (last >= first),
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (gateway_id, epoch, lane, first)
);
COMMENT ON TABLE metering.sequence_range IS 'message numbers that were stored; what lies between two ranges is an open gap';

CREATE TABLE metering.dead_letter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now(),
  gateway_id text NOT NULL,
  topic text NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  size integer NOT NULL,
  sha256 bytea NOT NULL,
  payload bytea NOT NULL CHECK (length(payload) <= 65536)
);
CREATE INDEX dead_letter_gateway ON metering.dead_letter (gateway_id, received_at);

CREATE TABLE metering.reading_conflict (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  register_id bigint NOT NULL,
  at timestamptz NOT NULL,
  raw bigint NOT NULL,
  exchange_id bigint,
  received_at timestamptz NOT NULL DEFAULT now(),
  exchange_day date,
  status integer NOT NULL,
  scaler smallint NOT NULL,
  unit text NOT NULL,
  source text NOT NULL,
  decided_at timestamptz,
  UNIQUE (register_id, at, raw, scaler, unit, status)
);
COMMENT ON TABLE metering.reading_conflict IS 'another value for an instant that has one: a person decides, the reading stays';

CREATE TABLE metering.unassigned (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id text NOT NULL,
  bus text NOT NULL,
  address text NOT NULL,
  device_id text NOT NULL,
  manufacturer text NOT NULL,
  obis text NOT NULL,
  at timestamptz NOT NULL,
  raw bigint NOT NULL,
  exchange_id bigint NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  exchange_day date NOT NULL,
  status integer NOT NULL,
  scaler smallint NOT NULL,
  unit text NOT NULL,
  reason text NOT NULL,
  adopted_at timestamptz,
  UNIQUE (gateway_id, bus, address, device_id, manufacturer, obis, at, raw, scaler, unit, status)
);
CREATE INDEX unassigned_device ON metering.unassigned (device_id) WHERE adopted_at IS NULL;
COMMENT ON TABLE metering.unassigned IS 'readings of a device that is not (or not then) installed where they came from: kept until it is';

CREATE TABLE metering.dirty (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  register_id bigint NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL
);
COMMENT ON TABLE metering.dirty IS 'spans of registers that validation has to look at again';

CREATE TABLE metering.exception (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  register_id bigint NOT NULL,
  rule text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warn', 'hold')),
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  details jsonb NOT NULL,
  detected_at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'vanished')),
  decided_at timestamptz,
  decided_by text,
  reason text
);
CREATE UNIQUE INDEX exception_open ON metering.exception (register_id, rule, from_at) WHERE state = 'open';

GRANT SELECT, INSERT ON metering.segment TO endeks_ingest;
GRANT UPDATE (superseded_at) ON metering.segment TO endeks_ingest;
GRANT SELECT, INSERT, UPDATE ON metering.daily_consumption, metering.exception, metering.unassigned, metering.sequence_range TO endeks_ingest;
GRANT DELETE ON metering.daily_consumption TO endeks_ingest;
GRANT SELECT, INSERT ON metering.reading, metering.exchange, metering.profile, metering.dead_letter, metering.reading_conflict TO endeks_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON metering.dirty TO endeks_ingest; -- UPDATE for FOR UPDATE SKIP LOCKED
GRANT USAGE ON ALL SEQUENCES IN SCHEMA metering TO endeks_ingest;
GRANT SELECT ON ALL TABLES IN SCHEMA metering TO endeks_rating, endeks_api;
GRANT SELECT ON metering.daily_consumption, metering.segment TO endeks_grafana;
GRANT EXECUTE ON FUNCTION metering.has_timescale() TO PUBLIC;
GRANT EXECUTE ON FUNCTION metering.ensure_partitions(date, date) TO endeks_ingest;
GRANT EXECUTE ON FUNCTION metering.horizon() TO endeks_ingest, endeks_rating, endeks_api;
