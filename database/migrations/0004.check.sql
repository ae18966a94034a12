SELECT 'rating.' || name || ' is not partitioned by its identifier' AS problem
FROM unnest(ARRAY['bill', 'bill_input', 'accrual', 'charge']) AS name
WHERE NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = ('rating.' || name)::regclass);

SELECT grantee || ' may change ' || table_schema || '.' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'rating' AND table_name IN ('bill_input', 'charge', 'evidence') AND privilege_type NOT IN ('SELECT', 'INSERT') AND grantee LIKE 'endeks\_%';
