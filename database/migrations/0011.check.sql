SELECT grantee || ' may ' || lower(privilege_type) || ' account.gateway_certificate' AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'account' AND table_name = 'gateway_certificate' AND grantee LIKE 'endeks\_%' AND privilege_type <> 'SELECT';

SELECT grantee || ' may call ' || routine_name AS problem
FROM information_schema.role_routine_grants
WHERE routine_schema = 'account' AND routine_name IN ('enrol_certificate', 'revoke_certificates')
  AND (grantee = 'PUBLIC' OR (grantee LIKE 'endeks\_%' AND grantee <> 'endeks_enrolment'));
