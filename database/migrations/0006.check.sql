SELECT grantee || ' may write ' || table_schema || '.' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema IN ('ledger', 'audit') AND privilege_type <> 'SELECT' AND grantee LIKE 'endeks\_%';

SELECT 'function ' || proname || ' runs with its caller''s rights' AS problem
FROM pg_proc
WHERE pronamespace = 'ledger'::regnamespace AND NOT prosecdef AND proname NOT IN ('first_id', 'run_first_id', 'refuse_unbalanced');

SELECT 'function ' || oid::regprocedure || ' is open to everyone' AS problem
FROM pg_proc
WHERE pronamespace IN ('ledger'::regnamespace, 'audit'::regnamespace) AND has_function_privilege('public', oid, 'EXECUTE') AND prorettype <> 'trigger'::regtype;
