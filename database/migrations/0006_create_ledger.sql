-- No role may write here. The functions below do, inside the caller's transaction, so that a number, its document and its postings
-- come into being together or not at all.

CREATE TABLE ledger.account (number text PRIMARY KEY, name_tr text NOT NULL, name_en text NOT NULL);
INSERT INTO ledger.account VALUES
  ('100', 'Kasa', 'Cash'),
  ('102', 'Bankalar', 'Banks'),
  ('120', 'Alıcılar', 'Receivables'),
  ('391', 'Hesaplanan KDV', 'Output VAT'),
  ('600', 'Yurt içi satışlar', 'Domestic sales');

CREATE TABLE ledger.account_map (
  event text NOT NULL,
  part text NOT NULL,
  account text NOT NULL REFERENCES ledger.account,
  PRIMARY KEY (event, part)
);
COMMENT ON TABLE ledger.account_map IS 'which account an event touches is data: charts differ between houses';
INSERT INTO ledger.account_map VALUES
  ('invoice', 'receivable', '120'),
  ('invoice', 'revenue', '600'),
  ('invoice', 'kdv', '391'),
  ('collection', 'receivable', '120'),
  ('collection', 'cash', '100');

CREATE TABLE ledger.series (
  code text NOT NULL CHECK (code ~ '^[A-Z0-9]{3}$'),
  year integer NOT NULL CHECK (year BETWEEN 2000 AND 2099),
  next bigint NOT NULL DEFAULT 1 CHECK (next BETWEEN 1 AND 1000000000),
  last_date date,
  PRIMARY KEY (code, year)
);
COMMENT ON TABLE ledger.series IS 'a number is (series, year of issue date); dates never go back as numbers rise; 1 January starts at 1';

CREATE TABLE ledger.number_block (
  run_id bigint PRIMARY KEY,
  code text NOT NULL,
  year integer NOT NULL,
  first bigint NOT NULL,
  last bigint,
  state text NOT NULL CHECK (state IN ('leased', 'used', 'returned')),
  FOREIGN KEY (code, year) REFERENCES ledger.series
);
-- A leased series gives no other number until its run is issued or abandoned.
CREATE UNIQUE INDEX number_block_leased ON ledger.number_block (code, year) WHERE state = 'leased';

CREATE TABLE ledger.document (
  id bigint PRIMARY KEY,
  number bigint NOT NULL,
  participant_id bigint NOT NULL,
  subscription_id bigint,
  net_micro bigint NOT NULL CHECK (net_micro % 10000 = 0),
  tax_micro bigint NOT NULL CHECK (tax_micro % 10000 = 0),
  gross_micro bigint NOT NULL CHECK (gross_micro = net_micro + tax_micro),
  corrects_id bigint,
  run_id bigint,
  period_from timestamptz,
  period_to timestamptz,
  issued_at timestamptz NOT NULL,
  year integer NOT NULL,
  issue_date date NOT NULL,
  due_date date,
  kind text NOT NULL CHECK (kind IN ('invoice', 'receipt')),
  series text NOT NULL,
  label text NOT NULL,
  period text NOT NULL,
  currency text NOT NULL,
  issued_by text NOT NULL,
  receiver jsonb NOT NULL,
  CHECK (extract(year FROM issue_date) = year),
  CHECK (label = series || year || lpad(number::text, 9, '0'))
) PARTITION BY RANGE (id);
CREATE INDEX document_participant ON ledger.document (participant_id, issue_date);
CREATE INDEX document_subscription ON ledger.document (subscription_id, period_to) WHERE subscription_id IS NOT NULL;
CREATE INDEX document_list ON ledger.document (kind, issue_date, id);
CREATE INDEX document_label ON ledger.document (label);
COMMENT ON COLUMN ledger.document.period IS 'the month that the document is about; entry.period is the period of account that it is booked in';
COMMENT ON COLUMN ledger.document.receiver IS 'what was printed: name, tax number, address at the moment of issue';

