import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, asError } from '@endeks/domain/errors'
import { NodeCompiler, type NodeError } from '@myriaddreamin/typst-ts-node-compiler'
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

/** Makes PDF files, one at a time: an invoice takes some hundredths of a second of the calling thread. */
export interface Renderer {
  /** @throws {AppError} DOCUMENT_RENDERING with the typesetter's message when the template does not compile */
  renderInvoice(document: InvoiceDocument, language: DocumentLanguage): Buffer
  /** @throws {AppError} DOCUMENT_RENDERING with the typesetter's message when the template does not compile */
  renderReceipt(document: ReceiptDocument, language: DocumentLanguage, format: ReceiptFormat): Buffer
}

const ownTemplates = fileURLToPath(new URL('../../../templates/', import.meta.url))

/** The file that a template reads: it exists in the compiler's memory only. */
const dataFile = 'document.json'

/** Renders after which results that were not used again leave the typesetter's memory. */
const cacheAge = 3

/** Longer texts of an error say nothing more, and they go to a screen. */
const messageLimit = 600

/**
 * One compiler with its fonts and templates, to be made once: loading takes longer than a document. What a document says
 * reaches the template as a JSON file and is never part of its source, so a name cannot be a command.
 */
export function createRenderer({ templates = ownTemplates }: RendererOptions = {}): Renderer {
  const compiler = NodeCompiler.create({ workspace: templates, fontArgs: [{ fontBlobs: documentFonts() }] })
  const render = (
    template: string,
    data: { readonly language: DocumentLanguage; readonly document: { readonly number: string } }
  ): Buffer => {
    try {
      compiler.mapShadow(join(templates, dataFile), Buffer.from(JSON.stringify(data)))
      const compiled = compiler.compile({ mainFilePath: join(templates, template), resetRead: true })
      const { result } = compiled
      if (result === null) throw failed(compiler, template, compiled.takeError())
      return compiler.pdf(result)
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown
      throw new AppError('DOCUMENT_RENDERING', `${template} could not be printed: ${asError(thrown).message}`, { template }, thrown)
    } finally {
      compiler.evictCache(cacheAge)
    }
  }
  return {
    renderInvoice: (document, language) => render('invoice.typ', { language, document }),
    renderReceipt: (document, language, format) => render(format === 'a4' ? 'receipt-a4.typ' : 'receipt-80mm.typ', { language, document })
  }
}

function failed(compiler: NodeCompiler, template: string, error: NodeError | null): AppError {
  const messages = error === null ? [] : compiler.fetchDiagnostics(error).map(describe)
  const text = messages.join('; ').slice(0, messageLimit)
  return new AppError('DOCUMENT_RENDERING', `the template ${template} does not compile: ${text === '' ? 'no reason given' : text}`, {
    template,
    messages: messages.slice(0, 20)
  })
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
