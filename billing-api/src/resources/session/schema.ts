import Type, { type Static } from 'typebox'
import { strict } from '../shared.js'

export const Login = Type.Object(
  { login: Type.String({ minLength: 1, maxLength: 64 }), password: Type.String({ minLength: 1, maxLength: 256 }) },
  strict
)
export type Login = Static<typeof Login>

export const SessionUser = Type.Object({
  login: Type.String(),
  name: Type.String(),
  role: Type.Union([Type.Literal('admin'), Type.Literal('clerk')]),
  /** what this user may do; the console derives no rights of its own */
  rights: Type.Array(Type.String())
})
export type SessionUser = Static<typeof SessionUser>