CREATE TABLE ledger.document_line (
  document_id bigint NOT NULL,
  line_no integer NOT NULL,
  net_micro bigint NOT NULL CHECK (net_micro % 10000 = 0),
  kdv_micro bigint NOT NULL CHECK (kdv_micro % 10000 = 0),
  kdv_rate_nano bigint NOT NULL,
  quantity_milli bigint,
  rate_nano bigint,
  accrual_id bigint NOT NULL,
  charge_ordinal integer NOT NULL,
  component text NOT NULL,
  name jsonb NOT NULL,
  unit text,
  PRIMARY KEY (document_id, line_no)
) PARTITION BY RANGE (document_id);
COMMENT ON COLUMN ledger.document_line.rate_nano IS 'the unit price where the line has one price; a line of several tiers shows its slices instead';

CREATE TABLE ledger.entry (
  id bigint PRIMARY KEY,
  document_id bigint NOT NULL,
  reverses_id bigint,
  entry_date date NOT NULL,
  event text NOT NULL,
  period text NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX entry_document ON ledger.entry (document_id);

CREATE TABLE ledger.posting (
  entry_id bigint NOT NULL,
  line_no integer NOT NULL,
  amount_micro bigint NOT NULL CHECK (amount_micro % 10000 = 0),
  document_id bigint NOT NULL,
  participant_id bigint NOT NULL,
  subscription_id bigint,
  account text NOT NULL,
  PRIMARY KEY (entry_id, line_no)
) PARTITION BY RANGE (entry_id);
CREATE INDEX posting_document ON ledger.posting (document_id);
CREATE INDEX posting_participant ON ledger.posting (participant_id, account);
COMMENT ON COLUMN ledger.posting.amount_micro IS 'debit positive, credit negative; an entry sums to zero';

CREATE TABLE ledger.settlement (
  collection_id bigint NOT NULL,
  invoice_id bigint NOT NULL,
  amount_micro bigint NOT NULL CHECK (amount_micro > 0 AND amount_micro % 10000 = 0),
  settled_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (collection_id, invoice_id)
);
CREATE INDEX settlement_invoice ON ledger.settlement (invoice_id);

CREATE FUNCTION ledger.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT entry_id, sum(amount_micro) AS amount INTO bad FROM added GROUP BY entry_id HAVING sum(amount_micro) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'postings of entry % sum to %, not to zero', bad.entry_id, bad.amount USING ERRCODE = 'EN001';
  END IF;
  RETURN NULL;
END
$$;
-- A deferred row trigger on a COPY of millions would queue millions: one look at the statement's rows does.
CREATE TRIGGER balanced AFTER INSERT ON ledger.posting REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unbalanced();

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['document', 'document_line', 'entry', 'posting', 'settlement'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.%I FOR EACH ROW EXECUTE FUNCTION audit.refuse_change()', name);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', name);
  END LOOP;
END
$$;

CREATE SEQUENCE ledger.single_id MAXVALUE 499999999999;

CREATE FUNCTION ledger.first_id(year integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (year - 2000)::bigint * 10000000000000
$$;

CREATE FUNCTION ledger.run_first_id(year integer, run bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (year - 2000)::bigint * 10000000000000 + 500000000000 + run * 10000000
$$;

CREATE FUNCTION ledger.ensure_year(year integer) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  each record;
  first bigint := ledger.first_id(year);
BEGIN
  IF year NOT BETWEEN 2000 AND 2099 THEN
    RAISE EXCEPTION 'year % is out of range', year USING ERRCODE = '22023';
  END IF;
  IF to_regclass(format('ledger.document_%s', year)) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('ledger.ensure_year', 0));
  FOR each IN
    SELECT * FROM (VALUES ('rating', 'bill'), ('rating', 'bill_input'), ('rating', 'accrual'), ('rating', 'charge'),
      ('ledger', 'document'), ('ledger', 'document_line'), ('ledger', 'entry'), ('ledger', 'posting')) AS t (schema, name)
  LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I.%I PARTITION OF %I.%I FOR VALUES FROM (%s) TO (%s)',
      each.schema, each.name || '_' || year, each.schema, each.name, first, first + 1000000000000);
  END LOOP;
  EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON ledger.%I (series, number)', 'document_number_' || year, 'document_' || year);
  EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON rating.%I (subscription_id, from_at) WHERE superseded_at IS NULL', 'bill_live_' || year, 'bill_' || year);
END
$$;

CREATE FUNCTION ledger.refuse_closed(accounting_period text) RETURNS void
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM account.period WHERE label = accounting_period AND state = 'closed') THEN
    RAISE EXCEPTION 'the period of account % is closed', accounting_period USING ERRCODE = 'EN002';
  END IF;
