import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { troubleOf } from './database.js'

const chunk = Buffer.alloc(1_048_576)

/**
 * Disk that is kept for the day when there is none left: without it a full disk could not even be emptied, for LevelDB writes to forget
 * and to open.
 */
export class Reserve {
  readonly #path: string
  readonly #bytes: number

  constructor(path: string, bytes: number) {
    this.#path = path
    this.#bytes = bytes
  }

  /** @returns false when the disk has less than the reserve and as much again to work with */
  async fill(): Promise<boolean> {
    if ((await this.#size()) === this.#bytes) return true
    await this.release()
    const { bavail, bsize } = await statfs(dirname(this.#path))
    if (bavail * bsize < 2 * this.#bytes) return false
    try {
      // Written, not only made as long: a hole would take its blocks from the disk when there are none.
      const file = await open(this.#path, 'w')
      try {
        // A disk that gets full takes a part first, and refuses the next.
        for (let left = this.#bytes; left > 0; ) left -= (await file.write(chunk, 0, Math.min(chunk.length, left))).bytesWritten
        await file.sync()
      } finally {
        await file.close()
      }
      return true
    } catch (thrown) {
      if (troubleOf(thrown) !== 'full') throw thrown
      await this.release()
      return false
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  async #size(): Promise<number> {
    try {
      return (await stat(this.#path)).size
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0
      throw thrown
    }
  }
}
