import type { MeterDetail } from '@endeks/billing-api/contract'
import { useQuery } from '@tanstack/react-query'
import { useParams, useSearchParams } from 'react-router'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { CopyButton } from '../../components/copy-button.js'
import { Page, Section } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Region } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'
import { placeOf } from '../meters/meters-page.js'
import { MeterCommands } from './commands.js'
import { RegisterReadings } from './register-readings.js'

export function MeterPage() {
  const { t } = useLanguage()
  const { id = '' } = useParams()
  const meter = useQuery(queries.meter(id))
  const data = meter.data
  return (
    <Page
      title={data === undefined ? t.meters.serial : data.serial}
      heading={
        data === undefined ? (
          t.meters.serial
        ) : (
          <span className="mono" style={{ fontSize: 20 }}>
            {data.serial}
          </span>
        )
      }
      mark={data === undefined ? undefined : <PlaceMark meter={data} />}
      facts={data === undefined ? undefined : <Facts meter={data} />}
    >
      <Region query={meter} height={400}>
        {(given) => <Body meter={given} />}
      </Region>
    </Page>
  )
}

function PlaceMark({ meter }: { readonly meter: MeterDetail }) {
  const { t } = useLanguage()
  const place = placeOf(meter)
  if (place === null) return <StateMark tone="neutral">{t.meter.notInstalled}</StateMark>
  return <StateMark tone="info">{t.meter.installed(`${place.property} · ${place.servicePoint}`)}</StateMark>
}

function Facts({ meter }: { readonly meter: MeterDetail }) {
  return (
    <>
      <CopyButton text={meter.serial} />
      <span>{meter.manufacturer}</span>
      {meter.model !== null && <span>{meter.model}</span>}
      <span>{meter.medium}</span>
    </>
  )
}

function Body({ meter }: { readonly meter: MeterDetail }) {
  const { t, f } = useLanguage()
  const [parameters, setParameters] = useSearchParams()
  const chosen = meter.registers.find((register) => register.id === parameters.get('register')) ?? meter.registers[0]
  const choose = (id: string) =>
    setParameters((old) => {
      const next = new URLSearchParams(old)
      next.set('register', id)
      return next
    })
  const registers: Column<MeterDetail['registers'][number]>[] = [
    {
      key: 'obis',
      head: t.meter.obis,
      cell: (row) => (
        <button type="button" className="link mono" onClick={() => choose(row.id)} aria-pressed={row.id === chosen?.id}>
          {row.obis}
        </button>
      )
    },
    { key: 'digits', head: t.meter.digits, cell: (row) => f.count(row.digits), align: 'right', from: 'mid' },
    { key: 'reading', head: t.meter.lastReading, cell: (row) => (row.lastReading === null ? t.common.none : f.minute(row.lastReading.at)) },
    {
      key: 'index',
      head: t.meter.lastIndex,
      align: 'right',
      cell: (row) => (row.lastReading === null ? '' : withUnit(f.quantity(row.lastReading.index.value), row.lastReading.index.unit))
    }
  ]
  const installations: Column<MeterDetail['installations'][number]>[] = [
    { key: 'point', head: t.participant.servicePoint, cell: (row) => `${row.property} · ${row.servicePoint}` },
    { key: 'from', head: t.meter.from, cell: (row) => f.date(row.from) },
    { key: 'to', head: t.meter.to, cell: (row) => (row.to === null ? <StateMark tone="info">{t.meter.now}</StateMark> : f.date(row.to)) }
  ]
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
      <div className="split even">
        <Section title={t.meter.registers}>
          <PlainTable
            label={t.meter.registers}
            columns={registers}
            rows={meter.registers}
            rowKey={(row) => row.id}
            isActive={(row) => meter.registers.length > 1 && row.id === chosen?.id}
          />
        </Section>
        <Section title={t.meter.installations}>
          <PlainTable
            label={t.meter.installations}
            columns={installations}
            rows={meter.installations}
            rowKey={(row) => `${row.servicePoint} ${row.from}`}
          />
        </Section>
      </div>
      <MeterCommands meter={meter.id} />
      {chosen !== undefined && <RegisterReadings key={chosen.id} register={chosen.id} />}
    </div>
  )
}
