import { consumptionDashboard } from './consumption.js'
import { dataSourceType, dataSourceUid } from './sql-target.js'

/** A provisioning file: its path below the folder, and its text. */
export interface ProvisioningFile {
  readonly path: string
  readonly text: string
}

/** JSON is YAML: one writer for both, and nothing to quote by hand. */
const render = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

const generated = '# Written by "npm run --workspace dashboards grafana": change its sources, not this file.\n'

/** Grafana reads them at its start. The password of the read-only role comes from its environment, never from here. */
export function provisioningFiles(): ProvisioningFile[] {
  return [
    {
      path: 'datasources/endeks.yaml',
      text:
        generated +
        render({
          apiVersion: 1,
          datasources: [
            {
              name: 'Endeks',
              uid: dataSourceUid,
              type: dataSourceType,
              access: 'proxy',
              url: '$ENDEKS_GRAFANA_HOST',
              user: '$ENDEKS_GRAFANA_USER',
              secureJsonData: { password: '$ENDEKS_GRAFANA_PASSWORD' },
              jsonData: {
                database: '$ENDEKS_GRAFANA_DATABASE',
                sslmode: '$ENDEKS_GRAFANA_SSLMODE',
                postgresVersion: 1700,
                maxOpenConns: 4,
                maxIdleConns: 2,
                connMaxLifetime: 14400
              },
              editable: false
            }
          ]
        })
    },
    {
      path: 'dashboards/endeks.yaml',
      text:
        generated +
        render({
          apiVersion: 1,
          providers: [
            {
              name: 'endeks',
              orgId: 1,
              folder: 'Endeks',
              folderUid: 'endeks',
              type: 'file',
              disableDeletion: true,
              allowUiUpdates: false,
              updateIntervalSeconds: 60,
              options: { path: '/etc/grafana/provisioning/dashboards/endeks', foldersFromFilesStructure: false }
            }
          ]
        })
    },
    { path: 'dashboards/endeks/consumption.json', text: render(consumptionDashboard()) }
  ]
}
