import { api, ask, type Session } from '#lib/api/index.ts'

/** Who is signed in. The token itself never stays in the page: the API exchanges it for an HttpOnly cookie. */
class SignIn {
  session = $state.raw<Session | null>(null)

  async read(): Promise<Session> {
    this.session = await ask(api.GET('/session'))
    return this.session
  }

  async enter(token: string): Promise<void> {
    this.session = await ask(api.POST('/session', { body: { token } }))
  }

  async leave(): Promise<void> {
    await ask(api.DELETE('/session'))
    this.session = null
  }
}

export const signIn = new SignIn()
