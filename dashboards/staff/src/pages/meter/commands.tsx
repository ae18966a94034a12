import type { Downlink } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { mutations } from '../../api/mutations.js'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { ProblemPanel } from '../../components/problem-panel.js'
import { Empty, Region } from '../../components/region.js'
import { StateMark, type Tone } from '../../components/state-mark.js'
import { errorText } from '../../i18n/catalogues.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'

/** What the meter was told last, and a way to have it read at once. */
export function MeterCommands({ meter }: { readonly meter: string }) {
  const { t, f } = useLanguage()
  const client = useQueryClient()
  const commands = useQuery(queries.downlinks(meter))
  const readNow = useMutation({
    mutationFn: () => mutations.readNow(meter),
    onSuccess: () => client.invalidateQueries({ queryKey: ['downlinks', meter] })
  })
  const newest = commands.data?.items.find((each) => each.state === 'done')?.id
  useEffect(() => {
    if (newest === undefined) return
    // What was read stands in the list below as soon as it is stored.
    void client.invalidateQueries({ queryKey: ['readings'] })
    void client.invalidateQueries({ queryKey: ['meter', meter] })
  }, [client, meter, newest])
  const columns: Column<Downlink>[] = [
    { key: 'kind', head: t.commands.kind, cell: (row) => known(t.commands.kinds, row.kind) },
    { key: 'state', head: t.commands.state, cell: (row) => <CommandState command={row} /> },
    { key: 'by', head: t.commands.requestedBy, cell: (row) => row.requestedBy, from: 'mid' },
    { key: 'at', head: t.commands.requestedAt, cell: (row) => f.minute(row.requestedAt) },
    { key: 'deadline', head: t.commands.deadline, cell: (row) => f.minute(row.deadline), from: 'mid' }
  ]
  return (
    <Section
      title={t.commands.title}
      actions={
        <Button onClick={() => readNow.mutate()} loading={readNow.isPending} data-testid="read-now">
          {t.commands.readNow}
        </Button>
      }
    >
      {readNow.error !== null && <ProblemPanel failure={readNow.error} />}
      <Region query={commands} height={80}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{t.commands.empty}</Empty>
          ) : (
            <PlainTable label={t.commands.title} columns={columns} rows={items} rowKey={(row) => row.id} testId="command-row" />
          )
        }
      </Region>
    </Section>
  )
}

const tones = { queued: 'neutral', sent: 'info', done: 'ok', failed: 'bad', expired: 'warn' } as const satisfies Record<string, Tone>

/** The state, and of one that was not done whether it may have been: the meter decides, not its answer. */
function CommandState({ command }: { readonly command: Downlink }) {
  const { t, catalogue } = useLanguage()
  const { state, effect, code, message } = command
  const doubt = state === 'done' || effect === null || effect === 'none' ? undefined : t.commands.effects[effect]
  return (
    <span title={code === null ? undefined : errorText(catalogue, code, message ?? code)}>
      <StateMark tone={tones[state]}>{t.commands.states[state]}</StateMark>
      {code !== null && <span className="mono dim"> {code}</span>}
      {doubt !== undefined && <span> · {doubt}</span>}
    </span>
  )
}
