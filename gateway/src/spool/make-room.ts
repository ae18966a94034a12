import type { ReadingsMessage } from '@endeks/domain/wire'
import type { Database } from './database.js'
import { type Drawer, decodeMessage, drawerEnd, drawers, messageKey, type SpooledMessage } from './message.js'

/** So many at once; a limit that was lowered is reached with the next appends. */
const mostAtOnce = 1_000

/** A message that has to go, with what can only be known by parsing it. */
export interface Displaced extends SpooledMessage {
  readonly order: number
  readonly wire: Pick<ReadingsMessage, 'epoch' | 'lane' | 'sequence' | 'exchanges'>
}

/**
 * The messages that must go so that `bytes` become free: the oldest ones, whatever their drawer.
 *
 * @param from below these numbers nothing is left, so that what was deleted there is not passed over again
 */
export async function oldestMessages(
  database: Database,
  { bytes, from }: { readonly bytes: number; readonly from: Readonly<Record<Drawer, number>> }
): Promise<Displaced[]> {
  const found: Displaced[] = []
  const after: Record<Drawer, number> = { ...from }
  for (let freed = 0; freed < bytes && found.length < mostAtOnce; ) {
    const heads = await Promise.all(drawers.map((drawer) => head(database, drawer, after[drawer])))
    const oldest = heads.filter((each) => each !== undefined).sort((left, right) => left.order - right.order)[0]
    if (oldest === undefined) break
    after[oldest.drawer] = oldest.sequence
    found.push({ ...oldest, wire: JSON.parse(oldest.text) as Displaced['wire'] })
    freed += oldest.bytes
  }
  return found
}

async function head(database: Database, drawer: Drawer, after: number): Promise<(SpooledMessage & { readonly order: number }) | undefined> {
  const [entry] = await database.iterator({ gt: messageKey(drawer, after), lt: drawerEnd(drawer), limit: 1 }).all()
  return entry === undefined ? undefined : decodeMessage(...entry)
}
