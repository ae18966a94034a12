SELECT grantee || ' may ' || lower(privilege_type) || ' metering.sequence_loss' AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'metering' AND table_name = 'sequence_loss' AND grantee LIKE 'endeks\_%'
  AND (privilege_type NOT IN ('SELECT', 'INSERT') OR (privilege_type = 'INSERT' AND grantee <> 'endeks_ingest'));
