import { secretName } from './secrets.js'

/** One line of JSON an event on standard error; standard output belongs to a verb's answer. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void
  error(event: string, fields?: Readonly<Record<string, unknown>>): void
}

export function createLog(service: string, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const emit =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const record = { time: new Date().toISOString(), level, service, event, ...fields }
      write(`${JSON.stringify(record, (name, value: unknown) => (secretName.test(name) ? '***' : jsonable(value)))}\n`)
    }
  return { info: emit('info'), warn: emit('warn'), error: emit('error') }
}

function jsonable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return { name: value.name, message: value.message, code: 'code' in value ? value.code : undefined }
  return value
}
