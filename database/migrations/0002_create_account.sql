-- Facts that a bill depends on are temporal: [valid_from, valid_to) says when it is true, recorded_at and superseded_at when we
-- knew it. Nothing is edited: a correction supersedes a row and adds another. The database refuses overlaps of live rows.

CREATE TABLE account.utility (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  name text NOT NULL,
  tax_number text NOT NULL,
  tax_office text NOT NULL,
  address text NOT NULL,
  iban text,
  zone text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  invoice_series text NOT NULL CHECK (invoice_series ~ '^[A-Z0-9]{3}$'),
  receipt_series text NOT NULL CHECK (receipt_series ~ '^[A-Z0-9]{3}$'),
  payment_days integer NOT NULL CHECK (payment_days BETWEEN 0 AND 365)
);
COMMENT ON TABLE account.utility IS 'the one tenant of this database';

CREATE TABLE account.person (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('organisation', 'natural')),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  name_folded text NOT NULL,
  tax_number text,
  tax_office text,
  address text,
  phone text,
  email text,
  iban text
);
COMMENT ON TABLE account.person IS 'the only place of names, tax numbers, addresses and bank accounts';
CREATE INDEX person_name_folded ON account.person (name_folded text_pattern_ops);
CREATE INDEX person_tax_number ON account.person (tax_number);

CREATE SEQUENCE account.registry_no START 100001;
CREATE TABLE account.participant (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  registry_no bigint NOT NULL UNIQUE DEFAULT nextval('account.registry_no'),
  person_id bigint NOT NULL REFERENCES account.person,
  ownership_status text NOT NULL CHECK (ownership_status IN ('owner', 'tenant', 'other')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX participant_person ON account.participant (person_id);

CREATE TABLE account.property (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('parcel', 'independent-section')),
  label text NOT NULL UNIQUE
);

CREATE TABLE account.service_point (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  property_id bigint NOT NULL REFERENCES account.property,
  code text NOT NULL UNIQUE,
  commodity text NOT NULL CHECK (commodity IN ('water', 'wastewater', 'gas', 'heat'))
);

CREATE TABLE account.contract (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  participant_id bigint NOT NULL REFERENCES account.participant,
  number text NOT NULL UNIQUE,
  signed_on date NOT NULL
);
CREATE INDEX contract_participant ON account.contract (participant_id);

CREATE TABLE account.subscription (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contract_id bigint NOT NULL REFERENCES account.contract,
  number text NOT NULL UNIQUE,
  commodity text NOT NULL CHECK (commodity IN ('water', 'wastewater', 'gas', 'heat')),
  route text NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz CHECK (closed_at >= opened_at)
);
CREATE INDEX subscription_contract ON account.subscription (contract_id);

CREATE TABLE account.meter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  serial text NOT NULL,
  manufacturer text NOT NULL,
  model text,
  medium text NOT NULL,
  UNIQUE (serial, manufacturer)
);

CREATE TABLE account.register (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  meter_id bigint NOT NULL REFERENCES account.meter,
  obis text NOT NULL CHECK (obis ~ '^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\*\d{1,3}$'),
  digits integer NOT NULL CHECK (digits BETWEEN 3 AND 18),
  max_flow_milli_per_hour bigint NOT NULL CHECK (max_flow_milli_per_hour > 0),
  billed boolean NOT NULL DEFAULT true,
  UNIQUE (meter_id, obis)
);
COMMENT ON COLUMN account.register.billed IS 'whether its consumption is billed: a total and its parts, or volume and energy, are not both';
COMMENT ON COLUMN account.register.digits IS 'the counter rolls over at 10^digits of its own least unit';
COMMENT ON COLUMN account.register.max_flow_milli_per_hour IS 'physical limit (Q4) in thousandths of the base unit: more than this between two readings is no consumption';

CREATE TABLE account.installation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  meter_id bigint NOT NULL REFERENCES account.meter,
  service_point_id bigint NOT NULL REFERENCES account.service_point,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz CHECK (valid_to > valid_from),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  EXCLUDE USING gist (meter_id WITH =, tstzrange(valid_from, valid_to) WITH &&) WHERE (superseded_at IS NULL),
  EXCLUDE USING gist (service_point_id WITH =, tstzrange(valid_from, valid_to) WITH &&) WHERE (superseded_at IS NULL)
);

CREATE TABLE account.supply (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service_point_id bigint NOT NULL REFERENCES account.service_point,
  subscription_id bigint NOT NULL REFERENCES account.subscription,
  share_numerator bigint NOT NULL DEFAULT 1 CHECK (share_numerator > 0),
  share_denominator bigint NOT NULL DEFAULT 1 CHECK (share_denominator > 0),
  sign smallint NOT NULL DEFAULT 1 CHECK (sign IN (1, -1)),
  valid_from timestamptz NOT NULL,
  valid_to timestamptz CHECK (valid_to > valid_from),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  EXCLUDE USING gist (service_point_id WITH =, subscription_id WITH =, tstzrange(valid_from, valid_to) WITH &&) WHERE (superseded_at IS NULL)
);
CREATE INDEX supply_subscription ON account.supply (subscription_id);
COMMENT ON TABLE account.supply IS 'the consumption of a subscription is the sum over its supplies: sign x share x segment';

