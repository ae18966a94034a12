import { Drawer } from '@mantine/core'
import { useLanguage } from '../../i18n/language.js'
import { PaymentForm } from './payment-form.js'

interface PaymentDrawerProps {
  readonly registryNo: string
  readonly name: string
  readonly only?: string
  readonly onClose: () => void
}

export function PaymentDrawer({ registryNo, name, only, onClose }: PaymentDrawerProps) {
  const { t } = useLanguage()
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={620}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t.common.close }}
      title={
        <span style={{ fontSize: 16, fontWeight: 600 }}>
          {t.pay.title} · {name} <span className="dim">{registryNo}</span>
        </span>
      }
    >
      <div data-testid="payment">
        <PaymentForm registryNo={registryNo} {...(only === undefined ? {} : { only })} />
      </div>
    </Drawer>
  )
}
