-- What evidence of a ciphered conversation is opened with. The secrets are sealed by billing-api under its process's secret: whoever
-- has the database has no key.
CREATE TABLE account.meter_key (
  name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
  version integer NOT NULL CHECK (version > 0),
  in_use boolean NOT NULL DEFAULT true,
  salt bytea NOT NULL CHECK (length(salt) = 16),
  encryption bytea,
  authentication bytea,
  broadcast bytea,
  password bytea,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, version),
  CHECK (num_nonnulls(encryption, authentication, broadcast, password) > 0)
);
CREATE UNIQUE INDEX meter_key_in_use ON account.meter_key (name) WHERE in_use;
COMMENT ON TABLE account.meter_key IS 'sealed secrets of meters, by the name and version under which gateways have them; none is ever changed or deleted, as evidence names it';

-- Grants on all tables of a schema are for those that were there: this one has its own.
GRANT SELECT, INSERT, UPDATE (in_use) ON account.meter_key TO endeks_api;
