import type { GatewayMapping, UnmappedKeyList } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useParams } from 'react-router'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { Page, Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty, Region } from '../../components/region.js'
import { useLanguage } from '../../i18n/language.js'
import { readingTabs } from '../tabs.js'
import { toLine } from './mapping-csv.js'
import { MappingEditor } from './mapping-editor.js'

/** Rows that are shown of a long list; the editor has all of them. */
const mostShown = 50

type MappedKey = GatewayMapping['keys'][number]
type MappedDevice = GatewayMapping['devices'][number]
type UnmappedKey = UnmappedKeyList['items'][number]

/** What is entered for another maker's gateway, and which of its keys nobody has entered yet. */
export function GatewayPage() {
  const { t } = useLanguage()
  const { id = '' } = useParams()
  const mapping = useQuery(queries.gatewayMapping(id))
  const [added, setAdded] = useState<readonly string[]>()
  const edit = (line?: string) => setAdded((before = []) => (line === undefined ? before : [...before, line]))
  return (
    <Page title={id} tabs={readingTabs(t)}>
      <Region query={mapping} height={300}>
        {(data) => (
          <div style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
            {data.format !== 'endeks' && <Unmapped gateway={id} added={added ?? []} onAdd={edit} />}
            {added === undefined ? (
              <Entered mapping={data} onEdit={() => edit()} />
            ) : (
              <MappingEditor mapping={data} added={added} onDone={() => setAdded(undefined)} />
            )}
          </div>
        )}
      </Region>
    </Page>
  )
}

function Unmapped(props: { readonly gateway: string; readonly added: readonly string[]; readonly onAdd: (line: string) => void }) {
  const { t, f } = useLanguage()
  const unmapped = useQuery(queries.unmappedKeys(props.gateway))
  // Left empty, the register would say that the key is passed over: a mark is refused until somebody has said which it is.
  const line = ({ device, key, unit }: UnmappedKey) => toLine([device, key, '?', unit ?? '?', ''])
  const columns: Column<UnmappedKey>[] = [
    { key: 'device', head: t.mapping.device, cell: (row) => row.device, clip: true },
    { key: 'key', head: t.mapping.key, cell: (row) => <KeyName text={row.key} /> },
    { key: 'value', head: t.mapping.lastValue, cell: (row) => `${row.value} ${row.unit ?? ''}`, align: 'right' },
    { key: 'heard', head: t.mapping.heardAt, cell: (row) => f.minute(row.heardAt), from: 'mid' },
    {
      key: 'add',
      head: '',
      cell: (row) => (
        <Button
          variant="default"
          size="compact-sm"
          disabled={props.added.includes(line(row))}
          aria-label={`${t.mapping.add}: ${row.device} ${row.key}`}
          onClick={() => props.onAdd(line(row))}
          data-testid="unmapped-add"
        >
          {t.mapping.add}
        </Button>
      )
    }
  ]
  return (
    <Section title={t.mapping.unmapped}>
      <Region query={unmapped} height={80}>
        {({ items, messages }) =>
          items.length === 0 ? (
            <Empty>{t.mapping.noUnmapped(f.count(messages))}</Empty>
          ) : (
            <>
              <PlainTable
                label={t.mapping.unmapped}
                columns={columns}
                rows={items.slice(0, mostShown)}
                rowKey={(row) => toLine([row.device, row.key])}
                testId="unmapped-row"
              />
              <Shown shown={mostShown} all={items.length} />
            </>
          )
        }
      </Region>
    </Section>
  )
}

function Entered({ mapping, onEdit }: { readonly mapping: GatewayMapping; readonly onEdit: () => void }) {
  const { t } = useLanguage()
  const every = <span className="dim">{t.mapping.every}</span>
  const keys: Column<MappedKey>[] = [
    { key: 'device', head: t.mapping.device, cell: (row) => row.device ?? every },
    { key: 'key', head: t.mapping.key, cell: (row) => <KeyName text={row.key} /> },
    {
      key: 'obis',
      head: t.mapping.register,
      cell: (row) =>
        row.obis === null ? (
          <span className="dim">{t.mapping.passedOver}</span>
        ) : (
          <span className="mono" style={{ whiteSpace: 'nowrap' }}>
            {row.obis}
          </span>
        )
    },
    { key: 'unit', head: t.mapping.unit, cell: (row) => row.unit ?? '' },
    { key: 'scaler', head: t.mapping.scaler, cell: (row) => row.scaler ?? '', align: 'right', from: 'mid' }
  ]
  const devices: Column<MappedDevice>[] = [
    { key: 'device', head: t.mapping.device, cell: (row) => row.device },
    { key: 'serial', head: t.mapping.serial, cell: (row) => <span className="mono">{row.serial}</span> }
  ]
  return (
    <Section
      title={`${t.mapping.title}: ${t.mapping.formats[mapping.format]}`}
      actions={
        <Button onClick={onEdit} data-testid="mapping-edit">
          {t.mapping.edit}
        </Button>
      }
    >
      {mapping.format === 'endeks' && <Empty>{t.mapping.own}</Empty>}
      {mapping.format !== 'endeks' && mapping.keys.length === 0 && <Empty>{t.mapping.noKeys}</Empty>}
      {mapping.keys.length > 0 && (
        <PlainTable
          label={t.mapping.keys}
          columns={keys}
          rows={mapping.keys.slice(0, mostShown)}
          rowKey={(row) => toLine([row.device, row.key])}
          testId="mapped-key"
        />
      )}
      <Shown shown={mostShown} all={mapping.keys.length} />
      {mapping.devices.length > 0 && (
        <div style={{ marginTop: 16 }}>
          <PlainTable
            label={t.mapping.devices}
            columns={devices}
            rows={mapping.devices.slice(0, mostShown)}
            rowKey={(row) => row.device}
            testId="mapped-device"
          />
        </div>
      )}
      <Shown shown={mostShown} all={mapping.devices.length} />
    </Section>
  )
}

/** Up to 256 characters without a space: broken anywhere, so that a phone shows the rest of the row too. */
function KeyName({ text }: { readonly text: string }) {
  return (
    <span className="mono" style={{ overflowWrap: 'anywhere' }}>
      {text}
    </span>
  )
}

function Shown({ shown, all }: { readonly shown: number; readonly all: number }) {
  const { t, f } = useLanguage()
  return all > shown ? <p className="dim">{t.mapping.shown(f.count(shown), f.count(all))}</p> : null
}
