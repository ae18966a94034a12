SELECT 'a span of register ' || register_id || ' ends before it begins' AS problem FROM metering.dirty_span WHERE to_at < from_at;

SELECT grantee || ' may write metering.dirty' AS problem
FROM information_schema.role_table_grants
WHERE table_schema = 'metering' AND table_name = 'dirty' AND grantee LIKE 'endeks\_%' AND grantee <> 'endeks_ingest' AND privilege_type <> 'SELECT';
