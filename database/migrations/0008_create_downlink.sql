-- Commands to meters: the way back. What was asked, by whom, and what is known of whether it was done.
CREATE TABLE metering.downlink (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- what a gateway knows it by: a number would mean another command after a database began anew
  key uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  command_id bigint NOT NULL UNIQUE,
  gateway_id text NOT NULL,
  bus text NOT NULL,
  address text NOT NULL,
  service_point_id bigint NOT NULL,
  meter_id bigint,
  kind text NOT NULL CHECK (kind IN ('read-now', 'set-clock', 'valve', 'credit')),
  parameters jsonb NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL,
  deadline timestamptz NOT NULL CHECK (deadline > requested_at),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'done', 'failed', 'expired')),
  attempts integer NOT NULL DEFAULT 0,
  attempted_at timestamptz,
  sent_at timestamptz,
  finished_at timestamptz,
  effect text CHECK (effect IN ('done', 'none', 'unclear')),
  result jsonb,
  error_code text,
  error_message text,
  answered_at timestamptz,
  late jsonb,
  CHECK ((state IN ('queued', 'sent')) = (finished_at IS NULL)),
  CHECK ((finished_at IS NULL) = (effect IS NULL)),
  CHECK (state <> 'done' OR effect = 'done')
);
CREATE INDEX downlink_open ON metering.downlink (gateway_id, bus, address, id) WHERE state IN ('queued', 'sent');
CREATE INDEX downlink_meter ON metering.downlink (meter_id, id);
CREATE INDEX downlink_place ON metering.downlink (service_point_id, id);
COMMENT ON TABLE metering.downlink IS 'commands to meters, each ending as done, failed or expired; state never changes again after that';
COMMENT ON COLUMN metering.downlink.effect IS 'what is known of whether it was done: an answer that comes after the end changes this and not the state';
COMMENT ON COLUMN metering.downlink.sent_at IS 'when the gateway first said that it has it';
COMMENT ON COLUMN metering.downlink.answered_at IS 'the clock of the gateway when it was over';
COMMENT ON COLUMN metering.downlink.late IS 'the answer that came after the end and says something else, with when it came';

-- Whoever sends is woken: for a new one, and when an end lets the next one of its place go.
CREATE FUNCTION metering.announce_downlink() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('endeks_downlink', NEW.gateway_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER announce_new AFTER INSERT ON metering.downlink FOR EACH ROW EXECUTE FUNCTION metering.announce_downlink();
CREATE TRIGGER announce_end AFTER UPDATE ON metering.downlink
  FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION metering.announce_downlink();

-- Grants on all tables of a schema are for those that were there: this one has its own. Nobody deletes one, or changes what was asked.
GRANT SELECT, INSERT ON metering.downlink TO endeks_ingest;
GRANT UPDATE (state, attempts, attempted_at, sent_at, finished_at, effect, result, error_code, error_message, answered_at, late)
  ON metering.downlink TO endeks_ingest;
GRANT SELECT ON metering.downlink TO endeks_api;
