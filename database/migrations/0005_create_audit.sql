CREATE TABLE audit.event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject_type text NOT NULL,
  subject text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_subject ON audit.event (subject_type, subject);
COMMENT ON TABLE audit.event IS 'who did what and when; rows are written with the change they tell of';

CREATE FUNCTION audit.record(actor text, action text, subject_type text, subject text, details jsonb DEFAULT '{}') RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO audit.event (actor, action, subject_type, subject, details) VALUES (actor, action, subject_type, subject, details)
$$;

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.event FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.event FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

GRANT EXECUTE ON FUNCTION audit.record(text, text, text, text, jsonb) TO endeks_ingest, endeks_rating, endeks_api;
GRANT SELECT ON audit.event TO endeks_api;
