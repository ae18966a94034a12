import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Debian's libfaketime, which tells a process another time than the system's. */
const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path))

/** The wall clock of a device, which somebody may set while it runs; time that is measured goes on as it does. */
export class DeviceTime {
  readonly #file: string

  constructor(directory: string) {
    if (library === undefined) throw new Error('libfaketime is not installed: apt-get install faketime')
    this.#file = join(directory, 'offset')
    this.set('+0')
  }

  /** @param offset from the true time, as `-1h` */
  set(offset: string): void {
    writeFileSync(this.#file, offset)
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1'
    }
  }
}
