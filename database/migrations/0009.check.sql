SELECT 'there is not one storage policy but ' || count(*) AS problem FROM metering.storage_policy HAVING count(*) <> 1;

SELECT 'endeks_ingest may change the storage policy' AS problem
WHERE has_table_privilege('endeks_ingest', 'metering.storage_policy', 'INSERT, UPDATE, DELETE');

SELECT metering.apply_storage_policy() || ' is no kind of storage' AS problem WHERE metering.apply_storage_policy() NOT IN ('partitions', 'hypertables', 'columnstore');

SELECT 'a database without readings drops ' || dropped AS problem FROM metering.drop_expired(1) AS dropped;
