SELECT grantee || ' may ' || lower(privilege_type) || ' metering.downlink' AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'metering' AND table_name = 'downlink' AND grantee LIKE 'endeks\_%'
  AND (privilege_type NOT IN ('SELECT', 'INSERT') OR (privilege_type = 'INSERT' AND grantee <> 'endeks_ingest'));

SELECT grantee || ' may change what was asked: metering.downlink.' || column_name AS problem
FROM information_schema.role_column_grants
WHERE table_schema = 'metering' AND table_name = 'downlink' AND grantee LIKE 'endeks\_%' AND privilege_type = 'UPDATE'
  AND column_name IN ('key', 'command_id', 'gateway_id', 'bus', 'address', 'service_point_id', 'meter_id', 'kind', 'parameters', 'requested_by',
    'requested_at', 'deadline');
