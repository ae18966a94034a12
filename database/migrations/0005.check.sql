SELECT 'audit.event can be changed' AS problem
WHERE (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit.event'::regclass AND NOT tgisinternal) <> 2;
