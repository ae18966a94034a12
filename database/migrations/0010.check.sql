SELECT grantee || ' may ' || lower(privilege_type) || ' account.' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'account' AND table_name IN ('foreign_key', 'foreign_device') AND grantee LIKE 'endeks\_%'
  AND (privilege_type NOT IN ('SELECT', 'INSERT') OR (privilege_type = 'INSERT' AND grantee <> 'endeks_api'));

SELECT grantee || ' may change what was received: metering.dead_letter.' || column_name AS problem
FROM information_schema.role_column_grants
WHERE table_schema = 'metering' AND table_name = 'dead_letter' AND grantee LIKE 'endeks\_%' AND privilege_type = 'UPDATE'
  AND column_name NOT IN ('replayed_at', 'outcome');
