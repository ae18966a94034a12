import type { RunDetail } from '@endeks/billing-api/contract'
import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { mutations } from '../../api/mutations.js'
import { ProblemPanel } from '../../components/problem-panel.js'
import { useLanguage } from '../../i18n/language.js'

/** Issuing is irreversible: count, sum, consequence, and the count typed. The server compares it with what it would issue. */
export function IssueDialog({ run, onClose }: { readonly run: RunDetail; readonly onClose: () => void }) {
  const { t, f } = useLanguage()
  const client = useQueryClient()
  const [typed, setTyped] = useState('')
  // the count on screen when the dialog opened: a refresh behind it must not change what is confirmed
  const [bills] = useState(run.bills)
  const issue = useMutation({
    mutationFn: () => mutations.issueRun(run.id, bills),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['run', run.id] })
      await client.invalidateQueries({ queryKey: ['runs'] })
      onClose()
    }
  })
  const matches = typed.replace(/[.,\s]/g, '') === String(bills)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (matches && !issue.isPending) issue.mutate()
  }
  return (
    <Modal
      opened
      onClose={() => {
        if (!issue.isPending) onClose()
      }}
      title={t.run.issueTitle}
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <form onSubmit={submit} style={{ display: 'flex', flexDirection: 'column', gap: 12 }}>
        <div>
          <div className="figure" style={{ fontSize: 20, lineHeight: '28px', fontWeight: 600 }}>
            {t.run.issueCount(f.count(bills))}
          </div>
          <div>
            {t.run.issueSum} <b>{f.money(run.gross)}</b>
          </div>
        </div>
        <div className="note">{t.run.issueConsequence}</div>
        {run.numbers !== null && <div className="mono dim">{t.run.planned(run.numbers.first, run.numbers.last)}</div>}
        <TextInput
          label={t.run.issueType(f.count(bills))}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          inputMode="numeric"
          autoComplete="off"
          data-autofocus
          disabled={issue.isPending}
          data-testid="issue-count"
        />
        {issue.error !== null && <ProblemPanel failure={issue.error} />}
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose} disabled={issue.isPending}>
            {t.common.cancel}
          </Button>
          <Button type="submit" disabled={!matches || issue.isPending} data-testid="issue-confirm">
            {issue.isPending ? t.run.issuing : t.run.issue}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
