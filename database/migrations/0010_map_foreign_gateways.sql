-- Gateways of other makers: which language they speak, which registers their keys stand for, which meters their devices are.
ALTER TABLE account.gateway ADD COLUMN format text NOT NULL DEFAULT 'endeks' CHECK (format IN ('endeks', 'thingsboard', 'sparkplug'));

CREATE TABLE account.foreign_key (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id text NOT NULL REFERENCES account.gateway,
  device text CHECK (length(device) BETWEEN 1 AND 64),
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
  obis text CHECK (obis ~ '^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\*\d{1,3}$'),
  unit text CHECK (unit IN ('m3', 'L', 'Wh', 'kWh', 'J', 'MJ')),
  scaler smallint CHECK (scaler BETWEEN -12 AND 12),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  CHECK ((obis IS NULL) = (unit IS NULL)),
  CHECK (obis IS NOT NULL OR scaler IS NULL),
  CHECK (key <> '*' OR obis IS NULL)
);
CREATE UNIQUE INDEX foreign_key_live ON account.foreign_key (gateway_id, coalesce(device, ''), key) WHERE superseded_at IS NULL;
COMMENT ON TABLE account.foreign_key IS 'what a key that another maker''s gateway sends is: a register, or nothing of ours';
COMMENT ON COLUMN account.foreign_key.device IS 'as the gateway names it; null for every device of the gateway';
COMMENT ON COLUMN account.foreign_key.key IS 'as the gateway sends it; * for all that have no row of their own';
COMMENT ON COLUMN account.foreign_key.obis IS 'null for a key that is no register: it is passed over';
COMMENT ON COLUMN account.foreign_key.scaler IS 'of the register''s least unit, in which values are told then; null to keep each as it was written';

CREATE TABLE account.foreign_device (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id text NOT NULL REFERENCES account.gateway,
  device text NOT NULL CHECK (length(device) BETWEEN 1 AND 64),
  serial text NOT NULL CHECK (length(serial) BETWEEN 1 AND 64),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at)
);
CREATE UNIQUE INDEX foreign_device_live ON account.foreign_device (gateway_id, device) WHERE superseded_at IS NULL;
COMMENT ON TABLE account.foreign_device IS 'the number on the dial of what another maker''s gateway knows by a name of its own';

GRANT SELECT, INSERT ON account.foreign_key, account.foreign_device TO endeks_api;
GRANT UPDATE (superseded_at) ON account.foreign_key, account.foreign_device TO endeks_api;
GRANT USAGE ON SEQUENCE account.foreign_key_id_seq, account.foreign_device_id_seq TO endeks_api;
GRANT SELECT ON account.foreign_key, account.foreign_device TO endeks_ingest;

-- Dead letters that are read again: with what, and what became of them.
ALTER TABLE metering.dead_letter
  ADD COLUMN read_with bytea CHECK (length(read_with) = 32),
  ADD COLUMN replayed_at timestamptz,
  ADD COLUMN outcome text,
  ADD CHECK ((replayed_at IS NULL) = (outcome IS NULL));
CREATE INDEX dead_letter_open ON metering.dead_letter (id) WHERE outcome IS DISTINCT FROM 'taken';
COMMENT ON COLUMN metering.dead_letter.read_with IS 'hash of the profile without which its bytes can''t be read another time';
COMMENT ON COLUMN metering.dead_letter.outcome IS 'of the last replay: taken, or the code of why it still is not';
GRANT UPDATE (replayed_at, outcome) ON metering.dead_letter TO endeks_ingest;
