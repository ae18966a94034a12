SELECT 'account.' || name || ' lets live rows overlap' AS problem
FROM unnest(ARRAY['installation', 'supply', 'tariff_assignment', 'connection']) AS name
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = ('account.' || name)::regclass AND contype = 'x');

SELECT grantee || ' may delete from ' || table_schema || '.' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'account' AND privilege_type IN ('DELETE', 'TRUNCATE') AND grantee LIKE 'endeks\_%' AND table_name <> 'session';
