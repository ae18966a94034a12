SELECT grantee || ' may ' || privilege_type || ' ' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'metering' AND table_name LIKE 'mirror\_%' AND grantee LIKE 'endeks\_%'
  AND (privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE') OR (privilege_type <> 'SELECT' AND grantee <> 'endeks_ingest'));
