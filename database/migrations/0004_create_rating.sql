-- Identifiers of bills, accruals, documents and entries are allotted in ranges: (year - 2000) x 10^13 for a year, of which the first
-- half of 10^12 counts single documents and the second half holds the bulk runs, 10^7 each. The big tables are partitioned by these
-- identifiers, so that a year is a partition now and a large run can be attached as a partition of its own.

CREATE TABLE rating.run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  period text NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  state text NOT NULL CHECK (state IN ('freezing', 'calculating', 'checking', 'checked', 'issuing', 'issued', 'failed', 'abandoned')),
  period_from timestamptz NOT NULL,
  period_to timestamptz NOT NULL,
  cutoff_at timestamptz NOT NULL,
  issue_date date NOT NULL,
  due_date date NOT NULL,
  series text NOT NULL,
  number_base bigint,
  id_base bigint,
  candidates integer NOT NULL DEFAULT 0,
  subjects integer NOT NULL DEFAULT 0,
  bills integer NOT NULL DEFAULT 0,
  net_micro bigint NOT NULL DEFAULT 0,
  tax_micro bigint NOT NULL DEFAULT 0,
  gross_micro bigint NOT NULL DEFAULT 0,
  digest bytea,
  requested_by text NOT NULL,
  issued_by text,
  failure_code text,
  failure_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  calculated_at timestamptz,
  issued_at timestamptz
);
-- One open run at a time: what is billed by one can't be billed by another.
CREATE UNIQUE INDEX run_open ON rating.run ((true)) WHERE state IN ('freezing', 'calculating', 'checking', 'checked', 'issuing');

CREATE TABLE rating.run_shard (
  run_id bigint NOT NULL REFERENCES rating.run,
  ordinal integer NOT NULL,
  first_rank integer NOT NULL,
  last_rank integer NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done')),
  bills integer NOT NULL DEFAULT 0,
  finished_at timestamptz,
  PRIMARY KEY (run_id, ordinal)
);

CREATE TABLE rating.run_check (
  run_id bigint NOT NULL REFERENCES rating.run,
  name text NOT NULL,
  passed boolean NOT NULL,
  expected text NOT NULL,
  found text NOT NULL,
  offenders jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (run_id, name)
);

CREATE TABLE rating.run_exclusion (
  run_id bigint NOT NULL REFERENCES rating.run,
  subscription_id bigint NOT NULL,
  reason text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (run_id, subscription_id)
);

CREATE TABLE rating.run_subject (
  rank integer NOT NULL,
  subscription_id bigint NOT NULL,
  participant_id bigint NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  tariff_id bigint NOT NULL,
  rate_schedule_id bigint NOT NULL
);
COMMENT ON TABLE rating.run_subject IS 'the shape of a run''s own table of who is billed; holds no rows itself';

CREATE TABLE rating.bill (
  id bigint PRIMARY KEY,
  run_id bigint NOT NULL,
  subscription_id bigint NOT NULL,
  participant_id bigint NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  document_id bigint NOT NULL,
  consumption_milli bigint NOT NULL CHECK (consumption_milli >= 0),
  net_micro bigint NOT NULL CHECK (net_micro % 10000 = 0),
  tax_micro bigint NOT NULL CHECK (tax_micro % 10000 = 0),
  superseded_at timestamptz,
  days integer NOT NULL CHECK (days >= 0),
  unit text NOT NULL,
  CHECK (to_at > from_at)
) PARTITION BY RANGE (id);
CREATE INDEX bill_subscription ON rating.bill (subscription_id, to_at);
CREATE INDEX bill_document ON rating.bill (document_id);
COMMENT ON TABLE rating.bill IS 'one subscription from one boundary reading to the next; from is the to of the one before';

CREATE TABLE rating.bill_input (
  bill_id bigint PRIMARY KEY,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  content text NOT NULL
) PARTITION BY RANGE (bill_id);
COMMENT ON TABLE rating.bill_input IS 'the frozen inputs as canonical JSON; replay recomputes from it';

CREATE TABLE rating.accrual (
  id bigint PRIMARY KEY,
  bill_id bigint NOT NULL,
  subscription_id bigint NOT NULL,
  rate_schedule_id bigint NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  consumption_milli bigint NOT NULL,
  net_micro bigint NOT NULL CHECK (net_micro % 10000 = 0),
  tariff_hash bytea NOT NULL,
  superseded_at timestamptz,
  accrual_date date NOT NULL,
  unit text NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX accrual_subscription ON rating.accrual (subscription_id, to_at);

CREATE TABLE rating.charge (
  accrual_id bigint NOT NULL,
  ordinal integer NOT NULL,
  net_micro bigint NOT NULL CHECK (net_micro % 10000 = 0),
  kdv_micro bigint NOT NULL CHECK (kdv_micro % 10000 = 0),
  kdv_rate_nano bigint NOT NULL,
  quantity_milli bigint,
  component text NOT NULL,
  kdv_class text NOT NULL,
  unit text,
  slices jsonb NOT NULL,
  share jsonb,
  PRIMARY KEY (accrual_id, ordinal)
) PARTITION BY RANGE (accrual_id);

CREATE TABLE rating.evidence (
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  exchange_id bigint NOT NULL,
  at timestamptz NOT NULL,
  exchange_day date NOT NULL,
  key_version integer NOT NULL,
  gateway_id text NOT NULL,
  bus text NOT NULL,
  address text NOT NULL,
  protocol text NOT NULL,
  zone text NOT NULL,
  identity jsonb NOT NULL,
  profile_hash bytea NOT NULL,
  profile text NOT NULL,
  request bytea NOT NULL,
  response bytea NOT NULL,
  PRIMARY KEY (exchange_day, exchange_id)
);
COMMENT ON TABLE rating.evidence IS 'exchanges that issued bills rest on: copied at issue and kept as long as the invoice';

CREATE FUNCTION rating.create_run_tables(run bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  each record;
BEGIN
  FOR each IN
    SELECT * FROM (VALUES ('subject', 'rating.run_subject'), ('bill', 'rating.bill'), ('bill_input', 'rating.bill_input'),
      ('accrual', 'rating.accrual'), ('charge', 'rating.charge'), ('document', 'ledger.document'),
      ('document_line', 'ledger.document_line'), ('entry', 'ledger.entry'), ('posting', 'ledger.posting')) AS t (name, shape)
  LOOP
    EXECUTE format('CREATE TABLE rating_run.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', each.name || '_' || run, each.shape);
    EXECUTE format('GRANT SELECT, INSERT, DELETE, TRUNCATE ON rating_run.%I TO endeks_rating', each.name || '_' || run);
  END LOOP;
END
$$;

CREATE FUNCTION rating.drop_run_tables(run bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['subject', 'bill', 'bill_input', 'accrual', 'charge', 'document', 'document_line', 'entry', 'posting'] LOOP
    EXECUTE format('DROP TABLE IF EXISTS rating_run.%I', name || '_' || run);
  END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE ON rating.run, rating.run_shard, rating.run_check, rating.run_exclusion TO endeks_rating;
GRANT DELETE ON rating.run_shard, rating.run_check TO endeks_rating;
GRANT SELECT, INSERT ON rating.bill, rating.bill_input, rating.accrual, rating.charge, rating.evidence TO endeks_rating;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA rating TO endeks_rating;
GRANT SELECT ON ALL TABLES IN SCHEMA rating TO endeks_api;
GRANT EXECUTE ON FUNCTION rating.create_run_tables(bigint), rating.drop_run_tables(bigint) TO endeks_rating;
