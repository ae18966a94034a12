import { Modal } from '@mantine/core'
import { useLanguage } from '../i18n/language.js'

export function KeyList({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const { t } = useLanguage()
  const rows = [
    ['Ctrl K', t.keys.search],
    ['Alt 1 - 5', t.keys.menu],
    ['J', t.keys.down],
    ['K', t.keys.up],
    ['Enter', t.keys.open],
    ['F8', t.keys.collect],
    ['Ctrl Enter', t.keys.primary],
    ['Esc', t.keys.close],
    ['F1', t.keys.list]
  ] as const
  return (
    <Modal opened={opened} onClose={onClose} title={t.keys.title} closeButtonProps={{ 'aria-label': t.common.close }}>
      <table className="ledger">
        <tbody>
          {rows.map(([key, text]) => (
            <tr key={key}>
              <td style={{ width: 120 }}>
                <kbd>{key}</kbd>
              </td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="dim">{t.keys.note}</p>
    </Modal>
  )
}