END
$$;

-- Locks a series for the rest of the transaction and returns its next number.
CREATE FUNCTION ledger.lock_series(series_code text, issued_on date) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  row ledger.series;
BEGIN
  INSERT INTO ledger.series (code, year) VALUES (series_code, extract(year FROM issued_on)::integer) ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT row FROM ledger.series WHERE code = series_code AND year = extract(year FROM issued_on)::integer FOR UPDATE;
  IF row.last_date > issued_on THEN
    RAISE EXCEPTION 'series % has a document of % already: none can be dated %', series_code, row.last_date, issued_on USING ERRCODE = 'EN003';
  END IF;
  RETURN row.next;
END
$$;

CREATE FUNCTION ledger.lease_numbers(run bigint, series_code text, issued_on date) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base bigint;
BEGIN
  PERFORM ledger.ensure_year(extract(year FROM issued_on)::integer);
  base := ledger.lock_series(series_code, issued_on);
  INSERT INTO ledger.number_block (run_id, code, year, first, state) VALUES (run, series_code, extract(year FROM issued_on)::integer, base, 'leased');
  RETURN base;
END
$$;

CREATE FUNCTION ledger.return_numbers(run bigint) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE ledger.number_block SET state = 'returned' WHERE run_id = run AND state = 'leased'
$$;

