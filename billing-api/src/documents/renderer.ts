import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AppError, asError } from '@endeks/domain/errors'
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler'
import { documentFonts } from './fonts.js'
import type { InvoiceDocument } from './invoice-document.js'
import type { ReceiptDocument } from './receipt-document.js'

/** `tr` prints Turkish alone; `en` prints the same paper with a small English label under each Turkish one. */
export type DocumentLanguage = 'tr' | 'en'
export type ReceiptFormat = 'a4' | '80mm'

export interface RendererOptions {
  /** the folder of the templates; the product's own by default */
  readonly templates?: string
}

/** Makes PDF files, one at a time: an invoice holds the calling thread for some hundredths of a second. */
export interface Renderer {
  /** @throws {AppError} (as a rejection) DOCUMENT_RENDERING with the typesetter's message when the template does not compile */
  renderInvoice(document: InvoiceDocument, language: DocumentLanguage): Promise<Buffer>
  /** @throws {AppError} (as a rejection) DOCUMENT_RENDERING with the typesetter's message when the template does not compile */
  renderReceipt(document: ReceiptDocument, language: DocumentLanguage, format: ReceiptFormat): Promise<Buffer>
}

const ownTemplates = fileURLToPath(new URL('../../../templates/', import.meta.url))

/** The file that a template reads: it exists in the compiler's memory only. */
const dataFile = 'document.json'

/** Renders after which results that were not used again leave the typesetter's memory. */
const cacheAge = 3

/** Longer texts of an error say nothing more, and they go to a screen. */
const messageLimit = 600
const messagesLimit = 20

/**
 * One compiler with its fonts and templates, to be made once: loading takes longer than a document. What a document says
 * reaches the template as a JSON file and is never part of its source, so a name cannot be a command.
 */
export function createRenderer({ templates = ownTemplates }: RendererOptions = {}): Renderer {
  const compiler = NodeCompiler.create({ workspace: templates, fontArgs: [{ fontBlobs: documentFonts() }] })
  const render = async (template: string, data: TemplateData): Promise<Buffer> => {
    try {
      compiler.mapShadow(join(templates, dataFile), Buffer.from(JSON.stringify(data)))
      return print(compiler, { mainFilePath: join(templates, template), resetRead: true })
    } finally {
      compiler.evictCache(cacheAge)
      // Finalizers free what the typesetter allocated, a megabyte a document, and they run between turns of the event loop only.
      await setImmediate()
    }
  }
  return {
    renderInvoice: (document, language) => render('invoice.typ', { language, document }),
    renderReceipt: (document, language, format) => render(format === 'a4' ? 'receipt-a4.typ' : 'receipt-80mm.typ', { language, document })
  }
}

interface TemplateData {
  readonly language: DocumentLanguage
  readonly document: InvoiceDocument | ReceiptDocument
}

interface Source {
  readonly mainFilePath: string
  /** so that an edited template counts at once */
  readonly resetRead: boolean
}

function print(compiler: NodeCompiler, source: Source): Buffer {
  try {
    return compiler.pdf(source)
  } catch (thrown) {
    throw failure(compiler, source, thrown)
  }
}

/** Printing only says that it failed; compiling again says why and where. */
function failure(compiler: NodeCompiler, source: Source, thrown: unknown): AppError {
  const template = basename(source.mainFilePath)
  const error = compiler.compile(source).takeError()
  const messages = error === null ? [asError(thrown).message] : compiler.fetchDiagnostics(error).map(describe)
  const text = messages.join('; ').slice(0, messageLimit)
  const details = { template, messages: messages.slice(0, messagesLimit) }
  return new AppError('DOCUMENT_RENDERING', `the template ${template} does not compile: ${text}`, details, thrown)
}

/** One message of the typesetter with file, line and column, counted from one as editors do. */
function describe(diagnostic: unknown): string {
  const message = fieldOf(diagnostic, 'message')
  const path = fieldOf(diagnostic, 'path')
  const start = fieldOf(fieldOf(diagnostic, 'range'), 'start')
  const [row, column] = [fieldOf(start, 'line'), fieldOf(start, 'character')]
  const text = typeof message === 'string' ? message : 'no message'
  if (typeof path !== 'string' || path === '') return text
  const place = typeof row === 'number' && typeof column === 'number' ? `:${row + 1}:${column + 1}` : ''
  return `${basename(path)}${place}: ${text}`
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
