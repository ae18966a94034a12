import { open } from 'node:fs/promises'
import { connectAsync } from 'mqtt'

/** The least that keeping costs: the same bytes into one file, with as many syncs. @returns seconds */
export async function appendToFile(path: string, texts: readonly string[]): Promise<number> {
  const started = performance.now()
  const file = await open(path, 'w')
  for (const text of texts) {
    await file.write(text)
    await file.datasync()
  }
  await file.close()
  return (performance.now() - started) / 1_000
}

/** The least that delivering costs: messages of this size from memory, twenty under way. @returns seconds */
export async function publishFromMemory(url: string, text: string, count: number): Promise<number> {
  const client = await connectAsync(url)
  const started = performance.now()
  let [sent, acknowledged] = [0, 0]
  await new Promise<void>((resolve, reject) => {
    const more = (): void => {
      while (sent < count && sent - acknowledged < 20) {
        sent += 1
        client.publish('endeks/1/limit/readings', text, { qos: 1 }, (error) => {
          if (error) return reject(error)
          acknowledged += 1
          if (acknowledged === count) resolve()
          else more()
        })
      }
    }
    more()
  })
  const seconds = (performance.now() - started) / 1_000
  await client.endAsync()
  return seconds
}
