import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { provisioningFiles } from './files.js'

// compiled to dist/grafana/src: three floors above stands the workspace
const folder = fileURLToPath(new URL('../../../grafana/provisioning/', import.meta.url))

for (const file of provisioningFiles()) {
  const path = join(folder, file.path)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, file.text)
  process.stdout.write(`${file.path}\n`)
}
