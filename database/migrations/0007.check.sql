SELECT grantee || ' may ' || lower(privilege_type) || ' account.meter_key' AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'account' AND table_name = 'meter_key' AND grantee LIKE 'endeks\_%'
  AND (grantee <> 'endeks_api' OR privilege_type NOT IN ('SELECT', 'INSERT'));

SELECT grantee || ' may ' || lower(privilege_type) || ' account.meter_key.' || column_name AS problem
FROM information_schema.role_column_grants
WHERE table_schema = 'account' AND table_name = 'meter_key' AND grantee LIKE 'endeks\_%'
  AND (grantee <> 'endeks_api' OR (privilege_type NOT IN ('SELECT', 'INSERT') AND NOT (privilege_type = 'UPDATE' AND column_name = 'in_use')));