CREATE TABLE account.tariff (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name_tr text NOT NULL,
  name_en text NOT NULL
);

CREATE TABLE account.rate_schedule (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tariff_id bigint NOT NULL REFERENCES account.tariff,
  version text NOT NULL,
  valid_from date NOT NULL,
  document jsonb NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  published_at timestamptz NOT NULL DEFAULT now(),
  published_by text NOT NULL,
  UNIQUE (tariff_id, version),
  UNIQUE (tariff_id, valid_from)
);

CREATE TABLE account.tariff_assignment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subscription_id bigint NOT NULL REFERENCES account.subscription,
  tariff_id bigint NOT NULL REFERENCES account.tariff,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz CHECK (valid_to > valid_from),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  EXCLUDE USING gist (subscription_id WITH =, tstzrange(valid_from, valid_to) WITH &&) WHERE (superseded_at IS NULL)
);

CREATE TABLE account.parameter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  valid_from date NOT NULL,
  value jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at)
);
CREATE UNIQUE INDEX parameter_live ON account.parameter (name, valid_from) WHERE superseded_at IS NULL;
COMMENT ON TABLE account.parameter IS 'what the law or the assembly sets and changes by date, such as KDV rates: never a constant in code';

CREATE TABLE account.period (
  label text PRIMARY KEY CHECK (label ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'closed'))
);
COMMENT ON TABLE account.period IS 'periods of account; nothing is posted into a closed one. A month without a row is open';

CREATE TABLE account.gateway (
  id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account.credential (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id text NOT NULL REFERENCES account.gateway,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
CREATE UNIQUE INDEX credential_live ON account.credential (gateway_id) WHERE revoked_at IS NULL;

CREATE TABLE account.connection (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service_point_id bigint NOT NULL REFERENCES account.service_point,
  gateway_id text NOT NULL REFERENCES account.gateway,
  bus text NOT NULL,
  address text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz CHECK (valid_to > valid_from),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  EXCLUDE USING gist (gateway_id WITH =, bus WITH =, address WITH =, tstzrange(valid_from, valid_to) WITH &&) WHERE (superseded_at IS NULL)
);
CREATE INDEX connection_address ON account.connection (gateway_id, bus, address) WHERE superseded_at IS NULL;
COMMENT ON TABLE account.connection IS 'which place an address on a bus belongs to; which meter stands there, the installation in force tells';

CREATE TABLE account.user (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login text NOT NULL UNIQUE CHECK (login = lower(login)),
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'clerk')),
  password_hash text NOT NULL,
  disabled_at timestamptz
);

CREATE TABLE account.session (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  user_id bigint NOT NULL REFERENCES account.user,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE account.command (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner text NOT NULL CHECK (owner IN ('ingest', 'rating')),
  kind text NOT NULL,
  payload jsonb NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  deadline timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'done', 'failed', 'expired')),
  result jsonb,
  error_code text,
  error_message text,
  finished_at timestamptz
);
CREATE INDEX command_queued ON account.command (owner, id) WHERE state = 'queued';
COMMENT ON TABLE account.command IS 'what one service wants of another: the owner does it in one transaction with its result';

CREATE FUNCTION account.announce_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('endeks_command', NEW.owner);
  RETURN NULL;
END
$$;
CREATE TRIGGER announce_command AFTER INSERT ON account.command FOR EACH ROW EXECUTE FUNCTION account.announce_command();

CREATE TABLE account.idempotency (
  key text PRIMARY KEY CHECK (length(key) BETWEEN 8 AND 100),
  user_id bigint NOT NULL REFERENCES account.user,
  request_hash bytea NOT NULL,
  response jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE account.idempotency IS 'a request that moves money is answered once: the same key again gets the same answer';

GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA account TO endeks_api;
-- What a bill depends on is superseded, never edited; only what no bill reads may be changed in place.
GRANT UPDATE (superseded_at) ON account.installation, account.supply, account.tariff_assignment, account.connection, account.parameter TO endeks_api;
GRANT UPDATE (closed_at) ON account.subscription TO endeks_api;
GRANT UPDATE (revoked_at) ON account.credential TO endeks_api;
GRANT UPDATE ON account.utility, account.person, account.participant, account.period, account.gateway, account.user, account.session, account.command,
  account.idempotency TO endeks_api;
GRANT DELETE ON account.session TO endeks_api;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA account TO endeks_api;
GRANT SELECT ON account.utility, account.participant, account.property, account.service_point, account.contract, account.subscription,
  account.meter, account.register, account.installation, account.supply, account.tariff, account.rate_schedule,
  account.tariff_assignment, account.parameter, account.period, account.person TO endeks_rating;
GRANT SELECT ON account.utility, account.meter, account.register, account.installation, account.service_point, account.gateway,
  account.credential, account.connection TO endeks_ingest;
GRANT SELECT, UPDATE ON account.command TO endeks_ingest, endeks_rating;
GRANT SELECT (id, meter_id, obis) ON account.register TO endeks_grafana;
GRANT SELECT (id, serial, medium) ON account.meter TO endeks_grafana;
GRANT SELECT ON account.installation, account.service_point TO endeks_grafana;
