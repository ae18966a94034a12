SELECT grantee || ' may change ' || table_schema || '.' || table_name AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'metering' AND table_name IN ('reading', 'exchange') AND privilege_type NOT IN ('SELECT', 'INSERT') AND grantee LIKE 'endeks\_%';

SELECT 'metering.' || name || ' is neither partitioned nor a hypertable' AS problem
FROM metering.time_table
WHERE NOT metering.has_timescale()
  AND NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = ('metering.' || name)::regclass);
