SELECT 'role ' || name || ' is missing' AS problem
FROM unnest(ARRAY['endeks_ingest', 'endeks_rating', 'endeks_api', 'endeks_grafana']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
