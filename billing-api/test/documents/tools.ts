import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian packages of the tools that read our documents as others do. */
const packages = { pdftotext: 'poppler-utils', pdftoppm: 'poppler-utils', pdffonts: 'poppler-utils', zbarimg: 'zbar-tools' } as const

/** Runs a tool and gives what it printed. A missing tool fails the test: a document that nobody read is not proved. */
async function tool(name: keyof typeof packages, parameters: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(name, [...parameters], { timeout: 60_000, maxBuffer: 16_000_000 })
    return stdout
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') {
      throw new Error(`${name} is missing: apt-get install ${packages[name]}`, { cause: thrown })
    }
    throw thrown
  }
}

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'document-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The text as a reader copies it from the page, with one blank between words. */
export async function textOf(pdf: Buffer, page?: number): Promise<string> {
  return await inFolder(async (folder) => {
    const file = join(folder, 'document.pdf')
    await writeFile(file, pdf)
    const pages = page === undefined ? [] : ['-f', String(page), '-l', String(page)]
    const text = await tool('pdftotext', ['-layout', ...pages, file, '-'])
    return text.replace(/\s+/g, ' ')
  })
}

/** Every font's name, and whether all of them are embedded. */
export async function fontsOf(pdf: Buffer): Promise<{ readonly names: readonly string[]; readonly embedded: boolean }> {
  return await inFolder(async (folder) => {
    const file = join(folder, 'document.pdf')
    await writeFile(file, pdf)
    const rows = (await tool('pdffonts', [file])).trim().split('\n').slice(2)
    return {
      names: rows.map((row) => row.split(/\s/)[0] ?? ''),
      embedded: rows.every((row) => / yes yes (yes|no) +\d+ +\d+$/.test(row.trimEnd()))
    }
  })
}

/** What a scanner finds on the first page in grey: one `TYPE:content` each. */
export async function codesOnPage(pdf: Buffer): Promise<string[]> {
  return await inFolder(async (folder) => {
    const file = join(folder, 'document.pdf')
    await writeFile(file, pdf)
    await tool('pdftoppm', ['-r', '200', '-gray', '-png', '-singlefile', '-f', '1', file, join(folder, 'page')])
    return await scan(join(folder, 'page.png'))
  })
}

/** What a scanner finds in a picture of dark (1) and light modules, each drawn as a square of four points. */
export async function codesInModules(size: number, dark: Uint8Array): Promise<string[]> {
  const quiet = 4
  const scale = 4
  const side = (size + 2 * quiet) * scale
  const points = Buffer.alloc(side * side, 255)
  for (let y = 0; y < size * scale; y++) {
    for (let x = 0; x < size * scale; x++) {
      if (dark[Math.floor(y / scale) * size + Math.floor(x / scale)] === 1) points[(y + quiet * scale) * side + x + quiet * scale] = 0
    }
  }
  return await inFolder(async (folder) => {
    const file = join(folder, 'code.pgm')
    await writeFile(file, Buffer.concat([Buffer.from(`P5 ${side} ${side} 255\n`), points]))
    return await scan(file)
  })
}

async function scan(file: string): Promise<string[]> {
  const found = await tool('zbarimg', ['-q', '-Sdisable', '-Sqrcode.enable', '-Scode128.enable', file])
  return found.replace(/\n$/, '').split('\n').sort()
}
