-- Certificates by which gateways are let in. The broker reads them; they are entered and revoked by functions that a role of its
-- own may call, so that neither the broker nor the API, which strangers talk to, can let anybody in by one.
DO $$
BEGIN
  CREATE ROLE endeks_enrolment NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;
GRANT USAGE ON SCHEMA account TO endeks_enrolment;

CREATE TABLE account.gateway_certificate (
  fingerprint text PRIMARY KEY CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
  gateway_id text NOT NULL REFERENCES account.gateway,
  serial text NOT NULL CHECK (serial ~ '^[0-9a-f]{2,40}$'),
  issued_at timestamptz NOT NULL DEFAULT now(),
  not_after timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX gateway_certificate_gateway ON account.gateway_certificate (gateway_id, issued_at);
COMMENT ON TABLE account.gateway_certificate IS 'certificates of gateways by the SHA-256 of their bytes; several may be in force at a time, so that one is renewed before the other ends';

CREATE FUNCTION account.enrol_certificate(gateway text, certificate text, serial_number text, expires timestamptz, by_whom text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO account.gateway_certificate (fingerprint, gateway_id, serial, not_after) VALUES (certificate, gateway, serial_number, expires);
  PERFORM audit.record(by_whom, 'certificate.enrolled', 'gateway', gateway,
    jsonb_build_object('fingerprint', certificate, 'serial', serial_number, 'notAfter', expires));
END
$$;

-- Of one certificate, or of all that the gateway has. Returns the serials of those that were in force.
CREATE FUNCTION account.revoke_certificates(gateway text, serial_number text, by_whom text) RETURNS SETOF text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  revoked text;
BEGIN
  FOR revoked IN
    UPDATE account.gateway_certificate SET revoked_at = now()
    WHERE gateway_id = gateway AND revoked_at IS NULL AND (serial_number IS NULL OR serial = serial_number)
    RETURNING serial
  LOOP
    PERFORM audit.record(by_whom, 'certificate.revoked', 'gateway', gateway, jsonb_build_object('serial', revoked));
    RETURN NEXT revoked;
  END LOOP;
END
$$;

GRANT SELECT ON account.gateway_certificate TO endeks_ingest, endeks_api, endeks_enrolment;
GRANT SELECT (id) ON account.gateway TO endeks_enrolment;
GRANT EXECUTE ON FUNCTION account.enrol_certificate(text, text, text, timestamptz, text), account.revoke_certificates(text, text, text) TO endeks_enrolment;
