import type { GatewayMapping } from '@endeks/billing-api/contract'
import { Button, NativeSelect, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { mutations } from '../../api/mutations.js'
import { asFailure, RequestFailure } from '../../api/problem.js'
import { Section } from '../../components/page.js'
import { ProblemPanel } from '../../components/problem-panel.js'
import { useLanguage } from '../../i18n/language.js'
import type { Messages } from '../../i18n/tr.js'
import { type CsvProblem, deviceHead, devicesOf, devicesToCsv, keyHead, keysOf, keysToCsv, placeOf } from './mapping-csv.js'

const formats = ['endeks', 'thingsboard', 'sparkplug'] as const

interface EditorProps {
  readonly mapping: GatewayMapping
  /** lines that were chosen among what is not mapped yet */
  readonly added: readonly string[]
  readonly onDone: () => void
}

/** The whole mapping as two texts, to be typed or pasted out of a spreadsheet; what is wrong is told by its line. */
export function MappingEditor({ mapping, added, onDone }: EditorProps) {
  const { t } = useLanguage()
  const client = useQueryClient()
  // What is edited is what was there when editing began: a refresh meanwhile changes neither the texts nor what they replace.
  const [base] = useState(mapping)
  const [format, setFormat] = useState<(typeof formats)[number]>(base.format === 'endeks' ? 'thingsboard' : base.format)
  const [keys, setKeys] = useState(() => keysToCsv(base.keys))
  const [devices, setDevices] = useState(() => devicesToCsv(base.devices))
  const taken = useRef(0)
  useEffect(() => {
    const fresh = added.slice(taken.current)
    taken.current = added.length
    if (fresh.length > 0) setKeys((text) => [text.trimEnd(), ...fresh].join('\n'))
  }, [added])
  const save = useMutation({
    mutationFn: async () => {
      const [readKeys, readDevices] = [keysOf(keys), devicesOf(devices)]
      const lines = { keys: readKeys.lines, devices: readDevices.lines }
      const wrong = [...readKeys.problems, ...readDevices.problems]
      if (wrong.length > 0) throw placed(invalid(wrong, t), lines, t)
      const body = { format, keys: readKeys.rows, devices: readDevices.rows, replaces: base.version }
      try {
        return await mutations.putMapping(base.gateway, body)
      } catch (thrown) {
        throw placed(asFailure(thrown), lines, t)
      }
    },
    onSuccess: (entered) => {
      client.setQueryData(['gateway-mapping', base.gateway], entered)
      void client.invalidateQueries({ queryKey: ['unmapped-keys', base.gateway] })
      onDone()
    }
  })
  return (
    <Section title={t.mapping.title}>
      <form
        style={{ display: 'flex', flexDirection: 'column', gap: 12 }}
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <NativeSelect
          label={t.mapping.format}
          value={format}
          onChange={(event) => setFormat(formats.find((each) => each === event.currentTarget.value) ?? format)}
          data={formats.map((value) => ({ value, label: t.mapping.formats[value] }))}
          style={{ maxWidth: 320 }}
          data-testid="mapping-format"
        />
        <CsvField label={t.mapping.keys} hint={t.mapping.keysHint(keyHead)} value={keys} onChange={setKeys} testId="mapping-keys" />
        <CsvField
          label={t.mapping.devices}
          hint={t.mapping.devicesHint(deviceHead)}
          value={devices}
          onChange={setDevices}
          testId="mapping-devices"
        />
        {save.error !== null && <ProblemPanel failure={save.error} />}
        <div style={{ display: 'flex', gap: 8 }}>
          <Button type="submit" loading={save.isPending} data-testid="mapping-save">
            {t.mapping.save}
          </Button>
          <Button variant="default" onClick={onDone}>
            {t.common.cancel}
          </Button>
        </div>
        <p className="dim">{t.mapping.afterSave}</p>
      </form>
    </Section>
  )
}

function CsvField(props: {
  readonly label: string
  readonly hint: string
  readonly value: string
  readonly onChange: (text: string) => void
  readonly testId: string
}) {
  return (
    <Textarea
      label={props.label}
      description={props.hint}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      autosize
      minRows={4}
      maxRows={16}
      spellCheck={false}
      wrap="off"
      classNames={{ input: 'mono' }}
      data-testid={props.testId}
    />
  )
}

function invalid(problems: readonly CsvProblem[], t: Messages): RequestFailure {
  const told = problems.map(({ path, message }) => ({
    path,
    message: path.endsWith('/scaler') ? t.mapping.noScaler(message) : t.mapping.tooManyFields
  }))
  return new RequestFailure({ code: 'VALIDATION', status: 400, detail: '', requestId: null, problems: told })
}

/** The same with each place as the line of its text. */
function placed(
  failure: RequestFailure,
  lines: { readonly keys: readonly number[]; readonly devices: readonly number[] },
  t: Messages
): RequestFailure {
  const problems = failure.problems.map(({ path, message }) => {
    const place = placeOf(path, lines)
    return place === undefined
      ? { path, message }
      : { path: t.mapping.place(t.mapping[place.list], String(place.line), place.field), message }
  })
  const { code, status, message, requestId } = failure
  return new RequestFailure({ code, status, detail: message, requestId, problems, cause: failure })
}
