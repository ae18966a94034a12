-- One schema per writer (DESIGN: ledger and audit are written by functions only). Roles belong to the whole server, so another
-- database of the same server may have made them at the same moment.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['endeks_ingest', 'endeks_rating', 'endeks_api', 'endeks_grafana'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END LOOP;
END
$$;

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA account;
CREATE SCHEMA metering;
CREATE SCHEMA rating;
CREATE SCHEMA rating_run;
CREATE SCHEMA ledger;
CREATE SCHEMA audit;

COMMENT ON SCHEMA account IS 'who, where, under which contract: written by endeks_api';
COMMENT ON SCHEMA metering IS 'what meters said and what was made of it: written by endeks_ingest';
COMMENT ON SCHEMA rating IS 'runs, bills, accruals, charges: written by endeks_rating';
COMMENT ON SCHEMA rating_run IS 'tables of runs that are not issued yet; a run is abandoned by dropping them';
COMMENT ON SCHEMA ledger IS 'numbers, documents, postings: written by its functions only';
COMMENT ON SCHEMA audit IS 'who did what and when: written by its function only';

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
GRANT USAGE ON SCHEMA account, metering, rating, ledger, audit TO endeks_ingest, endeks_rating, endeks_api;
GRANT USAGE ON SCHEMA rating_run TO endeks_rating;
GRANT USAGE ON SCHEMA account, metering TO endeks_grafana;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
