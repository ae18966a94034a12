import { toIso } from '@endeks/domain/time'
import { keyKinds } from '@endeks/gateway/codec'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { defaultLimit, pageOf, readCursor, textKey } from '../../store/paging.js'
import { importKeys } from './import.js'
import { KeyFile, KeyImport, largestKeyFile, MeterKeyPage, MeterKeyQuery, type MeterKeyRow } from './schema.js'
import { type ListedRow, listKeys } from './store.js'

const tags = ['meter keys']

export async function meterKeyRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/meter-keys',
    {
      config: { access: 'meter-keys.read' },
      schema: {
        tags,
        summary: 'Which meters have keys, of which kinds and in which version; never a key',
        querystring: MeterKeyQuery,
        response: { 200: MeterKeyPage, ...refusals }
      }
    },
    async (request) => {
      const { cursor, limit = defaultLimit } = request.query
      const [after] = readCursor(cursor, [textKey]) ?? []
      const { page, next } = pageOf(await listKeys(context.pool, { after, limit }), limit, (row) => [row.name])
      return { items: page.map(toWire), next }
    }
  )

  app.post(
    '/meter-keys',
    {
      config: { access: 'meter-keys.write' },
      // JSON writes a line's end in two characters, and what is not ASCII in up to six.
      bodyLimit: 2 * largestKeyFile,
      schema: {
        tags,
        summary: "Import a maker's key file: all of it or nothing, and the same again changes nothing",
        body: KeyFile,
        response: { 200: KeyImport, ...refusals }
      }
    },
    async (request) => importKeys(context, request.body.file, staffOf(request).login)
  )
}

function toWire(row: ListedRow): MeterKeyRow {
  return { name: row.name, version: row.version, kinds: keyKinds.filter((kind) => row[kind]), importedAt: toIso(row.recorded_at) }
}
