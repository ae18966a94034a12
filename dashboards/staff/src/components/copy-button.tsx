import { ActionIcon } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../i18n/language.js'
import { CheckMark, CopyIcon } from './icons.js'

export function CopyButton({ text }: { readonly text: string }) {
  const { t } = useLanguage()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    // a page that is not served securely has no clipboard: the text stays selectable
    await navigator.clipboard?.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 2_000)
  }
  const label = copied ? t.common.copied : `${t.common.copy}: ${text}`
  return (
    <ActionIcon variant="subtle" color="gray" size={24} aria-label={label} title={label} onClick={() => void copy()}>
      {copied ? <CheckMark /> : <CopyIcon size={14} />}
    </ActionIcon>
  )
}
