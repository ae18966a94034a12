import type { RunRow } from '@endeks/billing-api/contract'
import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { useNavigate } from 'react-router'
import { mutations } from '../../api/mutations.js'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { Page } from '../../components/page.js'
import { ProblemPanel } from '../../components/problem-panel.js'
import { Empty, Region } from '../../components/region.js'
import { RunStateMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { billingTabs } from '../tabs.js'

export function RunsPage() {
  const { t, f } = useLanguage()
  const navigate = useNavigate()
  const runs = useQuery(queries.runs())
  const [starting, setStarting] = useState(false)
  const columns = useMemo<Column<RunRow>[]>(
    () => [
      { key: 'period', head: t.runs.period, cell: (row) => f.month(row.period) },
      { key: 'state', head: t.runs.state, cell: (row) => <RunStateMark state={row.state} /> },
      { key: 'subjects', head: t.runs.subjects, cell: (row) => f.count(row.subjects), align: 'right', from: 'wide' },
      { key: 'bills', head: t.runs.bills, cell: (row) => f.count(row.bills), align: 'right', from: 'mid' },
      { key: 'excluded', head: t.runs.excluded, cell: (row) => f.count(row.excluded), align: 'right', from: 'mid' },
      { key: 'net', head: t.runs.net, cell: (row) => f.amount(row.net), align: 'right', from: 'wide' },
      { key: 'tax', head: t.runs.tax, cell: (row) => f.amount(row.tax), align: 'right', from: 'wide' },
      { key: 'gross', head: t.runs.gross, cell: (row) => f.amount(row.gross), align: 'right' },
      { key: 'created', head: t.runs.createdAt, cell: (row) => f.minute(row.createdAt), from: 'wide' },
      { key: 'by', head: t.runs.requestedBy, cell: (row) => row.requestedBy, from: 'wide' }
    ],
    [t, f]
  )
  return (
    <Page
      title={t.runs.title}
      tabs={billingTabs(t)}
      fixed
      actions={
        <Button onClick={() => setStarting(true)} data-testid="run-start">
          {t.runs.start}
        </Button>
      }
    >
      <Region query={runs} height={300} fill>
        {(data) => (
          <DataTable
            label={t.runs.title}
            columns={columns}
            rows={data.items}
            rowKey={(row) => row.id}
            onOpen={(row) => void navigate(`/billing/runs/${row.id}`)}
            testId="run-row"
            empty={<Empty>{t.runs.empty}</Empty>}
          />
        )}
      </Region>
      {starting && <StartRun onClose={() => setStarting(false)} />}
    </Page>
  )
}

function StartRun({ onClose }: { readonly onClose: () => void }) {
  const { t } = useLanguage()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [period, setPeriod] = useState('')
  const start = useMutation({
    mutationFn: mutations.startRun,
    onSuccess: (run) => {
      void client.invalidateQueries({ queryKey: ['runs'] })
      if ('id' in run) void navigate(`/billing/runs/${run.id}`)
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!start.isPending) start.mutate(period)
  }
  return (
    <Modal opened onClose={onClose} title={t.runs.startTitle} closeButtonProps={{ 'aria-label': t.common.close }}>
      <form onSubmit={submit} style={{ display: 'flex', flexDirection: 'column', gap: 12 }}>
        <span className="dim">{t.runs.startNote}</span>
        <TextInput
          type="month"
          label={t.runs.month}
          value={period}
          onChange={(event) => setPeriod(event.currentTarget.value)}
          required
          withAsterisk={false}
          data-autofocus
          data-testid="run-period"
        />
        {start.data !== undefined && !('id' in start.data) && (
          <div className="note" role="status">
            {t.run.queued}
          </div>
        )}
        {start.error !== null && <ProblemPanel failure={start.error} />}
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" aria-disabled={start.isPending} data-testid="run-start-submit">
            {t.runs.start}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
