import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file system of its own that can be filled to the last byte. Making one takes the rights of root. */
export class SmallDisk {
  readonly path: string
  readonly #ballast: string

  /** @throws when this account may not mount */
  constructor(path: string, megabytes: number) {
    mkdirSync(path)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path], { stdio: 'ignore' })
    this.path = path
    this.#ballast = join(path, 'ballast')
  }

  /** Leaves no room for anybody; what others free meanwhile is taken too. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.path)
    if (bavail === 0) return
    const size = (statSync(this.#ballast, { throwIfNoEntry: false })?.size ?? 0) + bavail * bsize
    // Somebody else may have taken some of it meanwhile: then it is full all the same.
    spawnSync('fallocate', ['-l', String(size), this.#ballast], { stdio: 'ignore' })
  }

  empty(): void {
    rmSync(this.#ballast, { force: true })
  }

  unmount(): void {
    execFileSync('umount', [this.path], { stdio: 'ignore' })
  }
}
