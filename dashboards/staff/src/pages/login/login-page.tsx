import { Button, Modal, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useState } from 'react'
import { mutations } from '../../api/mutations.js'
import { queries } from '../../api/queries.js'
import { ProblemPanel } from '../../components/problem-panel.js'
import { useLanguage } from '../../i18n/language.js'

export function LoginPage() {
  const { t, language, setLanguage } = useLanguage()
  useEffect(() => {
    document.title = `${t.login.title} · ${t.product}`
  }, [t])
  return (
    <main className="login">
      <div style={{ width: '100%', maxWidth: 320 }}>
        <h1 style={{ fontSize: 28, lineHeight: '36px', margin: '0 0 16px', fontWeight: 600 }}>{t.product}</h1>
        <LoginForm />
        <SegmentedControl
          mt={24}
          aria-label={t.user.language}
          value={language}
          onChange={(value) => setLanguage(value === 'en' ? 'en' : 'tr')}
          data={[
            { value: 'tr', label: 'Türkçe' },
            { value: 'en', label: 'English' }
          ]}
          data-testid="language"
        />
      </div>
    </main>
  )
}

/** Over the page whose session ended: what stands on it stays. */
export function LoginAgain({ onDone }: { readonly onDone: () => void }) {
  const { t } = useLanguage()
  return (
    <Modal opened onClose={() => undefined} withCloseButton={false} title={t.login.title} closeOnEscape={false} closeOnClickOutside={false}>
      <p style={{ marginTop: 0 }}>{t.login.again}</p>
      <LoginForm onDone={onDone} />
    </Modal>
  )
}

function LoginForm({ onDone }: { readonly onDone?: () => void }) {
  const { t } = useLanguage()
  const client = useQueryClient()
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useMutation({
    mutationFn: mutations.login,
    onSuccess: (user) => {
      client.setQueryData(queries.session().queryKey, user)
      onDone?.()
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!signIn.isPending) signIn.mutate({ login, password })
  }
  return (
    <form onSubmit={submit} className="login-form" data-testid="login-form">
      <TextInput
        label={t.login.login}
        value={login}
        onChange={(event) => setLogin(event.currentTarget.value)}
        autoComplete="username"
        size="md"
        required
        withAsterisk={false}
        autoFocus
        data-testid="login-name"
      />
      <PasswordInput
        label={t.login.password}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        autoComplete="current-password"
        size="md"
        required
        withAsterisk={false}
        data-testid="login-password"
      />
      {signIn.error !== null && <ProblemPanel failure={signIn.error} />}
      <Button type="submit" size="md" aria-disabled={signIn.isPending} data-testid="login-submit">
        {signIn.isPending ? t.login.working : t.login.submit}
      </Button>
    </form>
  )
}