-- Makes a checked run's documents and postings visible: the numbers were computed as base + rank and are confirmed here.
CREATE FUNCTION ledger.issue_run(run bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  block ledger.number_block;
  next_number bigint;
  staged record;
  bad bigint;
  document regclass := format('rating_run.%I', 'document_' || run)::regclass;
  line regclass := format('rating_run.%I', 'document_line_' || run)::regclass;
  entry regclass := format('rating_run.%I', 'entry_' || run)::regclass;
  posting regclass := format('rating_run.%I', 'posting_' || run)::regclass;
BEGIN
  SELECT * INTO STRICT block FROM ledger.number_block WHERE run_id = run AND state = 'leased' FOR UPDATE;
  EXECUTE format('SELECT count(*) AS count, min(number) AS first, max(number) AS last, count(DISTINCT number) AS numbers, min(issue_date) AS issued_on,
    max(issue_date) AS latest, min(period) AS period, max(period) AS last_period, min(series) AS series, max(series) AS last_series FROM %s', document) INTO staged;
  IF staged.count = 0 THEN
    UPDATE ledger.number_block SET state = 'returned' WHERE run_id = run;
    RETURN 0;
  END IF;
  next_number := ledger.lock_series(block.code, staged.issued_on);
  PERFORM ledger.refuse_closed(to_char(staged.issued_on, 'YYYY-MM'));
  IF next_number <> block.first OR staged.first <> block.first OR staged.last <> block.first + staged.count - 1 OR staged.numbers <> staged.count
     OR staged.issued_on <> staged.latest OR staged.period <> staged.last_period OR staged.series <> block.code OR staged.last_series <> block.code THEN
    RAISE EXCEPTION 'run % holds numbers % to % (% documents) dated % to %, but series % goes on at %', run, staged.first, staged.last, staged.count,
      staged.issued_on, staged.latest, block.code, next_number USING ERRCODE = 'EN004';
  END IF;
  EXECUTE format('SELECT d.id FROM %s d LEFT JOIN (SELECT document_id, sum(net_micro) AS net, sum(kdv_micro) AS kdv FROM %s GROUP BY 1) l ON l.document_id = d.id
    WHERE l.net IS DISTINCT FROM d.net_micro OR l.kdv IS DISTINCT FROM d.tax_micro LIMIT 1', document, line) INTO bad;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'the lines of document % do not add up to its totals', bad USING ERRCODE = 'EN001';
  END IF;
  EXECUTE format('SELECT d.id FROM %s d LEFT JOIN %s e ON e.document_id = d.id
    LEFT JOIN (SELECT entry_id, sum(amount_micro) FILTER (WHERE amount_micro > 0) AS debit FROM %s GROUP BY 1) p ON p.entry_id = e.id
    WHERE e.period IS DISTINCT FROM to_char(d.issue_date, ''YYYY-MM'') OR e.entry_date IS DISTINCT FROM d.issue_date
      OR coalesce(p.debit, 0) <> d.gross_micro LIMIT 1', document, entry, posting) INTO bad;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'document % is not booked with its gross amount on its date', bad USING ERRCODE = 'EN001';
  END IF;
  EXECUTE format('INSERT INTO ledger.document SELECT * FROM %s', document);
  EXECUTE format('INSERT INTO ledger.document_line SELECT * FROM %s', line);
  EXECUTE format('INSERT INTO ledger.entry SELECT * FROM %s', entry);
  EXECUTE format('INSERT INTO ledger.posting SELECT * FROM %s', posting);
  UPDATE ledger.series SET next = next + staged.count, last_date = staged.issued_on WHERE code = block.code AND year = block.year;
  UPDATE ledger.number_block SET state = 'used', last = staged.last WHERE run_id = run;
  RETURN staged.count;
END
$$;

-- One document outside a run. `document` carries the columns of ledger.document but id, number, year and label, in camel case.
CREATE FUNCTION ledger.issue(document jsonb) RETURNS TABLE (id bigint, label text)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  issued_on date := (document->>'issueDate')::date;
  issue_year integer := extract(year FROM issued_on)::integer;
  new_id bigint;
  new_number bigint;
  new_label text;
BEGIN
  PERFORM ledger.ensure_year(issue_year);
  PERFORM ledger.refuse_closed(to_char(issued_on, 'YYYY-MM'));
  new_number := ledger.lock_series(document->>'series', issued_on);
  IF EXISTS (SELECT FROM ledger.number_block b WHERE b.code = document->>'series' AND b.year = issue_year AND b.state = 'leased') THEN
    RAISE EXCEPTION 'series % is leased to a run', document->>'series' USING ERRCODE = 'EN005';
  END IF;
  new_id := ledger.first_id(issue_year) + nextval('ledger.single_id');
  new_label := (document->>'series') || issue_year || lpad(new_number::text, 9, '0');
  INSERT INTO ledger.document (id, number, participant_id, subscription_id, net_micro, tax_micro, gross_micro, corrects_id, issued_at, year, issue_date,
    due_date, kind, series, label, period, currency, issued_by, receiver)
  VALUES (new_id, new_number, (document->>'participantId')::bigint, (document->>'subscriptionId')::bigint, (document->>'netMicro')::bigint,
    (document->>'taxMicro')::bigint, (document->>'netMicro')::bigint + (document->>'taxMicro')::bigint, (document->>'correctsId')::bigint, now(), issue_year,
    issued_on, (document->>'dueDate')::date, document->>'kind', document->>'series', new_label, document->>'period', document->>'currency',
    document->>'issuedBy', document->'receiver');
  UPDATE ledger.series s SET next = s.next + 1, last_date = issued_on WHERE s.code = document->>'series' AND s.year = issue_year;
  RETURN QUERY SELECT new_id, new_label;
END
$$;

-- postings: [{ account, amountMicro, documentId, participantId, subscriptionId }]
CREATE FUNCTION ledger.post(document bigint, event text, entry_date date, period text, postings jsonb) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  new_id bigint := ledger.first_id(extract(year FROM entry_date)::integer) + nextval('ledger.single_id');
BEGIN
  IF period <> to_char(entry_date, 'YYYY-MM') THEN
    RAISE EXCEPTION 'an entry of % belongs to another period of account than %', entry_date, period USING ERRCODE = '22023';
  END IF;
  PERFORM ledger.refuse_closed(period);
  PERFORM ledger.ensure_year(extract(year FROM entry_date)::integer);
  INSERT INTO ledger.entry (id, document_id, entry_date, event, period) VALUES (new_id, document, entry_date, event, period);
  INSERT INTO ledger.posting (entry_id, line_no, amount_micro, document_id, participant_id, subscription_id, account)
  SELECT new_id, ordinality, (each->>'amountMicro')::bigint, (each->>'documentId')::bigint, (each->>'participantId')::bigint,
    (each->>'subscriptionId')::bigint, each->>'account'
  FROM jsonb_array_elements(postings) WITH ORDINALITY AS t (each, ordinality);
  RETURN new_id;
END
$$;

CREATE FUNCTION ledger.settled(invoice bigint) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(sum(amount_micro), 0)::bigint FROM ledger.settlement WHERE invoice_id = invoice
$$;

-- settlements: [{ invoiceId, amountMicro }]. Locks the invoices in the order of their ids, so that two desks can't pay one twice.
CREATE FUNCTION ledger.settle(collection bigint, settlements jsonb) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  each record;
  invoice ledger.document;
  paid_participant bigint;
  total bigint := 0;
  collected bigint;
BEGIN
  SELECT d.participant_id, d.gross_micro INTO STRICT paid_participant, collected FROM ledger.document d WHERE d.id = collection AND d.kind = 'receipt';
  FOR each IN SELECT (s->>'invoiceId')::bigint AS invoice_id, (s->>'amountMicro')::bigint AS amount FROM jsonb_array_elements(settlements) s ORDER BY 1 LOOP
    SELECT * INTO invoice FROM ledger.document d WHERE d.id = each.invoice_id AND d.kind = 'invoice' FOR UPDATE;
    IF NOT FOUND OR invoice.participant_id <> paid_participant THEN
      RAISE EXCEPTION 'invoice % is none of this participant', each.invoice_id USING ERRCODE = 'EN006';
    END IF;
    IF each.amount > invoice.gross_micro - ledger.settled(each.invoice_id) THEN
      RAISE EXCEPTION 'invoice % has % left to pay, not %', invoice.label, invoice.gross_micro - ledger.settled(each.invoice_id), each.amount USING ERRCODE = 'EN007';
    END IF;
    INSERT INTO ledger.settlement (collection_id, invoice_id, amount_micro) VALUES (collection, each.invoice_id, each.amount);
    total := total + each.amount;
  END LOOP;
  IF total <> collected THEN
    RAISE EXCEPTION 'the settlements add up to %, the collection to %', total, collected USING ERRCODE = 'EN001';
  END IF;
END
$$;

GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO endeks_api, endeks_rating;
GRANT EXECUTE ON FUNCTION ledger.lease_numbers(bigint, text, date), ledger.return_numbers(bigint), ledger.issue_run(bigint),
  ledger.run_first_id(integer, bigint) TO endeks_rating;
GRANT EXECUTE ON FUNCTION ledger.issue(jsonb), ledger.post(bigint, text, date, text, jsonb), ledger.settle(bigint, jsonb), ledger.settled(bigint) TO endeks_api;
